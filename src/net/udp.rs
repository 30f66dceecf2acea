//! SIP over UDP: one socket to a door.
//!
//! A door is read by whoever serves what comes in ([`read_when_ready`]): a thread between the two
//! would cost more than reading does. What waits in the kernel meanwhile is stamped with the moment
//! it came (`SO_TIMESTAMPNS`), because a call is judged by when it arrived. Sending never waits:
//! what the kernel has no room for is dropped and counted, and SIP repeats it.
//!
//! ICMP errors come back through the error queue (`IP_RECVERR`) and are told as facts, so that a
//! phone whose port is shut is known within a round trip.

#![expect(clippy::wildcard_enum_match_arm, reason = "the wildcards are for nix's enums, not ours")]

use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll, ppoll};
use nix::sys::socket::sockopt::{Ipv4RecvErr, Ipv6RecvErr, ReceiveTimestampns, RxqOvfl};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt};
use nix::sys::time::TimeSpec;
use socket2::{Domain, Protocol, Socket, Type};

use crate::base::{Moment, Now};
use crate::exchange::Input;
use crate::net::{Deliver, Stamp, Taken};
use crate::sip::{Flow, Transport};

/// The largest datagram IPv4 can carry is 65,507 bytes.
const DATAGRAM_MAX: usize = 65_535;

/// Room in the kernel for a burst while the reader is off the processor.
const SOCKET_BUFFER: usize = 4 << 20;

/// Class selector 3: signalling (domain.md §2.2, RFC 4594 §3.3), as a type-of-service byte.
const SIGNALLING: u32 = 24 << 2;

/// How long a datagram sent to oneself may take.
const PROBE_PATIENCE: Duration = Duration::from_millis(200);

/// Datagrams, or errors, read before the others get their turn.
const BATCH: usize = 64;

/// A wait longer than this is a clock that jumped, not a datagram that waited.
const WAIT_BELIEVED: Duration = Duration::from_secs(30);

/// One UDP address where SIP is spoken.
#[derive(Debug)]
pub struct UdpDoor {
    socket: UdpSocket,
    local: SocketAddr,
    dropped: AtomicU64,
    /// What came while the reader was off the processor for longer than the kernel's room lasted.
    overflowed: AtomicU64,
    keep_alives: AtomicU64,
}

impl UdpDoor {
    /// Takes the address.
    pub fn open(listen: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(listen), Type::DGRAM, Some(Protocol::UDP))?;
        if listen.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.bind(&listen.into())?;
        socket.set_nonblocking(true)?;
        // The kernel gives what `net.core.rmem_max` allows; less is no reason not to start.
        let _ = socket.set_recv_buffer_size(SOCKET_BUFFER);
        // It tells twice as much as it counts for the datagrams themselves.
        let room = socket.recv_buffer_size()? / 2;
        if room < SOCKET_BUFFER {
            tracing::info!(
                %listen,
                room,
                "the kernel keeps little for a burst of SIP: raise net.core.rmem_max to {SOCKET_BUFFER} \
                 (deploy/sysctl.conf)"
            );
        }
        let _ = socket.set_send_buffer_size(SOCKET_BUFFER);
        let _ = if listen.is_ipv6() {
            socket.set_tclass_v6(SIGNALLING)
        } else {
            socket.set_tos_v4(SIGNALLING)
        };
        let socket = UdpSocket::from(socket);
        if listen.is_ipv6() {
            setsockopt(&socket, Ipv6RecvErr, &true)?;
        } else {
            setsockopt(&socket, Ipv4RecvErr, &true)?;
        }
        setsockopt(&socket, ReceiveTimestampns, &true)?;
        setsockopt(&socket, RxqOvfl, &1)?;
        let local = socket.local_addr()?;
        Ok(Self {
            socket,
            local,
            dropped: AtomicU64::new(0),
            overflowed: AtomicU64::new(0),
            keep_alives: AtomicU64::new(0),
        })
    }

    /// The address, with the port the kernel chose if none was asked for.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// Datagrams, either way, that the kernel or the house had no room for.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed) + self.overflowed.load(Ordering::Relaxed)
    }

    /// Sends without waiting.
    pub fn send(&self, peer: SocketAddr, bytes: &[u8]) {
        // With IP_RECVERR a send may report the ICMP error of an earlier one; the error queue tells
        // whose it was, so this one is simply tried again.
        for _ in 0..3 {
            match self.socket.send_to(bytes, peer) {
                Ok(_) => return,
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::ConnectionRefused
                            | io::ErrorKind::HostUnreachable
                            | io::ErrorKind::NetworkUnreachable
                            | io::ErrorKind::Interrupted
                    ) => {}
                Err(_) => break,
            }
        }
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

/// Waits until a datagram came to one of the doors, `bell` can be read, or `patience` is over; says
/// that it is `awake`, then reads what came.
pub fn read_when_ready(
    readers: &mut [UdpReader],
    bell: BorrowedFd<'_>,
    patience: Duration,
    awake: impl FnOnce(),
) {
    let doors = readers.iter().map(|reader| Arc::clone(&reader.door)).collect::<Vec<_>>();
    let sockets = doors.iter().map(|door| PollFd::new(door.socket.as_fd(), PollFlags::POLLIN));
    let mut watched =
        std::iter::once(PollFd::new(bell, PollFlags::POLLIN)).chain(sockets).collect::<Vec<_>>();
    // A relative timeout, so that it wakes rightly even when the process was given another clock
    // than its machine's; and an interrupted wait is a short one.
    let ready = ppoll(&mut watched, Some(TimeSpec::from_duration(patience)), None).unwrap_or(0);
    awake();
    if ready == 0 {
        return;
    }
    for (reader, socket) in readers.iter_mut().zip(&watched[1..]) {
        let seen = socket.revents().unwrap_or(PollFlags::empty());
        if seen.contains(PollFlags::POLLERR) {
            reader.read_errors();
        }
        if !seen.is_empty() {
            reader.read_datagrams();
        }
    }
}

/// What reads a door.
pub struct UdpReader {
    door: Arc<UdpDoor>,
    stamp: Stamp,
    deliver: Deliver,
    buffer: Box<[u8]>,
    /// How far our wall clock is ahead of the kernel's; none: the kernel's stamps are not used.
    clock_offset: Option<chrono::TimeDelta>,
}

impl UdpReader {
    /// One for each door: what comes is stamped and delivered.
    pub fn new(door: Arc<UdpDoor>, stamp: &Stamp, deliver: &Deliver) -> Self {
        let clock_offset = kernel_clock_offset(stamp).unwrap_or_else(|error| {
            tracing::warn!(%error, "datagrams are stamped when read, not when they came");
            None
        });
        Self {
            door,
            stamp: Arc::clone(stamp),
            deliver: Arc::clone(deliver),
            buffer: vec![0; DATAGRAM_MAX].into_boxed_slice(),
            clock_offset,
        }
    }

    fn read_datagrams(&mut self) {
        let mut control = nix::cmsg_space!(TimeSpec, u32);
        for _ in 0..BATCH {
            let mut slices = [IoSliceMut::new(&mut self.buffer)];
            let message = recvmsg::<SockaddrStorage>(
                self.door.socket.as_raw_fd(),
                &mut slices,
                Some(&mut control),
                MsgFlags::MSG_DONTWAIT,
            );
            // An error here is either "no more" or the echo of one in the error queue.
            let Ok(message) = message else {
                return;
            };
            let Some(peer) = message.address.as_ref().and_then(socket_address) else {
                continue;
            };
            let mut came = None;
            for told in message.cmsgs().into_iter().flatten() {
                match told {
                    ControlMessageOwned::ScmTimestampns(time) => came = Some(time),
                    // Counted since the socket was opened.
                    ControlMessageOwned::RxqOvfl(lost) => {
                        self.door.overflowed.store(lost.into(), Ordering::Relaxed);
                    }
                    _ => {}
                }
            }
            let length = message.bytes;
            let bytes = &self.buffer[..length];
            if is_keep_alive(bytes) {
                self.door.keep_alives.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            let flow =
                Flow { transport: Transport::Udp, local: self.door.local, peer, connection: 0 };
            let at = self.arrival((self.stamp)(), came);
            match (self.deliver)(at, Input::Received { flow, bytes: Bytes::copy_from_slice(bytes) })
            {
                Taken::Yes => {}
                // The sender repeats it.
                Taken::Full => {
                    self.door.dropped.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }

    fn read_errors(&mut self) {
        let mut control = nix::cmsg_space!([u8; 64], [u8; 64]);
        for _ in 0..BATCH {
            // The datagram that failed comes back too; its beginning is enough to throw away.
            let mut slices = [IoSliceMut::new(&mut self.buffer[..64])];
            let message = recvmsg::<SockaddrStorage>(
                self.door.socket.as_raw_fd(),
                &mut slices,
                Some(&mut control),
                MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT,
            );
            let Ok(message) = message else {
                return;
            };
            let is_unreachable = message.cmsgs().is_ok_and(|mut controls| {
                controls.any(|control| match control {
                    ControlMessageOwned::Ipv4RecvErr(error, _)
                    | ControlMessageOwned::Ipv6RecvErr(error, _) => {
                        means_unreachable(error.ee_errno)
                    }
                    _ => false,
                })
            });
            // The address is where the failed datagram was going.
            let peer = message.address.as_ref().and_then(socket_address);
            if let (true, Some(peer)) = (is_unreachable, peer) {
                let fact = Input::Unreachable { local: self.door.local, peer };
                let _ = (self.deliver)((self.stamp)(), fact);
            }
        }
    }

    /// When a datagram came, by the kernel's stamp.
    fn arrival(&self, now: Now, came: Option<TimeSpec>) -> Now {
        let waited = self.clock_offset.zip(came.and_then(wall_time)).and_then(|(offset, came)| {
            (now.wall - came - offset).to_std().ok().filter(|waited| *waited < WAIT_BELIEVED)
        });
        let waited = waited.unwrap_or_default();
        Now {
            steady: Moment::START + now.steady.since_start().saturating_sub(waited),
            wall: now.wall - waited,
        }
    }
}

/// Empty, or nothing but line ends: a phone keeping its NAT open (RFC 5626 §3.5 asks for an answer
/// on streams only).
fn is_keep_alive(bytes: &[u8]) -> bool {
    bytes.len() <= 8 && bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n' | 0))
}

fn means_unreachable(errno: u32) -> bool {
    let Ok(errno) = i32::try_from(errno) else {
        return false;
    };
    matches!(
        nix::errno::Errno::from_raw(errno),
        nix::errno::Errno::ECONNREFUSED
            | nix::errno::Errno::EHOSTUNREACH
            | nix::errno::Errno::ENETUNREACH
            | nix::errno::Errno::EHOSTDOWN
            | nix::errno::Errno::EACCES
    )
}

fn socket_address(address: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(v4) = address.as_sockaddr_in() {
        return Some(SocketAddr::V4((*v4).into()));
    }
    address.as_sockaddr_in6().map(|v6| SocketAddr::V6((*v6).into()))
}

fn wall_time(time: TimeSpec) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(time.tv_sec(), u32::try_from(time.tv_nsec()).ok()?)
}

/// How far our wall clock is ahead of the one the kernel stamps with.
///
/// Nothing, unless this process was given another time than its machine's (libfaketime does that);
/// then the stamps mean nothing until the difference is taken away.
fn kernel_clock_offset(stamp: &Stamp) -> io::Result<Option<chrono::TimeDelta>> {
    let probe = UdpSocket::bind(("127.0.0.1", 0))?;
    setsockopt(&probe, ReceiveTimestampns, &true)?;
    probe.send_to(b"?", probe.local_addr()?)?;
    let mut watched = [PollFd::new(probe.as_fd(), PollFlags::POLLIN)];
    poll(&mut watched, PollTimeout::try_from(PROBE_PATIENCE).unwrap_or(PollTimeout::MAX))?;
    let mut buffer = [0; 8];
    let mut control = nix::cmsg_space!(TimeSpec);
    let mut slices = [IoSliceMut::new(&mut buffer)];
    let message = recvmsg::<SockaddrStorage>(
        probe.as_raw_fd(),
        &mut slices,
        Some(&mut control),
        MsgFlags::MSG_DONTWAIT,
    )?;
    let now = stamp().wall;
    let came = message.cmsgs()?.find_map(|control| match control {
        ControlMessageOwned::ScmTimestampns(time) => wall_time(time),
        _ => None,
    });
    let second = chrono::TimeDelta::seconds(1);
    Ok(came
        .map(|came| now - came)
        .map(|ahead| if ahead.abs() < second { chrono::TimeDelta::zero() } else { ahead }))
}
