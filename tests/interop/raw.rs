//! SIP written by hand over UDP: phones that misbehave on purpose.
//!
//! Digest is computed here from RFC 7616 alone, so that the house's own is not judged by itself.

use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::time::Duration;

use md5::Md5;
use sha2::{Digest, Sha256};

use crate::house::{Account, free_port};
use crate::secs;

/// A phone that registers and then does only what it is told; rung, it keeps silent.
pub(crate) struct Raw {
    socket: UdpSocket,
    account: Account,
    port: u16,
    sequence: u32,
}

/// An answer, taken apart as far as tests look.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) text: String,
}

/// A challenge of RFC 7616.
#[derive(Clone, Debug)]
pub(crate) struct Challenge {
    pub(crate) algorithm: String,
    pub(crate) words: BTreeMap<String, String>,
}

impl Raw {
    pub(crate) fn of(account: &Account) -> Self {
        let port = free_port();
        let socket = UdpSocket::bind(("127.0.0.1", port)).unwrap();
        Self { socket, account: account.clone(), port, sequence: 0 }
    }

    /// Registers with the algorithm of this name.
    pub(crate) fn registers(&mut self, algorithm: &str) -> Response {
        let challenge = self.is_challenged(algorithm);
        self.registers_with(&challenge, 1)
    }

    /// Sends a REGISTER without credentials and returns the challenge of this algorithm.
    pub(crate) fn is_challenged(&mut self, algorithm: &str) -> Challenge {
        let challenges = self.challenges();
        let found = challenges.iter().find(|challenge| challenge.algorithm == algorithm);
        found.unwrap_or_else(|| panic!("no {algorithm} in {challenges:?}")).clone()
    }

    /// Every challenge a REGISTER without credentials gets, in order.
    pub(crate) fn challenges(&mut self) -> Vec<Challenge> {
        let refusal = self.asks("");
        assert_eq!(refusal.status, 401, "{}", refusal.text);
        refusal
            .text
            .lines()
            .filter_map(|line| line.strip_prefix("WWW-Authenticate: Digest "))
            .map(|line| {
                let words: BTreeMap<String, String> = line
                    .split(',')
                    .filter_map(|word| word.trim().split_once('='))
                    .map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()))
                    .collect();
                let algorithm = words.get("algorithm").map_or("MD5", String::as_str).to_owned();
                Challenge { algorithm, words }
            })
            .collect()
    }

    /// Answers a challenge, the `count`th time with its nonce.
    pub(crate) fn registers_with(&mut self, challenge: &Challenge, count: u32) -> Response {
        let uri = format!("sip:{}", self.account.house);
        let word = |name: &str| challenge.words.get(name).map_or("", String::as_str);
        let hash = |text: String| match challenge.algorithm.as_str() {
            "SHA-256" => hexadecimal(&Sha256::digest(text)),
            _ => hexadecimal(&Md5::digest(text)),
        };
        let (name, realm, nonce) = (&self.account.name, word("realm"), word("nonce"));
        let secret = hash(format!("{name}:{realm}:{}", self.account.password));
        let request = hash(format!("REGISTER:{uri}"));
        let response = hash(format!("{secret}:{nonce}:{count:08x}:c0ffee:auth:{request}"));
        let opaque = challenge.words.get("opaque").map(|opaque| format!(", opaque=\"{opaque}\""));
        self.asks(&format!(
            "Authorization: Digest username=\"{name}\", realm=\"{realm}\", nonce=\"{nonce}\", \
             uri=\"{uri}\", response=\"{response}\", algorithm={}, qop=auth, nc={count:08x}, \
             cnonce=\"c0ffee\"{}\r\n",
            challenge.algorithm,
            opaque.unwrap_or_default()
        ))
    }

    /// The next datagram with this word in it.
    pub(crate) fn hears_within(&self, patience: Duration, word: &str) -> Option<String> {
        let until = std::time::Instant::now() + patience;
        let mut datagram = [0; 65_535];
        loop {
            let left = until.checked_duration_since(std::time::Instant::now())?;
            self.socket.set_read_timeout(Some(left.max(crate::millis(1)))).unwrap();
            let Ok((length, _)) = self.socket.recv_from(&mut datagram) else {
                continue;
            };
            let text = String::from_utf8_lossy(&datagram[..length]);
            if text.contains(word) {
                return Some(text.into_owned());
            }
        }
    }

    /// Answers a request with 200, and a description if it is an INVITE.
    pub(crate) fn agrees(&self, request: &str, sdp: &str) {
        let kept = ["via:", "from:", "call-id:", "cseq:", "record-route:"];
        let lines = request.split("\r\n\r\n").next().unwrap().split("\r\n");
        let mut answer = String::from("SIP/2.0 200 OK\r\n");
        for line in lines {
            let lower = line.to_ascii_lowercase();
            if kept.iter().any(|name| lower.starts_with(name)) {
                answer.push_str(&format!("{line}\r\n"));
            } else if lower.starts_with("to:") {
                let tag = if lower.contains(";tag=") { "" } else { ";tag=raw-answers" };
                answer.push_str(&format!("{line}{tag}\r\n"));
            }
        }
        let (name, port) = (&self.account.name, self.port);
        answer.push_str(&format!("Contact: <sip:{name}@127.0.0.1:{port}>\r\n"));
        if !sdp.is_empty() {
            answer.push_str("Content-Type: application/sdp\r\n");
        }
        answer.push_str(&format!("Content-Length: {}\r\n\r\n{sdp}", sdp.len()));
        self.socket.send_to(answer.as_bytes(), self.account.house).unwrap();
    }

    fn asks(&mut self, authorization: &str) -> Response {
        self.sequence += 1;
        let (name, port, number, house) =
            (&self.account.name, self.port, self.sequence, self.account.house);
        let request = format!(
            "REGISTER sip:{house} SIP/2.0\r\n\
             Via: SIP/2.0/UDP 127.0.0.1:{port};rport;branch=z9hG4bK-raw-{port}-{number}\r\n\
             From: <sip:{name}@{house}>;tag=raw{port}\r\nTo: <sip:{name}@{house}>\r\n\
             Call-ID: raw-{port}\r\nCSeq: {number} REGISTER\r\n\
             Contact: <sip:{name}@127.0.0.1:{port}>\r\nExpires: 300\r\nMax-Forwards: 70\r\n\
             {authorization}Content-Length: 0\r\n\r\n"
        );
        self.socket.send_to(request.as_bytes(), house).unwrap();
        let text = self
            .hears_within(secs(5), &format!("CSeq: {number} REGISTER"))
            .expect("a REGISTER is answered");
        let status = text.split(' ').nth(1).unwrap().parse().unwrap();
        Response { status, text }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
