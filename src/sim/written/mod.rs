//! A whole exchange as bytes, and back: what the property of decisions.md §5 is tried with.
//!
//! JSON can't have a map whose keys are anything but text, and the house's tables are keyed by
//! names with several parts. This form can, and it describes itself, so that every `serde`
//! attribute works. It lives only as long as a run: no version, no promise, no file.
//!
//! A byte says what follows; lists and maps end with a byte of their own; enums are written as JSON
//! would: a variant without data is its name, one with data a map of one entry.

mod reader;
mod writer;

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

const NOTHING: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const UNSIGNED: u8 = 3;
const SIGNED: u8 = 4;
const WIDE: u8 = 5;
const FLOAT: u8 = 6;
const TEXT: u8 = 7;
const BYTES: u8 = 8;
const LIST: u8 = 9;
const MAP: u8 = 10;
const END: u8 = 11;

/// Writes a value down.
pub fn write<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Fault> {
    let mut writer = writer::Writer::default();
    value.serialize(&mut writer)?;
    Ok(writer.into_bytes())
}

/// Reads a value that was written down.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    let mut reader = reader::Reader::new(bytes);
    let value = T::deserialize(&mut reader)?;
    if reader.is_at_end() { Ok(value) } else { Err(Fault("bytes are left over".into())) }
}

/// Why a value can't be written or read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct Fault(String);

impl serde::ser::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

impl serde::de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::net::SocketAddr;
    use std::time::Duration;

    use serde::Deserialize;

    use super::*;
    use crate::base::{CallRef, Mint, StreamRef, Timers};
    use crate::exchange::Command;

    #[derive(Debug, Deserialize, PartialEq, Serialize)]
    enum Stage {
        Gone,
        Talking { since: Duration, with: Option<String> },
        Waiting(Vec<u8>),
        Two(i64, f64),
    }

    #[test]
    fn what_is_written_is_read_again() {
        let stream = StreamRef { call: CallRef(7), index: 1 };
        let stages = BTreeMap::from([
            (stream, vec![Stage::Gone, Stage::Waiting(vec![0, 255])]),
            (
                StreamRef { call: CallRef(8), index: 0 },
                vec![
                    Stage::Talking { since: Duration::from_millis(1), with: None },
                    Stage::Talking { since: Duration::MAX, with: Some("lea".into()) },
                    Stage::Two(-5, 0.25),
                ],
            ),
        ]);
        let addresses: BTreeSet<SocketAddr> =
            ["10.0.0.1:5060".parse().unwrap(), "[2001:db8::1]:5060".parse().unwrap()].into();
        let value = (stages, addresses, u128::MAX, Some('é'), ());

        let bytes = write(&value).unwrap();

        assert_eq!(read(&bytes), Ok(value));
    }

    #[test]
    fn machines_and_tagged_enums_come_back() {
        let mut mint = Mint::from_number(3);
        mint.number();
        let mut timers = Timers::default();
        timers.set((CallRef(1), "ring".to_owned()), crate::base::Moment::START);
        let command = Command::Pause { listener: "lea".parse().unwrap(), reason: None };

        let mut again: Mint = read(&write(&mint).unwrap()).unwrap();
        let timers_again: Timers<(CallRef, String)> = read(&write(&timers).unwrap()).unwrap();

        assert_eq!(again.token(), mint.token());
        assert_eq!(timers_again.next(), timers.next());
        assert_eq!(read(&write(&command).unwrap()), Ok(command));
    }

    #[test]
    fn torn_bytes_are_a_fault_and_not_a_panic() {
        let bytes = write(&vec![("a".to_owned(), Some(1u8)), ("b".to_owned(), None)]).unwrap();
        for end in 0..bytes.len() {
            assert!(read::<Vec<(String, Option<u8>)>>(&bytes[..end]).is_err(), "{end}");
        }
    }
}
