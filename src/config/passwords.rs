//! Listeners' passwords: in a file of their own, which only the house may read.
//!
//! Nothing secret is in the plan's folder, which goes to version control and to colleagues. The
//! house makes a password of 160 random bits for every listener who has none; an operator may write
//! others into the file.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::base::{ListenerName, Mint};
use crate::config::catalogue::What;
use crate::config::report::{Place, Report};
use crate::config::source::Source;

/// Passwords that were made, and where they are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Made {
    pub path: PathBuf,
    /// Those who had none; empty if nothing was written.
    pub listeners: Vec<ListenerName>,
}

/// Reads the file of passwords; a file that isn't there is one without passwords.
pub(super) fn read(path: &Path, report: &mut Report) -> BTreeMap<String, String> {
    let place = Place { file: path.display().to_string(), position: None };
    match fs::metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return BTreeMap::new(),
        Err(e) => {
            report.add(place, What::FileUnreadable { why: e.to_string() });
            return BTreeMap::new();
        }
        Ok(metadata) => {
            let mode = metadata.permissions().mode() & 0o777;
            if mode & others_may(path) != 0 {
                report.add(place, What::PasswordsOpen { mode });
                return BTreeMap::new();
            }
        }
    }
    let Some(source) = Source::read(path, report) else {
        return BTreeMap::new();
    };
    let table: BTreeMap<toml::Spanned<String>, String> = source.table(report).unwrap_or_default();
    for (name, password) in &table {
        // A trunk's was chosen by its operator; a page's is no password but what is left of one.
        let is_ours =
            !["trunk ", "page ", "totp "].iter().any(|kind| name.get_ref().starts_with(kind));
        if is_ours && password.chars().count() < LENGTH_MIN {
            let listener = name.get_ref().clone();
            report.add(source.place(name.span().start), What::PasswordShort { listener });
        }
    }
    table.into_iter().map(|(name, password)| (name.into_inner(), password)).collect()
}

/// The rights that nobody else may have on a file of passwords. Credentials that a service manager
/// hands over show the group as reader where it is the service alone (systemd.exec(5): the mask of
/// an access list, in a folder only the service can enter).
fn others_may(path: &Path) -> u32 {
    let given = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    if given.is_some_and(|folder| path.parent() == Some(&folder)) { 0o037 } else { 0o077 }
}

/// Makes a password for each listener without one and adds it to the file, which is replaced whole.
pub(super) fn make<'a>(
    path: &Path,
    present: &BTreeMap<String, String>,
    listeners: impl IntoIterator<Item = &'a ListenerName>,
    mint: &mut Mint,
) -> io::Result<Made> {
    let wanting = listeners.into_iter().filter(|name| !present.contains_key(name.as_str()));
    let made = Made { path: path.to_owned(), listeners: wanting.cloned().collect() };
    if made.listeners.is_empty() {
        return Ok(made);
    }
    let mut text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => HEAD.to_owned(),
        Err(e) => return Err(e),
    };
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for name in &made.listeners {
        let _ = writeln!(text, "\"{name}\" = \"{}\"", password(mint));
    }
    replace(path, &text)?;
    Ok(made)
}

/// Writes these entries into the file of passwords, each in the place of the one of the same name.
pub(super) fn put(path: &Path, entries: &[(String, String)]) -> io::Result<()> {
    let old = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => HEAD.to_owned(),
        Err(e) => return Err(e),
    };
    let is_replaced = |line: &&str| {
        let key = line.split('=').next().unwrap_or_default().trim();
        entries.iter().any(|(name, _)| key == format!("\"{name}\""))
    };
    let mut text = String::new();
    for line in old.lines().filter(|line| !is_replaced(line)) {
        let _ = writeln!(text, "{line}");
    }
    for (name, value) in entries {
        let _ = writeln!(text, "\"{name}\" = \"{value}\"");
    }
    replace(path, &text)
}

/// The file as a whole, or as it was; its owner's only.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let fresh = path.with_extension("toml.new");
    // A leftover may have another mode; `mode` below holds for new files only.
    match fs::remove_file(&fresh) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        Ok(()) | Err(_) => {}
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&fresh, path)
}

/// Five bits a letter, without letters that look like others.
pub(super) fn password(mint: &mut Mint) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    mint.bytes::<32>().iter().map(|byte| char::from(LETTERS[usize::from(byte & 31)])).collect()
}

/// Shorter ones are found by trying.
const LENGTH_MIN: usize = 12;

const HEAD: &str = "\
# Listeners' passwords, by account. Made by `hotline serve` for those who had none; write another in
# its place if you like (12 characters or more) and reload. Only the house may read this file.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listener_gets_a_password_once() {
        let folder = std::env::temp_dir().join(format!("hotline-passwords-{}", std::process::id()));
        let path = folder.join("state/passwords.toml");
        let mut mint = Mint::from_number(1);
        let names: Vec<ListenerName> =
            ["claire", "bram"].iter().map(|name| name.parse().unwrap()).collect();

        let made = make(&path, &BTreeMap::new(), &names[..1], &mut mint).unwrap();
        assert_eq!(made.listeners, names[..1]);
        let mut report = Report::new();
        let first = read(&path, &mut report);
        assert_eq!(first["claire"].len(), 32);

        let made = make(&path, &first, &names, &mut mint).unwrap();
        assert_eq!(made.listeners, names[1..]);
        let both = read(&path, &mut report);
        assert_eq!(both["claire"], first["claire"]);
        assert_ne!(both["bram"], both["claire"]);
        assert!(report.problems().is_empty(), "{report:?}");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(read(&path, &mut report).is_empty());
        assert_eq!(report.problems()[0].what, What::PasswordsOpen { mode: 0o640 });
        fs::remove_dir_all(folder).unwrap();
    }
}
