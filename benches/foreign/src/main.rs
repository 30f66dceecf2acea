//! Listeners in browsers that are none of ours: the async peer connections of the crate `webrtc`, each
//! registered over SIP in a WebSocket (RFC 7118).
//!
//! `hotline-foreign URL ORIGIN pcma|opus`. It reads a line `name password` for each listener and an empty
//! one, registers them all and says `registered`; every call that comes is answered. Then `forget` begins
//! to count anew, and `tell` is answered by `legs packets lost`. It ends with its input.
//!
//! For `benches/browsers.py`.

mod leg;
mod listener;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin, stdin};
use tokio::time::{MissedTickBehavior, interval};

use leg::{Legs, Voice};

type Fault = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [url, origin, codec] = words.as_slice() else {
        return Err("usage: hotline-foreign URL ORIGIN pcma|opus".into());
    };
    let legs = Arc::new(Legs::new(Voice::of(codec)?));
    tokio::spawn(speak(Arc::clone(&legs)));

    let mut input = BufReader::new(stdin()).lines();
    while let Some(line) = input.next_line().await?.filter(|line| !line.is_empty()) {
        let (name, password) = line.split_once(' ').ok_or("a line is `name password`")?;
        listener::registers(url, origin, name, password, Arc::clone(&legs)).await?;
    }
    println!("registered");
    obey(&mut input, &legs).await
}

async fn obey(input: &mut Lines<BufReader<Stdin>>, legs: &Legs) -> Result<(), Fault> {
    while let Some(wish) = input.next_line().await? {
        match wish.as_str() {
            "forget" => legs.forget(),
            "tell" => println!("{}", legs.told()),
            _ => return Err(format!("no such wish: {wish}").into()),
        }
    }
    Ok(())
}

/// Everybody says 20 ms of sound every 20 ms.
async fn speak(legs: Arc<Legs>) {
    let mut clock = interval(Duration::from_millis(20));
    clock.set_missed_tick_behavior(MissedTickBehavior::Burst);
    loop {
        clock.tick().await;
        legs.say().await;
    }
}
