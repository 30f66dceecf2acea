//! The door: see `hotline --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    hotline::cli::run()
}
