//! What the operator wrote, read and judged.

mod house;

pub use house::{
    ConnectionSettings, DoorSettings, House, Language, LogFormat, LogSettings, MediaSettings,
};
