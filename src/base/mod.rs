//! Words every floor shares: time, chance, names and numbers.
//!
//! Nothing here knows what a telephone call is. A type comes down to this floor when two strangers
//! on floor 1 both need it.

mod address_range;
mod caller_number;
mod hexadecimal;
mod mint;
mod moment;
mod names;
mod now;
mod number;
mod sdp;
mod spoken_time;
mod text;
mod timers;

pub use address_range::{AddressRange, NotARange};
pub use caller_number::{CallerNumber, Territory};
pub use hexadecimal::in_hexadecimal;
pub use mint::Mint;
pub use moment::Moment;
pub use names::{
    CallRef, CentreName, LineName, ListenerName, NotAName, PromptName, QueueName, StreamRef,
    TrunkName,
};
pub use now::Now;
pub use number::{NotANumber, PhoneNumber};
pub use sdp::Sdp;
pub use spoken_time::SpokenTime;
pub use text::Text;
pub use timers::Timers;
