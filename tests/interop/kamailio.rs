//! Kamailio in front of the house, as an operator's session border controller: every request of a
//! call goes through it, because it has written itself into the route (RFC 3261 §16.6, §16.12).

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use hotline::media::codec::Codec;

use crate::baresip::{Baresip, Manner};
use crate::ear::Ear;
use crate::house::{House, folder, free_port};
use crate::secure::Papers;
use crate::sipp::{self, Step};
use crate::{eventually, secs};

#[test]
#[ignore = "needs sipp, baresip and kamailio: tests/interop/run installs them"]
fn a_call_goes_through_a_border_controller_both_ways() {
    for (to_house, ends) in [
        ("udp", Ends::Caller),
        ("tcp", Ends::Listener),
        ("tls", Ends::Caller),
        ("tls", Ends::Listener),
    ] {
        let papers = (to_house == "tls").then(Papers::new);
        let secure = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let house = match &papers {
            Some(papers) => {
                // Its own route is called over TLS too, and must prove to be the operator.
                let authority = format!(
                    "[[authorities]]\nname = \"127.0.0.1\"\nfile = \"{}\"\n",
                    papers.authority().display()
                );
                let door = papers.door("tls", secure.port(), "") + &authority;
                let named = "[trunks.loopback]\ndomain = \"127.0.0.1\"";
                let trunk = ("trunks.toml", "[trunks.loopback]", named);
                House::open_with_doors_and(&door, &[trunk])
            }
            None => House::open(),
        };
        let door = if papers.is_some() { secure } else { house.sip };
        let controller = Kamailio::before(door, to_house, papers.as_ref());
        let mut phone =
            Baresip::of(&house.account("adele"), Manner { eager: true, ..Manner::default() });
        let ear = Ear::saying(700.0, Codec::Pcma);
        let mut steps = vec![Step::Invite(Some(ear.sdp())), Step::IsAnswered, Step::Ack(None)];
        steps.extend(match ends {
            Ends::Caller => vec![Step::Waits(secs(12)), Step::HangsUp],
            Ends::Listener => vec![Step::IsHungUpOn],
        });

        let caller = sipp::calls(controller.address, "3977", &steps);

        assert!(
            eventually(secs(14), || ear.tone() == Some(1_100.0)),
            "{to_house}: the caller hears no listener\n{}",
            controller.log()
        );
        if ends == Ends::Listener {
            std::thread::sleep(secs(3));
            phone.hangs_up();
        }
        caller.goes_as_planned_within(secs(12));
        assert!(phone.told_within(secs(3), "CALL_CLOSED", 1).is_some(), "{}", phone.log());
        let heard = phone.heard_tones(0);
        assert!(heard.contains(&Some(700.0)), "{to_house}: the listener hears {heard:?}");
        let relayed = controller.log();
        for method in ["INVITE", "ACK", "BYE"] {
            assert!(
                relayed.contains(&format!("relayed {method}")),
                "{to_house}: {method} went around the controller\n{relayed}"
            );
        }
    }
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Ends {
    Caller,
    Listener,
}

struct Kamailio {
    child: Child,
    folder: PathBuf,
    address: SocketAddr,
}

impl Kamailio {
    /// Takes calls by UDP and passes them on to the house; over TLS, only if it proves who it is.
    fn before(house: SocketAddr, transport: &str, papers: Option<&Papers>) -> Self {
        let folder = folder("kamailio");
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let secure = papers.map_or(String::new(), |papers| {
            let authority = papers.authority();
            let tls = format!(
                "[server:default]\nmethod = TLSv1.2+\nverify_certificate = no\n\
                 require_certificate = no\nprivate_key = {folder}/door.key\n\
                 certificate = {folder}/door.pem\n[client:default]\nmethod = TLSv1.2+\n\
                 verify_certificate = yes\nrequire_certificate = yes\nca_list = {}\n",
                authority.display(),
                folder = authority.parent().unwrap().display(),
            );
            fs::write(folder.join("tls.cfg"), tls).unwrap();
            let own = SocketAddr::from(([127, 0, 0, 1], free_port()));
            let config = folder.join("tls.cfg");
            format!(
                "enable_tls=yes\nlisten=tls:{own}\nloadmodule \"tls.so\"\n\
                 modparam(\"tls\", \"config\", \"{}\")\n",
                config.display()
            )
        });
        fs::write(
            folder.join("kamailio.cfg"),
            CONFIGURATION
                .replace("SECURE\n", &secure)
                .replace("ADDRESS", &address.to_string())
                .replace("HOUSE", &house.to_string())
                .replace("TRANSPORT", transport),
        )
        .unwrap();
        let log = fs::File::create(folder.join("log")).unwrap();
        let child = Command::new("kamailio")
            .args(["-f", "kamailio.cfg", "-DD", "-E", "-e", "-m", "32", "-M", "4", "-w"])
            .arg(&folder)
            .arg("-Y")
            .arg(&folder)
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let kamailio = Self { child, folder, address };
        let is_up = || std::net::UdpSocket::bind(kamailio.address).is_err();
        assert!(eventually(secs(20), is_up), "{}", kamailio.log());
        kamailio
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        // Its main process ends its children only when asked politely.
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        if !eventually(secs(5), || self.child.try_wait().unwrap().is_some()) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

const CONFIGURATION: &str = r#"
debug=2
log_stderror=yes
children=2
tcp_children=2
auto_aliases=no
listen=udp:ADDRESS
listen=tcp:ADDRESS
SECURE
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "xlog.so"
modparam("rr", "enable_full_lr", 1)
modparam("rr", "enable_double_rr", 1)

request_route {
    if (!mf_process_maxfwd_header("10")) {
        sl_send_reply("483", "Too Many Hops");
        exit;
    }
    xlog("L_NOTICE", "relayed $rm\n");
    if (is_method("CANCEL")) {
        if (t_check_trans()) t_relay();
        exit;
    }
    if (has_totag()) {
        if (loose_route()) {
            t_relay();
        } else if (is_method("ACK")) {
            if (t_check_trans()) t_relay();
        } else {
            sl_send_reply("481", "Not Here");
        }
        exit;
    }
    t_check_trans();
    if (is_method("INVITE")) record_route();
    $du = "sip:HOUSE;transport=TRANSPORT";
    if (!t_relay()) sl_reply_error();
}
"#;
