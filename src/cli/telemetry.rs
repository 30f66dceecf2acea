//! Where log lines go: to stderr, for people or as JSON.

use std::io::{self, IsTerminal};
use std::panic;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::{self, format};

use crate::config::{LogFormat, LogSettings};

/// Begins to log. `RUST_LOG`, where set, wins over the settings.
pub(super) fn start(settings: &LogSettings) {
    let filter = EnvFilter::try_from_default_env()
        .or_else(|_| EnvFilter::try_new(&settings.level))
        .unwrap_or_else(|_| EnvFilter::new("info"));
    let started = match settings.format {
        LogFormat::Human => fmt::fmt()
            .fmt_fields(for_people())
            .with_env_filter(filter)
            .with_writer(io::stderr)
            .with_ansi(io::stderr().is_terminal())
            .with_target(false)
            .try_init(),
        LogFormat::Json => {
            fmt::fmt().with_env_filter(filter).with_writer(io::stderr).json().try_init()
        }
    };
    if started.is_ok() {
        log_panics();
    }
}

/// A sentence and what belongs to it: `a call arrived call=c6 line=3977`. What `service` hands on in
/// `fields` has its names in it.
fn for_people() -> impl for<'a> fmt::FormatFields<'a> + Send + Sync + 'static {
    let one = format::debug_fn(|writer, field, value| match field.name() {
        "message" | "fields" => write!(writer, "{value:?}"),
        name => write!(writer, "{name}={value:?}"),
    });
    one.delimited(" ")
}

/// Panics become log lines: where, and what if the words are fixed ones. Words made at run time may
/// hold what a caller sent, so they stay out.
fn log_panics() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let words =
            panic.payload().downcast_ref::<&'static str>().copied().unwrap_or("(not shown)");
        tracing::error!(place, words, "a part of the house broke");
    }));
}
