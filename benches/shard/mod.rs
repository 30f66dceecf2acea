//! One media thread, a plain phone's way to a stream of it, and what the thread has worked so far: for the
//! benches that measure it.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use hotline::base::{CallRef, Mint, StreamRef};
use hotline::media::codec::Codec;
use hotline::media::library::Library;
use hotline::media::{Notice, Order, Road, Sources};
use hotline::service::Clock;
use hotline::service::shards::{Settings, Shards, Tell};

/// The thread, and what its streams say.
pub(crate) fn start(
    clock: Clock,
    codecs: &[Codec],
    library: Library,
) -> (Shards, Receiver<Notice>) {
    let settings = Settings {
        threads: 1,
        listen: [127, 0, 0, 1].into(),
        advertised: [127, 0, 0, 1].into(),
        ports: (20_000, 29_999),
        codecs: codecs.to_vec(),
    };
    let (told, notices) = channel();
    let tell: Tell = Arc::new(move |_, notice| {
        let _ = told.send(notice);
    });
    let mut mint = Mint::from_number(1);
    (Shards::start(&settings, &Arc::new(library), &mut mint, clock, tell).unwrap(), notices)
}

/// A stream for a phone that offers this codec; where it listens.
pub(crate) fn plain(
    shards: &Shards,
    notices: &Receiver<Notice>,
    stream: StreamRef,
    codec: Codec,
    phone: &UdpSocket,
) -> SocketAddr {
    let offer = format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
         m=audio {} RTP/AVP {}\r\n",
        phone.local_addr().unwrap().port(),
        codec.payload_type()
    );
    shards.order(Order::Open { stream, sources: Sources::Anywhere, road: Road::Readable });
    shards.order(Order::Answer { stream, offer: offer.into() });
    shards.order(Order::Proven { stream });
    place(&described(notices))
}

/// The next description.
pub(crate) fn described(notices: &Receiver<Notice>) -> String {
    loop {
        if let Notice::Described { sdp, .. } = notices.recv().unwrap() {
            return String::from_utf8(sdp.to_vec()).unwrap();
        }
    }
}

/// Where a description says that sound is wanted.
pub(crate) fn place(sdp: &str) -> SocketAddr {
    let media = sdp.lines().find_map(|line| line.strip_prefix("m=audio ")).unwrap();
    let port = media.split(' ').next().unwrap().parse().unwrap();
    SocketAddr::new([127, 0, 0, 1].into(), port)
}

pub(crate) fn stream(call: u32, index: u32) -> StreamRef {
    StreamRef { call: CallRef(call.into()), index }
}

/// What the thread has run so far, by the scheduler's clock.
pub(crate) fn cpu() -> Duration {
    fs::read_dir("/proc/self/task")
        .unwrap()
        .filter_map(|task| {
            let task = task.ok()?.path();
            let name = fs::read_to_string(task.join("comm")).ok()?;
            let figures = fs::read_to_string(task.join("schedstat")).ok()?;
            let nanos = figures.split(' ').next()?.parse().ok()?;
            (name.trim() == "media-0").then(|| Duration::from_nanos(nanos))
        })
        .sum()
}
