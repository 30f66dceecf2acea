//! A listener with linphone's console client: another SIP stack, another RTP stack.
//!
//! It plays a tone from a file instead of a microphone and records what it hears.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use hotline::media::codec::Codec;
use hotline::media::sound::heard_tone;
use hotline::media::sound::tone::sine;

use crate::baresip::{Baresip, Manner};
use crate::ear::{Ear, TONES};
use crate::house::{Account, House, folder, free_port};
use crate::sipp::{self, Step};
use crate::{eventually, secs};

#[test]
#[ignore = "needs linphone: tests/interop/run installs it"]
fn a_linphone_registers_answers_and_is_heard_and_hears() {
    for transport in ["udp", "tcp"] {
        let house = House::open();
        let phone = Linphone::of(&house.account("gael"), transport);
        assert!(
            eventually(secs(20), || house.listens("gael")),
            "{transport}: it does not register\n{}",
            phone.log()
        );
        let ear = Ear::saying(700.0, Codec::Pcma);
        let caller = sipp::calls(
            house.sip,
            "3977",
            &[
                Step::Invite(Some(ear.sdp())),
                Step::IsAnswered,
                Step::Ack(None),
                Step::Waits(secs(13)),
                Step::HangsUp,
            ],
        );

        assert!(
            eventually(secs(12), || ear.tone() == Some(1_100.0)),
            "{transport}: the caller hears no listener\n{}",
            phone.log()
        );
        caller.goes_as_planned_within(secs(12));
        eventually(secs(5), || !phone.heard().is_empty());
        let heard = phone.heard();
        let right = heard.iter().filter(|tone| **tone == Some(700.0)).count();
        assert!(right >= 3, "{transport}: the listener hears {heard:?}");
        assert!(eventually(secs(2), || ear.is_quiet_for(secs(1))), "sound after the end");
    }
}

/// RFC 5589 §7: hold, a second call, and REFER with Replaces.
#[test]
#[ignore = "needs linphone and baresip: tests/interop/run installs them"]
fn a_linphone_consults_a_colleague_and_joins_caller_and_colleague() {
    let house = House::open();
    let mut phone = Linphone::of(&house.account("gael"), "udp");
    assert!(eventually(secs(20), || house.listens("gael")), "{}", phone.log());
    let ear = Ear::saying(700.0, Codec::Pcma);
    let steps =
        [Step::Invite(Some(ear.sdp())), Step::IsAnswered, Step::Ack(None), Step::IsHungUpOn];
    let caller = sipp::calls(house.sip, "3977", &steps);
    assert!(eventually(secs(14), || ear.tone() == Some(1_100.0)), "{}", phone.log());
    let manner = Manner { tone: 1_700.0, eager: true, ..Manner::default() };
    let mut bram = Baresip::of(&house.account("bram"), manner);

    phone.order("pause");
    std::thread::sleep(secs(1));
    phone.order(&format!("call sip:bram@{}", house.sip));
    assert!(bram.rings_within(secs(6), 1).is_some(), "{}", phone.log());
    let since = ear.heard().len();
    let waits = || ear.finds_beginning("attente", 25, since.saturating_sub(100)).is_some();
    assert!(eventually(secs(4), waits), "the caller hears no wait sound\n{}", phone.log());
    std::thread::sleep(secs(2));
    phone.order("transfer 1 --to-call 2");

    let joined = eventually(secs(6), || ear.tone() == Some(1_700.0));
    assert!(joined, "the caller hears no colleague\n{}\n{}", phone.log(), house.log());
    std::thread::sleep(secs(3));
    bram.hangs_up();
    caller.goes_as_planned_within(secs(5));
    eventually(secs(3), || !bram.heard_tones(0).is_empty());
    let heard = bram.heard_tones(0);
    let right = heard.iter().filter(|tone| **tone == Some(700.0)).count();
    assert!(right >= 2, "the colleague hears {heard:?}");
}

/// How one is set up.
#[derive(Clone, Debug)]
pub(crate) struct Habits<'a> {
    pub(crate) tone: f64,
    pub(crate) transport: &'static str,
    /// Speaks this alone: name and clock.
    pub(crate) codec: Option<(&'static str, u32)>,
    /// Demands that the sound is protected, and believes this authority over TLS.
    pub(crate) protects: Option<&'a Path>,
}

pub(crate) struct Linphone {
    child: Child,
    orders: ChildStdin,
    folder: PathBuf,
}

impl Linphone {
    /// Registers, and answers whatever rings.
    fn of(account: &Account, transport: &'static str) -> Self {
        Self::with(account, &Habits { tone: 1_100.0, transport, codec: None, protects: None })
    }

    pub(crate) fn with(account: &Account, habits: &Habits<'_>) -> Self {
        let folder = folder("linphone");
        fs::create_dir_all(folder.join(".local/share/linphone")).unwrap();
        fs::create_dir_all(folder.join(".config/linphone")).unwrap();
        let transport = habits.transport;
        let port = |of| if of == transport { i32::from(free_port()) } else { -1 };
        let mut settings = format!(
            "[sip]\nsip_port={}\nsip_tcp_port={}\nsip_tls_port={}\n",
            port("udp"),
            port("tcp"),
            port("tls"),
        );
        if let Some(authority) = habits.protects {
            // Its TLS knows no addresses in certificates, only names.
            settings += &format!(
                "verify_server_cn=0\nroot_ca={}\nmedia_encryption=srtp\nmedia_encryption_mandatory=1\n",
                authority.display()
            );
        }
        settings += &format!("[rtp]\naudio_rtp_port={}\n[net]\nfirewall_policy=0\n", free_port());
        if let Some(only) = habits.codec {
            for (index, (mime, rate)) in CODECS.into_iter().enumerate() {
                let enabled = u8::from((mime, rate) == only);
                let channels = if mime == "opus" { 2 } else { 1 };
                settings += &format!(
                    "[audio_codec_{index}]\nmime={mime}\nrate={rate}\nchannels={channels}\n\
                     enabled={enabled}\n"
                );
            }
        }
        fs::write(folder.join("settings"), settings).unwrap();
        tone_file(&folder.join("says.wav"), habits.tone);
        let log = fs::File::create(folder.join("log")).unwrap();
        let mut child = Command::new("linphonec")
            .args(["-c", "settings"])
            .env("HOME", &folder)
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let orders = child.stdin.take().unwrap();
        let mut phone = Self { child, orders, folder };
        let (says, hears) = (phone.folder.join("says.wav"), phone.folder.join("hears.wav"));
        phone.order("soundcard use files");
        phone.order(&format!("play {}", says.display()));
        phone.order(&format!("record {}", hears.display()));
        phone.order("autoanswer enable");
        let Account { name, password, house } = account;
        phone.order(&format!(
            "register sip:{name}@{house} sip:{house};transport={transport} {password}"
        ));
        phone
    }

    pub(crate) fn order(&mut self, line: &str) {
        writeln!(self.orders, "{line}").unwrap();
    }

    /// What it heard so far, second by second.
    pub(crate) fn heard(&self) -> Vec<Option<f64>> {
        let bytes = fs::read(self.folder.join("hears.wav")).unwrap_or_default();
        // The head of the file is written when the call is over.
        let Some(four) = bytes.get(24..28).filter(|four| **four != [0; 4]) else {
            return Vec::new();
        };
        let rate = u32::from_le_bytes(four.try_into().unwrap());
        let samples: Vec<i16> = bytes
            .get(44..)
            .unwrap_or_default()
            .chunks_exact(2)
            .map(|two| i16::from_le_bytes([two[0], two[1]]))
            .collect();
        samples.chunks_exact(rate as usize).map(|second| heard_tone(second, rate, &TONES)).collect()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Linphone {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// What it would speak by itself.
const CODECS: [(&str, u32); 8] = [
    ("opus", 48_000),
    ("speex", 16_000),
    ("speex", 8_000),
    ("speex", 32_000),
    ("PCMU", 8_000),
    ("PCMA", 8_000),
    ("GSM", 8_000),
    ("G722", 8_000),
];

/// A minute of a tone.
fn tone_file(path: &Path, tone: f64) {
    let format = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, format).unwrap();
    for sample in sine(tone, 8_000, secs(60), 0.25) {
        writer.write_sample(sample).unwrap();
    }
    writer.finalize().unwrap();
}
