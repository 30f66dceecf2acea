//! `hotline password`: a password for the page, printed once.

use std::path::Path;
use std::process::ExitCode;

use crate::base::ListenerName;
use crate::cli::{complain, print};
use crate::config;
use crate::http::desk::proof;
use crate::service;

pub(super) fn make(folder: &Path, name: &str, totp: bool) -> ExitCode {
    match made(folder, name, totp) {
        Ok(text) => {
            print(text);
            ExitCode::SUCCESS
        }
        Err(why) => {
            complain(why);
            ExitCode::FAILURE
        }
    }
}

fn made(folder: &Path, name: &str, totp: bool) -> Result<String, String> {
    let name: ListenerName = name.parse().map_err(|why| format!("`{name}`: {why}"))?;
    let mut mint = service::mint().map_err(|fault| fault.to_string())?;
    let password = config::fresh_password(&mut mint);
    let mut entries = vec![(format!("page {name}"), proof::kept(&password)?)];
    let mut text = format!("{password}\n");
    if totp {
        let secret = proof::in_base32(&mint.bytes::<20>());
        text.push_str(&format!("otpauth://totp/hotline:{name}?secret={secret}&issuer=hotline\n"));
        entries.push((format!("totp {name}"), secret));
    }
    let path = config::put_passwords(folder, &entries)
        .map_err(|fault| format!("the file of passwords can't be written: {fault}"))?;
    complain(format_args!("kept in {}; `hotline reload` makes it known", path.display()));
    Ok(text)
}
