//! A listener with Twinkle's console client: a SIP stack of its own, with ccRTP under it, related to
//! none of the others.
//!
//! It wants a sound card. A sound server of its own (PulseAudio) stands in: its microphone is a tone,
//! its loudspeaker goes nowhere, and what comes out of it is recorded.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use hotline::media::codec::Codec;
use hotline::media::sound::heard_tone;

use crate::ear::{Ear, TONES};
use crate::house::{Account, House, folder, free_port};
use crate::sipp::{self, Step};
use crate::{eventually, millis, secs};

#[test]
#[ignore = "needs Twinkle, PulseAudio and sipp: tests/interop/run installs them"]
fn a_twinkle_is_rung_heard_and_hears() {
    let house = House::open();
    let mut phone = Twinkle::of(&house.account("adele"));
    assert!(eventually(secs(20), || house.listens("adele")), "{}", phone.log());
    let ear = Ear::saying(700.0, Codec::Pcma);
    let steps =
        [Step::Invite(Some(ear.sdp())), Step::IsAnswered, Step::Ack(None), Step::IsHungUpOn];
    let caller = sipp::calls(house.sip, "3977", &steps);

    assert!(phone.says_within(secs(12), "incoming call"), "{}", phone.log());
    phone.order("answer");
    assert!(
        eventually(secs(8), || ear.tone() == Some(1_100.0)),
        "nobody hears it\n{}",
        phone.log()
    );
    assert!(phone.hears_within(secs(4), 700.0), "it hears nobody\n{}", phone.log());
    assert_eq!(ear.tone(), Some(1_100.0));
    phone.order("bye");
    caller.goes_as_planned_within(secs(5));
    sleep(millis(700));
    assert!(ear.is_quiet_for(millis(500)), "sound after the end");
    assert!(phone.hears_nothing_within(secs(3)), "sound after the end");
}

struct Twinkle {
    child: Child,
    server: Child,
    recorder: Child,
    orders: ChildStdin,
    folder: PathBuf,
}

impl Twinkle {
    /// Registers, and waits for what it is told.
    fn of(account: &Account) -> Self {
        let folder = folder("twinkle");
        let (server, recorder) = a_sound_card(&folder);
        fs::create_dir_all(folder.join(".twinkle")).unwrap();
        let (sip, rtp) = (free_port(), free_port());
        fs::write(
            folder.join(".twinkle/twinkle.sys"),
            format!(
                "dev_ringtone=alsa:default\ndev_speaker=alsa:default\ndev_mic=alsa:default\n\
                 validate_audio_dev=no\nsip_port={sip}\nrtp_port={rtp}\n"
            ),
        )
        .unwrap();
        let Account { name, password, house } = account;
        fs::write(
            folder.join(".twinkle/twinkle.cfg"),
            format!(
                "user_name={name}\nuser_domain=127.0.0.1\nauth_name={name}\nauth_pass={password}\n\
                 outbound_proxy={house}\nregistration_time=60\nregister_at_startup=yes\n\
                 codecs=g711a\nspeex_dsp_vad=no\nspeex_dsp_agc=no\nspeex_dsp_aec=no\n\
                 speex_dsp_nrd=no\n"
            ),
        )
        .unwrap();
        let log = fs::File::create(folder.join("log")).unwrap();
        let mut child = Command::new("twinkle-console")
            .env("HOME", &folder)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let orders = child.stdin.take().unwrap();
        Self { child, server, recorder, orders, folder }
    }

    fn order(&mut self, line: &str) {
        writeln!(self.orders, "{line}").unwrap();
    }

    fn says_within(&self, patience: Duration, words: &str) -> bool {
        eventually(patience, || self.log().to_lowercase().contains(words))
    }

    fn hears_within(&self, patience: Duration, tone: f64) -> bool {
        eventually(patience, || self.hears() == Some(tone))
    }

    fn hears_nothing_within(&self, patience: Duration) -> bool {
        eventually(patience, || self.hears().is_none())
    }

    /// The tone of the last second.
    fn hears(&self) -> Option<f64> {
        let bytes = fs::read(self.folder.join("heard")).unwrap_or_default();
        let from = bytes.len().checked_sub(RATE as usize * 2)? & !1;
        let samples: Vec<i16> =
            bytes[from..].chunks_exact(2).map(|two| i16::from_le_bytes([two[0], two[1]])).collect();
        heard_tone(&samples, RATE, &TONES)
    }

    fn log(&self) -> String {
        let read = |name| fs::read(self.folder.join(name)).unwrap_or_default();
        let text = [read("log"), read("sound")].concat();
        String::from_utf8_lossy(&text).into_owned()
    }
}

impl Drop for Twinkle {
    fn drop(&mut self) {
        for child in [&mut self.child, &mut self.recorder, &mut self.server] {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            eprintln!("kept: {}", self.folder.display());
        } else {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// A sound server in this folder, and what records its loudspeaker.
fn a_sound_card(folder: &Path) -> (Child, Child) {
    let socket = folder.join("sound.socket");
    let address = format!("unix:{}", socket.display());
    fs::write(
        folder.join(".asoundrc"),
        format!(
            "pcm.!default {{ type asym\n\
             playback.pcm {{ type pulse server \"{address}\" device \"ear\" }}\n\
             capture.pcm {{ type pulse server \"{address}\" device \"mouth.monitor\" }}\n}}\n"
        ),
    )
    .unwrap();
    let run = folder.join("run");
    fs::create_dir_all(&run).unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    fs::set_permissions(&run, private).unwrap();
    let log = fs::File::create(folder.join("sound")).unwrap();
    let server = Command::new("pulseaudio")
        .args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"])
        .args([
            "-L",
            &format!("module-native-protocol-unix auth-anonymous=1 socket={}", socket.display()),
        ])
        .args(["-L", &format!("module-null-sink sink_name=mouth channels=1 rate={RATE}")])
        .args(["-L", "module-sine sink=mouth frequency=1100"])
        .args(["-L", &format!("module-null-sink sink_name=ear channels=1 rate={RATE}")])
        .env("HOME", folder)
        .env("XDG_RUNTIME_DIR", &run)
        .env_remove("DISPLAY")
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap();
    assert!(eventually(secs(10), || socket.exists()), "no sound server");
    let heard = fs::File::create(folder.join("heard")).unwrap();
    let recorder = Command::new("parec")
        .args(["--raw", "--format=s16le", "--channels=1", "--latency-msec=50"])
        .args([&format!("--rate={RATE}"), "--device=ear.monitor"])
        .env("HOME", folder)
        .env("PULSE_SERVER", &address)
        .stdin(Stdio::null())
        .stdout(heard)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    (server, recorder)
}

const RATE: u32 = 8_000;
