//! The sockets of a media thread: one pair for each stream, RTP and RTCP.
//!
//! All of them hang on one epoll. Every stream has a socket of its own, so there is nothing to batch
//! on the way out; the kernel's 1.2 µs a packet is what there is to pay.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use socket2::{Domain, Protocol, Socket, Type};

use crate::media::engine::{Door, Lane, Sink};

/// The sockets of one media thread.
pub struct Pairs {
    epoll: Epoll,
    address: IpAddr,
    /// By door.
    pairs: Vec<Option<Pair>>,
    events: Vec<EpollEvent>,
    turn: u64,
    pub counted: Counted,
}

/// What passed through these sockets since the beginning.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counted {
    pub received: u64,
    pub sent: u64,
    /// Packets the kernel would not take.
    pub unsent: u64,
}

struct Pair {
    rtp: UdpSocket,
    rtcp: UdpSocket,
    /// The last turn in which something was read.
    read_in: u64,
}

impl Pairs {
    /// `address` is where every port is opened.
    pub fn new(address: IpAddr) -> io::Result<Self> {
        Ok(Self {
            epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?,
            address,
            pairs: Vec::new(),
            events: vec![EpollEvent::empty(); EVENTS_MAX],
            // A socket that was never read was not read just before.
            turn: 2,
            counted: Counted::default(),
        })
    }

    /// Can be read when a packet has arrived.
    pub fn arrival(&self) -> BorrowedFd<'_> {
        self.epoll.0.as_fd()
    }

    /// Hands every packet that has arrived to `hear`.
    ///
    /// A socket normally holds one packet, and asking for a second only to hear that there is none
    /// costs a third of receiving: so one is read, and epoll tells of more in the next turn. A
    /// socket that was read just before is flooded, or catches up: it is emptied, up to a bound.
    pub fn receive(
        &mut self,
        buffer: &mut [u8],
        mut hear: impl FnMut(&mut Self, Door, Lane, SocketAddr, &mut [u8]),
    ) -> io::Result<()> {
        self.turn += 1;
        let ready = match self.epoll.wait(&mut self.events, EpollTimeout::ZERO) {
            Ok(ready) => ready,
            Err(Errno::EINTR) => 0,
            Err(error) => return Err(error.into()),
        };
        let mut left = TURN_MAX;
        for index in 0..ready {
            let (door, lane) = unkey(self.events[index].data());
            let burst = self.burst(door).min(left);
            for _ in 0..burst {
                let Some(socket) = self.socket(door, lane) else { break };
                // A datagram longer than the buffer is cut.
                let Ok((length, source)) = socket.recv_from(buffer) else { break };
                self.counted.received += 1;
                left -= 1;
                hear(self, door, lane, source, &mut buffer[..length]);
            }
        }
        Ok(())
    }

    fn burst(&mut self, door: Door) -> usize {
        let turn = self.turn;
        let Some(pair) = self.pairs.get_mut(door.0 as usize).and_then(Option::as_mut) else {
            return 0;
        };
        let just_before = turn - pair.read_in <= 2;
        pair.read_in = turn;
        if just_before { BURST_MAX } else { 1 }
    }

    /// Shuts every door.
    pub fn clear(&mut self) {
        for door in 0..self.pairs.len() {
            self.shut(Door(door as u32));
        }
    }

    fn socket(&self, door: Door, lane: Lane) -> Option<&UdpSocket> {
        let pair = self.pairs.get(door.0 as usize)?.as_ref()?;
        Some(match lane {
            Lane::Rtp => &pair.rtp,
            Lane::Rtcp => &pair.rtcp,
        })
    }

    fn pair(&self, door: Door, port: u16) -> io::Result<Pair> {
        let second = port.checked_add(1).ok_or(io::ErrorKind::InvalidInput)?;
        let pair = Pair {
            rtp: bound(self.address, port)?,
            rtcp: bound(self.address, second)?,
            read_in: 0,
        };
        for (socket, lane) in [(&pair.rtp, Lane::Rtp), (&pair.rtcp, Lane::Rtcp)] {
            self.epoll.add(socket, EpollEvent::new(EpollFlags::EPOLLIN, key(door, lane)))?;
        }
        Ok(pair)
    }
}

impl Sink for Pairs {
    fn open(&mut self, door: Door, port: u16) -> bool {
        let Ok(pair) = self.pair(door, port) else {
            return false;
        };
        let at = door.0 as usize;
        if self.pairs.len() <= at {
            self.pairs.resize_with(at + 1, || None);
        }
        self.pairs[at] = Some(pair);
        true
    }

    fn shut(&mut self, door: Door) {
        // A closed socket leaves its epoll by itself.
        if let Some(pair) = self.pairs.get_mut(door.0 as usize) {
            *pair = None;
        }
    }

    fn send(&mut self, door: Door, lane: Lane, to: SocketAddr, packet: &[u8]) {
        let sent = self.socket(door, lane).is_some_and(|socket| socket.send_to(packet, to).is_ok());
        if sent {
            self.counted.sent += 1;
        } else {
            self.counted.unsent += 1;
        }
    }
}

fn bound(address: IpAddr, port: u16) -> io::Result<UdpSocket> {
    let at = SocketAddr::new(address, port);
    let socket = Socket::new(Domain::for_address(at), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    // Marked for the fast lane, where there is one (RFC 3246); not every network lets us ask.
    let _ = match address {
        IpAddr::V4(_) => socket.set_tos_v4(EXPEDITED),
        IpAddr::V6(_) => socket.set_tclass_v6(EXPEDITED),
    };
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
    socket.bind(&at.into())?;
    Ok(socket.into())
}

fn key(door: Door, lane: Lane) -> u64 {
    u64::from(door.0) << 1 | u64::from(lane == Lane::Rtcp)
}

fn unkey(key: u64) -> (Door, Lane) {
    (Door((key >> 1) as u32), if key & 1 == 0 { Lane::Rtp } else { Lane::Rtcp })
}

/// Sockets looked at in one turn; those beyond are told of first in the next.
const EVENTS_MAX: usize = 1_024;

/// Packets read from one socket in one turn, at most.
const BURST_MAX: usize = 64;

/// Packets read in one turn, at most: some 3 ms of work, so that a flood doesn't stop the wheel.
const TURN_MAX: usize = 4_096;

/// DSCP 46, in the upper six bits.
const EXPEDITED: u32 = 46 << 2;

/// A second and more of sound; a flood can't take more memory than this per stream.
const RECEIVE_BUFFER: usize = 65_536;
