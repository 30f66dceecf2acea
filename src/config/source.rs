//! A file as the operator's editor left it.
//!
//! Editors leave marks: a byte order mark, line ends of Windows, or an encoding of long ago. The
//! first two are read as if they weren't there; the third is named, with the line it is first seen.

use std::io::Read;
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::config::catalogue::What;
use crate::config::report::{Place, Report};

/// The text of one file, and its name as the operator knows it.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) name: String,
    pub(super) text: String,
}

impl Source {
    /// Reads a file; what stands in the way goes to the report.
    pub(super) fn read(path: &Path, report: &mut Report) -> Option<Self> {
        let name = path.display().to_string();
        let place = Place { file: name.clone(), position: None };
        let mut bytes = Vec::new();
        let opened = std::fs::File::open(path);
        // One byte more than allowed tells a file that is too long from one that just fits.
        let taken = opened.and_then(|f| f.take(FILE_MAX as u64 + 1).read_to_end(&mut bytes));
        match taken {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                report.add(place, What::FileMissing);
                return None;
            }
            Err(e) => {
                report.add(place, What::FileUnreadable { why: e.to_string() });
                return None;
            }
            Ok(_) if bytes.len() > FILE_MAX => {
                report.add(place, What::FileTooLong { max: FILE_MAX });
                return None;
            }
            Ok(_) => {}
        }
        Self::from_bytes(name, &bytes, report)
    }

    /// Takes the bytes of a file for text.
    pub(super) fn from_bytes(name: String, bytes: &[u8], report: &mut Report) -> Option<Self> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        match std::str::from_utf8(bytes) {
            Ok(text) => Some(Self { name, text: text.to_owned() }),
            Err(e) => {
                let before = &bytes[..e.valid_up_to()];
                let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
                let last = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
                let column = String::from_utf8_lossy(last).chars().count() + 1;
                let utf16 = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
                let place = Place { file: name, position: Some((line, column)) };
                report.add(place, What::NotUtf8 { utf16 });
                None
            }
        }
    }

    /// Reads the text as a table; a wrong shape goes to the report.
    pub(super) fn table<T: DeserializeOwned>(&self, report: &mut Report) -> Option<T> {
        match toml::from_str(&self.text) {
            Ok(table) => Some(table),
            Err(e) => {
                let place = match e.span() {
                    Some(span) => self.place(span.start),
                    None => Place { file: self.name.clone(), position: None },
                };
                report.add(place, What::Shape { message: e.message().to_owned() });
                None
            }
        }
    }

    /// The line and column of a byte.
    pub(super) fn place(&self, at: usize) -> Place {
        let mut at = at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        let before = &self.text[..at];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Place { file: self.name.clone(), position: Some((line, column)) }
    }
}

/// More than any plan a person could keep in mind; a wrong path to something huge stops here.
const FILE_MAX: usize = 4 << 20;
