//! `hotline serve`: opens the house and says what to do next.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use crate::cli::{complain, print, telemetry};
use crate::config::{Language, Made};
use crate::exchange::Code;
use crate::service::{self, Clock, Ending, Origin, Welcome};
use crate::sip::{Door, Transport};

/// Accounts named in the welcome; the rest are counted.
const ACCOUNTS_NAMED: usize = 3;

/// Serves until told to stop.
pub(super) fn run(folder: &Path, language: Option<Language>) -> ExitCode {
    match try_run(folder, language) {
        Ok(Ending::Quiet | Ending::Halted) => ExitCode::SUCCESS,
        Ok(Ending::Broken) => {
            complain("the house broke too often to go on; its log says where");
            ExitCode::FAILURE
        }
        Err(why) => {
            complain(format_args!("{why:#}"));
            ExitCode::FAILURE
        }
    }
}

fn try_run(folder: &Path, language: Option<Language>) -> anyhow::Result<Ending> {
    let clock = Clock::start();
    let mut mint = service::mint()?;
    let mut boot = service::boot(folder, &clock, &mut mint);
    if let Some(language) = language {
        boot.house.language = language;
    }
    telemetry::start(&boot.house.log);
    if !boot.notices.is_empty() {
        complain(boot.notices.trim_end());
    }
    if let Some(why) = boot.origin.why() {
        complain(why.trim_end());
    }
    if let Some(alarm) = boot.origin.alarm() {
        tracing::error!("{alarm}");
    }
    let is_safe_plan = matches!(boot.origin, Origin::Safe { .. });
    let passwords = boot.passwords.take();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(service::run(folder, boot, clock, mint, |welcome| {
        print(words(welcome, passwords.as_ref(), is_safe_plan));
    }))
}

/// What to do next.
fn words(welcome: &Welcome<'_>, passwords: Option<&Made>, is_safe_plan: bool) -> String {
    let Welcome { plan, house, http, page, .. } = welcome;
    let say = |french: &'static str, english: &'static str| match house.language {
        Language::French => french,
        Language::English => english,
    };
    let mut text = String::new();
    let mut line = |words: std::fmt::Arguments<'_>| {
        text.write_fmt(words)
            .and_then(|()| text.write_char('\n'))
            .expect("a string takes any text");
    };
    if is_safe_plan {
        line(format_args!(
            "{}",
            say(
                "AUCUN PLAN UTILISABLE : chaque appelant entend que la ligne est fermée.",
                "NO PLAN CAN BE USED: every caller hears that the line is closed.",
            )
        ));
    }
    let door = plan.sip.doors.first();
    let place = door.map(address).unwrap_or_default();
    line(format_args!("{}", say("Numéros à composer :", "Numbers to dial:")));
    for number in plan.numbers.keys() {
        line(format_args!("  sip:{number}@{place}"));
    }
    let transports = plan.sip.doors.iter().map(|door| {
        let port = door.local.port();
        format!("{} {port}", door.transport.token())
    });
    line(format_args!("  ({})", transports.collect::<Vec<_>>().join(", ")));
    if let Some(passwords) = passwords
        && !plan.listeners.is_empty()
    {
        line(format_args!(
            "{}",
            say(
                "Pour répondre, enregistrez un téléphone SIP :",
                "To answer, register a SIP phone:",
            )
        ));
        line(format_args!("  {:<15} {place}", say("domaine", "domain")));
        let named =
            plan.listeners.keys().take(ACCOUNTS_NAMED).map(ToString::to_string).collect::<Vec<_>>();
        let more = plan.listeners.len() - named.len();
        let and = if more == 0 { String::new() } else { format!(" … (+{more})") };
        line(format_args!("  {:<15} {}{and}", say("compte", "account"), named.join(", ")));
        line(format_args!(
            "  {:<15} {}",
            say("mot de passe", "password"),
            // Wherever they stand when they read this.
            passwords.path.canonicalize().unwrap_or_else(|_| passwords.path.clone()).display()
        ));
        for (code, does) in &plan.codes {
            line(format_args!(
                "  {code:<15} {}",
                match does {
                    Code::Pause => say("pause", "pause"),
                    Code::ComeBack => say("retour", "come back"),
                    Code::EndAfterCallWork => say("fin des notes", "end of notes"),
                }
            ));
        }
    }
    if let Some(page) = page {
        line(format_args!(
            "{}",
            say("Page des écoutants et des responsables :", "Page of listeners and managers:")
        ));
        line(format_args!("  {page}/"));
    }
    line(format_args!("{}", say("Tableau, santé, mesures :", "Board, health, metrics:")));
    for page in ["", "healthz", "readyz", "metrics"] {
        line(format_args!("  http://{http}/{page}"));
    }
    line(format_args!(
        "{}",
        say(
            "Ctrl-C : s’arrête quand les appels sont finis ; deux fois : tout de suite.",
            "Ctrl-C stops when calls have ended; twice, at once.",
        )
    ));
    text
}

/// Where a phone finds a door, as written in a SIP address.
fn address(door: &Door) -> String {
    let host = match door.advertised {
        std::net::IpAddr::V4(v4) => v4.to_string(),
        std::net::IpAddr::V6(v6) => format!("[{v6}]"),
    };
    let transport = match door.transport {
        Transport::Udp => "",
        Transport::Tcp => ";transport=tcp",
        Transport::Tls => ";transport=tls",
        Transport::Ws => ";transport=ws",
        Transport::Wss => ";transport=wss",
    };
    format!("{host}:{}{transport}", door.local.port())
}
