//! `hotline`: the telephone exchange behind a national helpline.
//!
//! The house has floors, and a module imports only from floors below its own
//! (`tests/architecture.rs` holds it to that). Below the line nothing touches the world: no socket,
//! no clock, no dice.
//!
//! | floor | modules | |
//! |---|---|---|
//! | 6 | [`cli`] | the door: says what it was asked to do |
//! | 5 | [`service`] | owns tasks, threads, clocks and shutdown |
//! | 4 | [`config`] [`gateway`] [`http`] [`metrics`] [`net`] [`sim`] [`store`] | the world, strangers to each other |
//! | — | | *everything below is pure* |
//! | 3 | [`exchange`] | owns everything alive and sorts the mail |
//! | 2 | [`call`] | one caller's journey |
//! | 1 | [`admission`] [`ivr`] [`media`] [`queue`] [`record`] [`roster`] [`schedule`] [`sip`] | crafts, strangers to each other |
//! | 0 | [`base`] | words every floor shares |

pub mod base;

pub mod admission;
pub mod ivr;
pub mod media;
pub mod queue;
pub mod record;
pub mod roster;
pub mod schedule;
pub mod sip;

pub mod call;

pub mod exchange;

pub mod config;
pub mod gateway;
pub mod http;
pub mod metrics;
pub mod net;
pub mod sim;
pub mod store;

pub mod service;

pub mod cli;
