//! A caller by sipp: a scenario written step by step, run once.
//!
//! sipp speaks the signalling, an [`Ear`](crate::ear::Ear) the sound. It fails when anything but
//! what the scenario expects arrives.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::house::{Account, folder, free_port};
use crate::{eventually, secs};

/// What a caller does, in order.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// INVITE with this offer, or without one.
    Invite(Option<String>),
    /// INVITE with this offer and these header lines.
    InviteSaying(String, &'static str),
    /// 200 with this in the header named.
    IsAnsweredSaying(&'static str, &'static str),
    /// UPDATE within the call, with this CSeq and these header lines, and its 200.
    Updates(u32, &'static str),
    /// UPDATE comes, and is answered with these header lines.
    IsUpdated(&'static str),
    /// REFER within the call, with this CSeq, and this final answer.
    Refers(u32, u16),
    /// Provisional answers if they come, then 200.
    IsAnswered,
    /// ACK, with an answer if the offer was theirs.
    Ack(Option<String>),
    /// INVITE again within the call, with this CSeq and offer; its 200 and ACK.
    OffersAgain(u32, String),
    /// Does nothing.
    Waits(Duration),
    /// BYE, and its 200.
    HangsUp,
    /// BYE with this CSeq, and its 200.
    HangsUpWith(u32),
    /// BYE comes, and is answered.
    IsHungUpOn,
    /// REGISTER, the challenge, REGISTER again, and this status.
    Registers(Account, u16),
}

pub(crate) struct Caller {
    child: Child,
    folder: PathBuf,
}

/// Begins a call to a number by UDP.
pub(crate) fn calls(house: SocketAddr, number: &str, steps: &[Step]) -> Caller {
    run(house, number, "u1", steps)
}

/// Begins a call to a number by TCP.
pub(crate) fn calls_by_tcp(house: SocketAddr, number: &str, steps: &[Step]) -> Caller {
    run(house, number, "t1", steps)
}

fn run(house: SocketAddr, number: &str, transport: &str, steps: &[Step]) -> Caller {
    begin(house, number, transport, &free_port().to_string(), scenario(steps))
}

fn begin(house: SocketAddr, number: &str, transport: &str, port: &str, scenario: String) -> Caller {
    let folder = folder("sipp");
    fs::write(folder.join("scenario.xml"), scenario).unwrap();
    let log = fs::File::create(folder.join("log")).unwrap();
    let child = Command::new("sipp")
        .arg(house.to_string())
        .args(["-sf", "scenario.xml", "-m", "1", "-l", "1", "-i", "127.0.0.1", "-t", transport])
        .args(["-p", port, "-s", number, "-nostdin"])
        .args(["-timeout", "180s", "-timeout_error", "-default_behaviors", "all,-bye"])
        .args(["-trace_msg", "-message_file", "messages", "-trace_err", "-error_file", "errors"])
        .env("TERM", "dumb")
        .current_dir(&folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap();
    Caller { child, folder }
}

impl Caller {
    /// Waits for the end of the call, which must have gone as its steps say.
    pub(crate) fn goes_as_planned_within(mut self, patience: Duration) {
        let ended = eventually(patience, || self.child.try_wait().unwrap().is_some());
        let status = self.child.try_wait().unwrap();
        let content = ended && status.is_some_and(|status| status.success());
        assert!(content, "sipp: {status:?}\n{}\n{}", self.read("errors"), self.messages());
        let _ = fs::remove_dir_all(&self.folder);
    }

    /// Every message sent and received so far.
    pub(crate) fn messages(&self) -> String {
        self.read("messages")
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap_or_default()
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        if self.child.try_wait().unwrap().is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn scenario(steps: &[Step]) -> String {
    let mut xml = String::from("<?xml version=\"1.0\"?>\n<scenario name=\"caller\">\n");
    for step in steps {
        match step {
            Step::Invite(offer) => xml += &send("INVITE", offer.as_deref()),
            Step::IsAnswered => {
                for provisional in [100, 180, 183] {
                    let _ = writeln!(xml, "<recv response=\"{provisional}\" optional=\"true\"/>");
                }
                xml += "<recv response=\"200\" rrs=\"true\"/>\n";
            }
            Step::InviteSaying(offer, headers) => {
                xml += &send("INVITE", Some(offer))
                    .replace("User-Agent: sipp\n", &format!("User-Agent: sipp\n{headers}"));
            }
            Step::IsAnsweredSaying(header, words) => {
                xml += "<recv response=\"100\" optional=\"true\"/>\n";
                let _ = writeln!(
                    xml,
                    "<recv response=\"200\" rrs=\"true\"><action><ereg regexp=\"{words}\" \
                     search_in=\"hdr\" header=\"{header}:\" check_it=\"true\" assign_to=\"1\"/>\
                     </action></recv>\n<Reference variables=\"1\"/>"
                );
            }
            Step::Updates(number, headers) => {
                xml += &within("UPDATE", *number, headers);
                xml += "<recv response=\"200\"/>\n";
            }
            Step::IsUpdated(headers) => {
                let ok = OK.replace("Content-Length", &format!("{headers}Content-Length"));
                let _ = write!(
                    xml,
                    "<recv request=\"UPDATE\" timeout=\"{}\"/>\n<send><![CDATA[\n{ok}]]></send>\n",
                    secs(170).as_millis()
                );
            }
            Step::Refers(number, status) => {
                xml += &within("REFER", *number, "Refer-To: <sip:+33899000000@127.0.0.1>\n");
                let _ = writeln!(xml, "<recv response=\"{status}\"/>");
            }
            Step::Ack(answer) => xml += &send("ACK", answer.as_deref()),
            Step::OffersAgain(number, offer) => {
                let again =
                    |text: String| text.replace("CSeq: 2 BYE", &format!("CSeq: {number} INVITE"));
                xml +=
                    &again(send("BYE", Some(offer))).replace("BYE [next_url]", "INVITE [next_url]");
                xml += "<recv response=\"100\" optional=\"true\"/>\n<recv response=\"200\" rrs=\"true\"/>\n";
                xml += &send("ACK", None).replace("CSeq: 1 ACK", &format!("CSeq: {number} ACK"));
            }
            Step::Waits(duration) => {
                let _ = writeln!(xml, "<pause milliseconds=\"{}\"/>", duration.as_millis());
            }
            Step::HangsUp => {
                xml += &send("BYE", None);
                xml += "<recv response=\"200\"/>\n";
            }
            Step::HangsUpWith(number) => {
                xml += &within("BYE", *number, "");
                xml += "<recv response=\"200\"/>\n";
            }
            Step::IsHungUpOn => {
                let _ = write!(
                    xml,
                    "<recv request=\"BYE\" timeout=\"{}\"/>\n<send><![CDATA[\n{OK}]]></send>\n",
                    secs(170).as_millis()
                );
            }
            Step::Registers(account, status) => {
                xml += &register(account, "");
                xml += "<recv response=\"401\" auth=\"true\"/>\n";
                let word = format!(
                    "[authentication username={} password={}]\n",
                    account.name, account.password
                );
                xml += &register(account, &word);
                let _ = writeln!(xml, "<recv response=\"{status}\"/>");
            }
        }
    }
    xml + "</scenario>\n"
}

fn send(method: &str, body: Option<&str>) -> String {
    // A 2xx is acknowledged, and a call ended, at the address the answer has named.
    let (target, to, number, routes) = match method {
        "INVITE" => ("sip:[service]@[remote_ip]:[remote_port]", "", 1, ""),
        "ACK" => ("[next_url]", "[peer_tag_param]", 1, "[routes]\n"),
        _ => ("[next_url]", "[peer_tag_param]", 2, "[routes]\n"),
    };
    let kind = if body.is_some() { "Content-Type: application/sdp\n" } else { "" };
    let retransmits = if method == "ACK" { "" } else { " retrans=\"500\"" };
    format!(
        "<send{retransmits}><![CDATA[\n\
         {method} {target} SIP/2.0\n\
         Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n\
         From: <sip:+33612345678@[local_ip]:[local_port]>;tag=caller[call_number]\n\
         To: <sip:[service]@[remote_ip]:[remote_port]>{to}\n\
         Call-ID: [call_id]\nCSeq: {number} {method}\n\
         Contact: <sip:caller@[local_ip]:[local_port];transport=[transport]>\n\
         Max-Forwards: 70\n{routes}User-Agent: sipp\n{kind}Content-Length: [len]\n\n{}]]></send>\n",
        body.unwrap_or_default()
    )
}

/// A request inside the call, without a body.
fn within(method: &str, number: u32, headers: &str) -> String {
    send("BYE", None)
        .replace("CSeq: 2 BYE", &format!("CSeq: {number} {method}"))
        .replace("BYE [next_url]", &format!("{method} [next_url]"))
        .replace("User-Agent: sipp\n", &format!("User-Agent: sipp\n{headers}"))
}

/// A listener's phone that rings reliably (RFC 3262), is acknowledged with PRACK, and picks up.
pub(crate) fn rings_reliably(house: SocketAddr, account: &Account, sdp: &str) -> Caller {
    let port = free_port().to_string();
    let registers = scenario(&[Step::Registers(account.clone(), 200)]);
    begin(house, &account.name, "u1", &port, registers).goes_as_planned_within(secs(10));
    let xml = RINGS_RELIABLY
        .replace("\nOK]]>", &format!("\n{OK}]]>"))
        .replace("\nSDP]]>", &format!("\n{sdp}]]>"));
    begin(house, &account.name, "u1", &port, xml)
}

fn register(account: &Account, authorization: &str) -> String {
    let name = &account.name;
    let number = if authorization.is_empty() { 1 } else { 2 };
    format!(
        "<send retrans=\"500\"><![CDATA[\n\
         REGISTER sip:[remote_ip]:[remote_port] SIP/2.0\n\
         Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n\
         From: <sip:{name}@[remote_ip]>;tag=phone[call_number]\n\
         To: <sip:{name}@[remote_ip]>\n\
         Call-ID: [call_id]\nCSeq: {number} REGISTER\n\
         Contact: <sip:{name}@[local_ip]:[local_port];transport=[transport]>\n\
         Expires: 300\nMax-Forwards: 70\n{authorization}Content-Length: 0\n\n]]></send>\n"
    )
}

const OK: &str = "\
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

";

/// The Via of the INVITE is kept: a PRACK comes between it and its answer.
const RINGS_RELIABLY: &str = "\
<?xml version=\"1.0\"?>
<scenario name=\"phone\">
<recv request=\"INVITE\"><action>
<ereg regexp=\".*\" search_in=\"hdr\" header=\"Via:\" assign_to=\"via\"/>
</action></recv>
<send><![CDATA[
SIP/2.0 183 Session Progress
[last_Via:]
[last_From:]
[last_To:];tag=phone[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:phone@[local_ip]:[local_port]>
Require: 100rel
RSeq: 7
Content-Length: 0

]]></send>
<recv request=\"PRACK\"><action>
<ereg regexp=\"7 1 INVITE\" search_in=\"hdr\" header=\"RAck:\" check_it=\"true\" assign_to=\"rack\"/>
</action></recv>
<Reference variables=\"rack\"/>
<send><![CDATA[
OK]]></send>
<pause milliseconds=\"300\"/>
<send retrans=\"500\"><![CDATA[
SIP/2.0 200 OK
Via:[$via]
[last_From:]
[last_To:]
[last_Call-ID:]
CSeq: 1 INVITE
Contact: <sip:phone@[local_ip]:[local_port]>
Content-Type: application/sdp
Content-Length: [len]

SDP]]></send>
<recv request=\"ACK\"/>
<recv request=\"BYE\" timeout=\"60000\"/>
<send><![CDATA[
OK]]></send>
</scenario>
";
