//! SIP over TLS: RFC 8446 and 5246 as RFC 9325 and 8996 leave them.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hotline::exchange::Input;
use hotline::net::tls::{ClientRule, Identity, ServerKeys, Trust};
use hotline::net::{Limits, Wanted};
use hotline::sip::{Flow, Transmit, Transport};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    SupportedProtocolVersion,
};

use crate::{PATIENCE, Porch, limits};

const OPTIONS: &str = "OPTIONS sip:h SIP/2.0\r\nContent-Length: 4\r\n\r\nbody";

/// An authority made for one test.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) certificate: CertificateDer<'static>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Self { issuer: Issuer::new(params, key), certificate }
    }

    fn signs(&self, name: &str) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
    }

    pub(crate) fn identity(&self, name: &str) -> Identity {
        let (chain, key) = self.signs(name);
        let key = CertifiedKey::from_der(chain, key, &ring::default_provider()).unwrap();
        Identity { key: Arc::new(key), names: vec![name.to_owned()] }
    }

    pub(crate) fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        roots
    }

    pub(crate) fn client(&self, versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
        ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(self.roots())
            .with_no_client_auth()
    }
}

pub(crate) type Phone = StreamOwned<ClientConnection, TcpStream>;

/// Whether whoever believes this certificate, and no other, believes the one that is shown.
pub(crate) fn shows(mut stream: TcpStream, name: &'static str, pem: &str) -> bool {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name).unwrap();
    let mut client = ClientConnection::new(Arc::new(config), name).unwrap();
    client.complete_io(&mut stream).is_ok()
}

pub(crate) fn keys(identities: Vec<Identity>) -> ServerKeys {
    ServerKeys { identities, clients: None }
}

fn door(keys: ServerKeys, limits: Limits) -> Porch {
    let wanted = Wanted::plain(Transport::Tls, "127.0.0.1:0".parse().unwrap());
    Porch::with(Wanted { keys: Some(keys), ..wanted }, limits)
}

fn phone(porch: &Porch, name: &'static str, config: ClientConfig) -> Phone {
    let stream = TcpStream::connect(porch.local).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let name = ServerName::try_from(name).unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), stream)
}

/// The next message; those who left before don't matter.
fn message(porch: &Porch) -> (Flow, String) {
    loop {
        if let Input::Received { flow, bytes } = porch.next() {
            return (flow, String::from_utf8(bytes.to_vec()).unwrap());
        }
    }
}

fn is_heard(phone: &mut Phone, porch: &Porch) -> Flow {
    phone.write_all(OPTIONS.as_bytes()).unwrap();
    let (flow, text) = message(porch);
    assert_eq!(text, OPTIONS);
    flow
}

/// RFC 8446, RFC 5246; RFC 3261 §18.3 and RFC 5626 §4.4.1 hold as on TCP.
#[test]
fn a_phone_speaks_tls_1_3_and_1_2_and_is_framed_as_on_tcp() {
    let authority = Authority::new();
    let porch = door(keys(vec![authority.identity("sip.example")]), limits());
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let mut phone = phone(&porch, "sip.example", authority.client(&[version]));
        let flow = is_heard(&mut phone, &porch);
        assert_eq!(flow.transport, Transport::Tls);

        porch.doors.send(Transmit { flow, bytes: Bytes::from_static(b"SIP/2.0 200 OK\r\n\r\n") });
        let mut answer = [0; 18];
        phone.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"SIP/2.0 200 OK\r\n\r\n");

        phone.write_all(b"\r\n\r\n").unwrap();
        let mut pong = [0; 2];
        phone.read_exact(&mut pong).unwrap();
        assert_eq!(&pong, b"\r\n");
        assert_eq!(phone.conn.protocol_version().unwrap(), version.version);
    }
}

/// RFC 8996: TLS 1.1 and below are not spoken.
#[test]
fn tls_1_1_is_refused() {
    let authority = Authority::new();
    let porch = door(keys(vec![authority.identity("sip.example")]), limits());
    let mut hello = vec![0x03, 0x02];
    hello.extend([7; 32]);
    // No session; one suite of the old days; no compression.
    hello.extend([0, 0, 2, 0xc0, 0x13, 1, 0]);
    let mut record = vec![0x16, 0x03, 0x01, 0, u8::try_from(hello.len() + 4).unwrap()];
    record.extend([1, 0, 0, u8::try_from(hello.len()).unwrap()]);
    record.extend(hello);
    let mut stream = TcpStream::connect(porch.local).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&record).unwrap();

    let mut alert = Vec::new();
    let _ = stream.read_to_end(&mut alert);
    assert_eq!(alert.first(), Some(&0x15), "an alert, not {alert:?}");
    assert!(porch.sees_failed_handshakes(1));
}

/// domain.md T-04: the attack is a handshake that never ends.
#[test]
fn a_half_handshake_is_hung_up_on_after_three_seconds_and_makes_room_before() {
    let authority = Authority::new();
    let porch = door(keys(vec![authority.identity("sip.example")]), limits());
    let began = Instant::now();
    let mut crowd: Vec<TcpStream> = (0..40)
        .map(|_| {
            let mut stream = TcpStream::connect(porch.local).unwrap();
            stream.write_all(&[0x16, 0x03, 0x01, 0x02]).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            stream
        })
        .collect();

    // The room holds eight.
    let mut phone = phone(&porch, "sip.example", authority.client(rustls::ALL_VERSIONS));
    is_heard(&mut phone, &porch);
    assert!(began.elapsed() < Duration::from_secs(3));
    for stream in &mut crowd {
        let _ = stream.read(&mut [0; 64]);
    }
    let took = began.elapsed();
    assert!(took < Duration::from_secs(6), "{took:?}");
    is_heard(&mut phone, &porch);
}

#[test]
fn what_is_not_tls_is_hung_up_on() {
    let authority = Authority::new();
    let porch = door(keys(vec![authority.identity("sip.example")]), limits());
    let mut stream = TcpStream::connect(porch.local).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(OPTIONS.as_bytes()).unwrap();

    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(porch.has_nothing());
}

/// domain.md T-24, scenarios.md SC-42: existing flows stay, newcomers see the new certificate.
#[test]
fn a_new_certificate_is_shown_to_newcomers_and_drops_nobody() {
    let (old, new) = (Authority::new(), Authority::new());
    let porch = door(keys(vec![old.identity("sip.example")]), limits());
    let mut early = phone(&porch, "sip.example", old.client(rustls::ALL_VERSIONS));
    let flow = is_heard(&mut early, &porch);

    let opened = porch.doors.opened()[0];
    let fresh = keys(vec![new.identity("sip.example")]);
    porch.doors.rekey(opened.transport, opened.listen, &fresh).unwrap();

    let mut late = phone(&porch, "sip.example", new.client(rustls::ALL_VERSIONS));
    assert_ne!(is_heard(&mut late, &porch).connection, flow.connection);
    assert_eq!(is_heard(&mut early, &porch), flow);
    let mut astray = phone(&porch, "sip.example", old.client(rustls::ALL_VERSIONS));
    assert!(astray.write_all(b"x").is_err());
}

/// RFC 6066 §3.
#[test]
fn the_certificate_is_chosen_by_the_name_asked_for() {
    let authority = Authority::new();
    let both = vec![authority.identity("one.example"), authority.identity("two.example")];
    let porch = door(keys(both), limits());

    for name in ["two.example", "one.example"] {
        let mut phone = phone(&porch, name, authority.client(rustls::ALL_VERSIONS));
        is_heard(&mut phone, &porch);
    }
}

#[test]
fn who_must_show_a_certificate_and_has_none_stays_out() {
    let authority = Authority::new();
    let rule = ClientRule { authorities: vec![authority.certificate.clone()], required: true };
    let identities = vec![authority.identity("sip.example")];
    let porch = door(ServerKeys { identities, clients: Some(rule) }, limits());

    let mut stranger = phone(&porch, "sip.example", authority.client(&[&rustls::version::TLS12]));
    assert!(stranger.write_all(OPTIONS.as_bytes()).is_err());
    let (chain, key) = authority.signs("phone.example");
    let known = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(authority.roots())
        .with_client_auth_cert(chain, key)
        .unwrap();
    is_heard(&mut phone(&porch, "sip.example", known), &porch);
}

/// RFC 5922, RFC 9525: the trunk we call must be the one we mean.
#[test]
fn a_trunk_is_called_over_tls_only_if_it_proves_its_name() {
    let authority = Authority::new();
    let trunk = TcpListener::bind("127.0.0.1:0").unwrap();
    let (chain, key) = authority.signs("sip.operator.example");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let config = Arc::new(config);
    let porch = door(keys(vec![authority.identity("sip.example")]), limits());
    let peer = trunk.local_addr().unwrap();
    let flow = Flow { transport: Transport::Tls, local: porch.local, peer, connection: 0 };
    let vouched = [("sip.operator.example", true), ("sip.evil.example", false)];
    let authorities: BTreeMap<String, Vec<CertificateDer<'static>>> = vouched
        .iter()
        .map(|(name, _)| ((*name).to_owned(), vec![authority.certificate.clone()]))
        .collect();
    porch.doors.trust(Trust::new(&authorities).unwrap());

    for (name, is_right) in vouched {
        porch.doors.expect(peer, name.to_owned());
        porch.doors.send(Transmit { flow, bytes: Bytes::from_static(OPTIONS.as_bytes()) });
        let (stream, _) = trunk.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut stream = StreamOwned::new(connection, stream);
        let mut heard = vec![0; OPTIONS.len()];
        let read = stream.read_exact(&mut heard);
        assert_eq!(read.is_ok(), is_right, "{name}: {read:?}");
        if is_right {
            assert_eq!(heard, OPTIONS.as_bytes());
            // The same connection serves the next request.
            porch.doors.send(Transmit { flow, bytes: Bytes::from_static(OPTIONS.as_bytes()) });
            stream.read_exact(&mut heard).unwrap();
            drop(stream);
            assert!(matches!(porch.next(), Input::FlowClosed { .. }));
        } else {
            assert!(matches!(porch.next(), Input::Unconnected { flow } if flow.peer == peer));
        }
    }
}
