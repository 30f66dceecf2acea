//! Which handshake datagrams may be looked at (domain.md T-14).
//!
//! The handshake's first half is unprotected: whoever can forge the browser's address can put words
//! into it. `rtc-dtls` trusts such words further than we do: it keeps fragments without a bound,
//! joins them by recursion (a few thousand forged ones end the process), queues what it can't read
//! yet, and lets a plain alert end the handshake. So only what a handshake really needs gets
//! through, in numbers it really needs, and nothing that was heard already: repetitions stop the
//! library's own timer. Alerts and data are not for us: signalling ends calls.

/// What one handshake has used of its allowance.
#[derive(Clone, Copy, Debug, Default)]
pub struct Guard {
    records: u16,
    /// The messages that came whole, a bit each.
    heard: u16,
}

impl Guard {
    /// Whether all of a datagram may be looked at, and is worth it.
    pub fn admits(&mut self, datagram: &[u8]) -> bool {
        let mut news = false;
        if datagram.is_empty() || datagram.len() > DATAGRAM_MAX {
            return false;
        }
        let mut rest = datagram;
        while !rest.is_empty() {
            let Some((record, after)) = Record::read(rest) else { return false };
            let Some(whole) = record.needed().filter(|_| self.records < RECORDS_MAX) else {
                return false;
            };
            self.records += 1;
            // The first hello may have to be answered again; what isn't a whole message may be new.
            news |= whole & !FIRST == 0 || whole & !self.heard != 0;
            self.heard |= whole;
            rest = after;
        }
        news
    }

    /// Whether the other side says its last flight again: ours, which answers it, was lost.
    pub fn admits_repetition(&mut self, datagram: &[u8]) -> bool {
        let mut rest = datagram;
        while let Some((record, after)) = Record::read(rest) {
            if (record.kind, record.epoch) == (HANDSHAKE, 1) {
                return self.admits(datagram);
            }
            rest = after;
        }
        false
    }
}

struct Record<'a> {
    kind: u8,
    epoch: u16,
    body: &'a [u8],
}

impl<'a> Record<'a> {
    fn read(octets: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (head, rest) = octets.split_first_chunk::<RECORD_HEAD>()?;
        let length = usize::from(u16::from_be_bytes([head[11], head[12]]));
        let (body, after) = rest.split_at_checked(length)?;
        let epoch = u16::from_be_bytes([head[3], head[4]]);
        (head[1] == DTLS).then_some((Self { kind: head[0], epoch, body }, after))
    }

    /// If a handshake needs it: the messages that stand in it whole, a bit each.
    fn needed(&self) -> Option<u16> {
        match (self.kind, self.epoch) {
            (CHANGE_CIPHER_SPEC, 0) => (self.body == [1]).then_some(0),
            (HANDSHAKE, 0) => messages(self.body),
            // Finished, which can't be read from outside and is short.
            (HANDSHAKE, 1) => {
                (!self.body.is_empty() && self.body.len() <= FINISHED_MAX).then_some(0)
            }
            _ => None,
        }
    }
}

/// The whole messages, a bit each, if all fragments say the truth about themselves: whole messages,
/// or one fragment at the end.
fn messages(mut body: &[u8]) -> Option<u16> {
    if body.is_empty() {
        return None;
    }
    let mut heard = 0;
    while !body.is_empty() {
        let (head, rest) = body.split_first_chunk::<MESSAGE_HEAD>()?;
        let number = |at: usize| {
            usize::from(head[at]) << 16 | usize::from(head[at + 1]) << 8 | usize::from(head[at + 2])
        };
        let (length, offset, here) = (number(1), number(6), number(9));
        let sequence = u16::from_be_bytes([head[4], head[5]]);
        let (_, after) = rest.split_at_checked(here)?;
        let whole = offset == 0 && here == length;
        let part = here > 0 && offset + here <= length && after.is_empty();
        if length > MESSAGE_MAX || sequence >= MESSAGES_MAX || !(whole || part) {
            return None;
        }
        if whole {
            heard |= 1 << sequence;
        }
        body = after;
    }
    Some(heard)
}

/// The upper octet of every DTLS version before 1.3, and of what 1.3 says at first.
const DTLS: u8 = 0xFE;
const CHANGE_CIPHER_SPEC: u8 = 20;
const HANDSHAKE: u8 = 22;
const RECORD_HEAD: usize = 13;
const MESSAGE_HEAD: usize = 12;

const DATAGRAM_MAX: usize = 2_048;

/// A certificate of RSA with 4096 bits has 1.5 kB; chains are not needed.
const MESSAGE_MAX: usize = 8_192;

/// A client says six. One bit each.
const MESSAGES_MAX: u16 = 16;

/// The bit of the first message.
const FIRST: u16 = 1;

/// 61 with AES-GCM.
const FINISHED_MAX: usize = 128;

/// A handshake has a dozen; each flight may be repeated seven times.
const RECORDS_MAX: u16 = 128;

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, epoch: u16, body: &[u8]) -> Vec<u8> {
        let length = (body.len() as u16).to_be_bytes();
        [&[kind, 0xFE, 0xFD], &epoch.to_be_bytes()[..], &[0; 6], &length, body].concat()
    }

    fn fragment(length: u16, sequence: u16, offset: u16, here: u16, data: &[u8]) -> Vec<u8> {
        let three = |number: u16| [&[0], &number.to_be_bytes()[..]].concat();
        let head = [vec![1], three(length), sequence.to_be_bytes().to_vec(), three(offset)];
        [head.concat(), three(here), data.to_vec()].concat()
    }

    fn admits(datagram: &[u8]) -> bool {
        Guard::default().admits(datagram)
    }

    #[test]
    fn what_a_handshake_is_made_of_gets_through() {
        let hello = record(22, 0, &fragment(5, 0, 0, 5, b"hello"));
        let first = record(22, 0, &fragment(5, 0, 0, 3, b"hel"));
        let last = record(22, 0, &fragment(5, 0, 3, 2, b"lo"));
        let done = record(22, 0, &fragment(0, 4, 0, 0, b""));
        let flight = [hello.clone(), done, record(20, 0, &[1]), record(22, 1, &[9; 61])].concat();
        for good in [hello, first, last, flight] {
            assert!(admits(&good), "{good:?}");
        }
    }

    #[test]
    fn alerts_data_and_lies_do_not() {
        let message = fragment(5, 0, 0, 5, b"hello");
        for bad in [
            vec![],
            vec![22],
            record(21, 0, &[2, 40]),
            record(21, 1, &[7; 26]),
            record(23, 0, b"data"),
            record(23, 1, b"data"),
            record(22, 2, &message),
            record(20, 0, &[]),
            record(20, 0, &[2]),
            record(22, 0, &[]),
            record(22, 0, &message[..11]),
            record(22, 1, &[0; 200]),
            record(22, 0, &fragment(5, 0, 4, 5, b"hello")),
            record(22, 0, &fragment(5, 0, 0, 5, b"hell")),
            record(22, 0, &fragment(9_000, 0, 0, 5, b"hello")),
            record(22, 0, &fragment(5, 400, 0, 5, b"hello")),
            // The one that would be joined by recursion.
            record(22, 0, &[fragment(900, 0, 1, 1, b""), fragment(900, 0, 2, 1, b"")].concat()),
            [record(22, 0, &message), record(21, 0, &[2, 40])].concat(),
            [record(22, 0, &message), vec![0]].concat(),
        ] {
            assert!(!admits(&bad), "{bad:?}");
        }
    }

    #[test]
    fn what_was_heard_is_not_heard_again_but_for_the_first_hello() {
        let message = |sequence| record(22, 0, &fragment(5, sequence, 0, 5, b"hello"));
        let mut guard = Guard::default();
        let admitted = [0, 0, 1, 1, 2].map(|sequence| guard.admits(&message(sequence)));
        assert_eq!(admitted, [true, true, true, false, true]);
        assert!(guard.admits(&[message(2), message(3)].concat()));
        assert!(guard.admits(&[message(3), record(22, 1, &[9; 61])].concat()));
    }

    #[test]
    fn there_is_an_end_to_what_one_handshake_may_say() {
        let mut guard = Guard::default();
        let part = record(22, 0, &fragment(8_000, 0, 7, 1, b"x"));
        let admitted = (0..10_000).filter(|_| guard.admits(&part)).count();
        assert_eq!(admitted, usize::from(RECORDS_MAX));
    }
}
