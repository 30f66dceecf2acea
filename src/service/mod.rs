//! The house around the exchange: threads, clocks, the one loop, start and stop.

mod carrier;
mod clock;
mod inbox;
mod pulse;
pub mod shards;

pub use carrier::{Carrier, Ending, World};
pub use clock::Clock;
pub use inbox::{Inbox, Letter, TurnedAway};
pub use pulse::{Pulse, Vitals};
pub use shards::Shards;
