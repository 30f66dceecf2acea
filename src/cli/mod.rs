//! The command line: reads what is asked, lets others do it, and turns the outcome into words and an
//! exit code (0: done; 1: not done, and stderr says why; 2: not understood).
//!
//! Data goes to stdout, talk to stderr.

pub mod check;
pub mod explain;
mod orders;
mod password;
mod serve;
mod telemetry;

use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::Language;
use crate::service::Clock;
use crate::service::control::Request;

/// The telephone exchange behind a helpline: answers callers, keeps the hours, makes them wait in
/// order, rings listeners' phones and joins the two.
///
/// Without a verb it serves the plan in `config`.
#[derive(Debug, Parser)]
#[command(name = "hotline", version, max_term_width = 100)]
struct Arguments {
    /// The language of what is printed; without it, the plan's.
    #[arg(long, global = true, value_name = "LANGUAGE")]
    lang: Option<Tongue>,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Tongue {
    En,
    Fr,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Opens the line: answers calls until it is told to stop.
    ///
    /// Ctrl-C or SIGTERM lets calls run to their end and then stops; a second one stops at once.
    /// SIGHUP reloads the plan. Every address, port and folder is in `hotline.toml`; any setting can
    /// also come from the environment (`HOTLINE__HTTP=127.0.0.1:9090`), so that several can run side
    /// by side.
    Serve(Plan),
    /// Reads a plan and says everything that is wrong with it, or what it means in the coming weeks.
    Check(check::CheckArgs),
    /// Says whether a line is open at an instant, which rule decides, until when, and word for word
    /// what a caller would hear.
    Explain(explain::ExplainArgs),
    /// Makes a running house read its plan again; calls in progress keep the old one.
    ///
    /// Prints what changes. With any mistake in the files nothing changes and the mistakes are
    /// printed.
    Reload {
        /// Do it even if that closes an open line this minute.
        #[arg(long)]
        close_now: bool,
        #[command(flatten)]
        plan: Plan,
    },
    /// Closes a line, or all, until then: new callers hear that it is closed, those waiting are told
    /// within a minute, conversations go on.
    Close {
        /// When it opens again by itself: `17h`, `17h30`, `2026-12-24 17h`.
        #[arg(long, value_name = "TIME")]
        until: String,
        /// One line only.
        #[arg(long)]
        line: Option<String>,
        /// A recording of the plan, said to callers besides the usual words.
        #[arg(long, value_name = "RECORDING")]
        message: Option<String>,
        #[command(flatten)]
        plan: Plan,
    },
    /// Keeps a line, or all, open until then, whatever the calendar says.
    Open {
        /// Until when: `22h`, `22h30`, `2026-12-24 17h`.
        #[arg(long, value_name = "TIME")]
        until: String,
        /// One line only.
        #[arg(long)]
        line: Option<String>,
        #[command(flatten)]
        plan: Plan,
    },
    /// Takes back `close` and `open`: the calendar decides again.
    Automatic {
        /// One line only.
        #[arg(long)]
        line: Option<String>,
        #[command(flatten)]
        plan: Plan,
    },
    /// Pauses a listener: their phones don't ring until they come back.
    Pause {
        /// The account.
        listener: String,
        #[command(flatten)]
        plan: Plan,
    },
    /// Ends a listener's pause.
    ComeBack {
        /// The account.
        listener: String,
        #[command(flatten)]
        plan: Plan,
    },
    /// Makes a password for somebody who signs in at the page, and prints it once.
    ///
    /// What is kept of it, in the file of passwords, can't be turned back. A running house takes it at the
    /// next `hotline reload`.
    Password {
        /// The account, as in `people.toml` or `listeners.toml`.
        name: String,
        /// Signing in asks for a code of an app too; prints what the app takes.
        #[arg(long)]
        totp: bool,
        #[command(flatten)]
        plan: Plan,
    },
    /// Prints the description of the page's API (OpenAPI 3.1).
    Openapi,
    /// Says how a running house is doing.
    Status(Plan),
}

#[derive(Args, Debug)]
struct Plan {
    /// The folder of the plan (`hotline.toml`, `lines.toml`, …).
    #[arg(default_value = "config")]
    folder: PathBuf,
}

/// Does what the command line says.
pub fn run() -> ExitCode {
    let Arguments { lang, verb } = Arguments::parse();
    let language = lang.map(|tongue| match tongue {
        Tongue::En => Language::English,
        Tongue::Fr => Language::French,
    });
    match verb.unwrap_or_else(|| Verb::Serve(Plan { folder: "config".into() })) {
        Verb::Serve(Plan { folder }) => serve::run(&folder, language),
        Verb::Check(args) => check::run(&args, language, Clock::start().now().wall),
        Verb::Explain(args) => explain::run(&args, language, Clock::start().now().wall),
        Verb::Reload { close_now, plan } => {
            orders::give(&plan.folder, &Request::Reload { close_now })
        }
        Verb::Close { until, line, message, plan } => {
            orders::give(&plan.folder, &Request::Close { line, until, message })
        }
        Verb::Open { until, line, plan } => {
            orders::give(&plan.folder, &Request::Open { line, until })
        }
        Verb::Automatic { line, plan } => orders::give(&plan.folder, &Request::Automatic { line }),
        Verb::Pause { listener, plan } => orders::give(&plan.folder, &Request::Pause { listener }),
        Verb::ComeBack { listener, plan } => {
            orders::give(&plan.folder, &Request::ComeBack { listener })
        }
        Verb::Password { name, totp, plan } => password::make(&plan.folder, &name, totp),
        Verb::Openapi => {
            print(format_args!("{:#}\n", crate::http::desk::description()));
            ExitCode::SUCCESS
        }
        Verb::Status(Plan { folder }) => orders::give(&folder, &Request::Status),
    }
}

/// Writes data. A reader who left (`| head`) is no fault.
fn print(text: impl Display) {
    let _ = write!(io::stdout(), "{text}");
    let _ = io::stdout().flush();
}

/// Says why something was not done.
fn complain(text: impl Display) {
    let _ = writeln!(io::stderr(), "{text}");
}
