//! Verbs that are carried out by a running house.

use std::path::Path;
use std::process::ExitCode;

use crate::cli::{complain, print};
use crate::config;
use crate::service::control::{self, Request};

/// Asks the house that serves this folder, and prints what it says.
pub(super) fn give(folder: &Path, request: &Request) -> ExitCode {
    let house = config::house_of(folder);
    match control::ask(&house.state, request) {
        Ok(answer) if answer.done => {
            print(format_args!("{}\n", answer.text.trim_end()));
            ExitCode::SUCCESS
        }
        Ok(answer) => {
            complain(answer.text.trim_end());
            ExitCode::FAILURE
        }
        Err(why) => {
            complain(why);
            ExitCode::FAILURE
        }
    }
}
