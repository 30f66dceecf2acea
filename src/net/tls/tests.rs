use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ProtocolVersion, SupportedCipherSuite};

use super::*;

/// RFC 9325 §4.2 and RFC 8996: AEAD with forward secrecy, and nothing below TLS 1.2.
#[test]
fn only_suites_with_forward_secrecy_and_aead_are_spoken() {
    let provider = provider();
    for suite in &provider.cipher_suites {
        let name = format!("{:?}", suite.suite());
        let is_fit = match suite {
            SupportedCipherSuite::Tls13(_) => true,
            SupportedCipherSuite::Tls12(_) => {
                name.starts_with("TLS_ECDHE_")
                    && (name.contains("_GCM_") || name.contains("CHACHA20_POLY1305"))
            }
        };
        assert!(is_fit, "{name}");
    }
    let versions: Vec<ProtocolVersion> =
        rustls::DEFAULT_VERSIONS.iter().map(|version| version.version).collect();
    assert_eq!(versions, [ProtocolVersion::TLSv1_3, ProtocolVersion::TLSv1_2]);
}

/// RFC 5922 §7.1 and §7.2, RFC 9525.
#[test]
fn a_peer_is_known_by_its_sip_domain_else_by_its_whole_dns_name() {
    let uri = |uri: &str| SanType::URI(uri.try_into().unwrap());
    let dns = |name: &str| SanType::DnsName(name.try_into().unwrap());
    let ip = |ip: &str| SanType::IpAddress(ip.parse().unwrap());
    let table = [
        (vec![dns("sip.example")], "sip.example", true),
        (vec![dns("SIP.example")], "sip.Example", true),
        (vec![dns("*.example")], "sip.example", false),
        (vec![dns("evil.example"), dns("sip.example")], "sip.example", true),
        (vec![dns("sip.example.evil")], "sip.example", false),
        (vec![uri("sip:sip.example"), dns("host.example")], "sip.example", true),
        (vec![uri("sip:sip.example"), dns("host.example")], "host.example", false),
        (vec![uri("sip:someone@sip.example")], "sip.example", false),
        (vec![uri("https://sip.example"), dns("sip.example")], "sip.example", true),
        (vec![ip("192.0.2.1")], "192.0.2.1", true),
        (vec![ip("192.0.2.2"), dns("192.0.2.1")], "192.0.2.1", false),
        (Vec::new(), "sip.example", false),
    ];
    for (names, peer, is_known) in table {
        let certificate = signed_by_itself(names.clone());
        let peer = ServerName::try_from(peer).unwrap();
        assert_eq!(is_certificate_of(&certificate, &peer), is_known, "{names:?} {peer:?}");
    }
}

#[test]
fn a_door_shows_the_certificate_of_the_name_that_is_asked_for() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert!(stands_for(&names(&["a.example", "b.example"]), "b.example"));
    assert!(stands_for(&names(&["*.example"]), "b.example"));
    assert!(!stands_for(&names(&["*.example"]), "a.b.example"));
    assert!(!stands_for(&names(&["*.example"]), "example"));
}

/// An authority of its own vouches for one name only.
#[test]
fn an_own_authority_counts_for_its_name_alone() {
    let (_, authority) = authority();
    let own = BTreeMap::from([("Sip.Operator.example".to_owned(), vec![authority])]);
    let trust = Trust::new(&own).unwrap();

    let for_it = trust.config_for(Some("sip.operator.example")).unwrap();
    let for_another = trust.config_for(Some("other.example")).unwrap();

    assert!(!Arc::ptr_eq(&for_it, &for_another));
}

fn authority() -> (Issuer<'static, KeyPair>, CertificateDer<'static>) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key).unwrap();
    (Issuer::new(params, key), certificate.der().clone())
}

fn signed_by_itself(names: Vec<SanType>) -> CertificateDer<'static> {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.subject_alt_names = names;
    let _: PrivateKeyDer<'_> = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    params.self_signed(&key).unwrap().der().clone()
}
