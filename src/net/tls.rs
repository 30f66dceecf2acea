//! TLS by the book: RFC 8446 and 5246, as far as RFC 9325 still allows them.
//!
//! A [`TlsDoor`] has the certificates a door shows, chosen by the name a caller asks for (RFC 6066
//! §3), and takes new ones while it is open. [`Trust`] is whom we believe on connections of our own: the
//! chain is judged by the library, the name as RFC 5922 §7 says.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::{
    ClientHello, NoClientAuth, ParsedCertificate, ResolvesServerCert, WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, ServerConfig,
    SignatureScheme,
};
use x509_cert::der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// What one door shows.
#[derive(Clone, Debug)]
pub struct ServerKeys {
    /// The first is for those who ask for no name of ours.
    pub identities: Vec<Identity>,
    /// Who has to sign the certificates of clients; none: clients show none.
    pub clients: Option<ClientRule>,
}

/// One certificate with its key.
#[derive(Clone, Debug)]
pub struct Identity {
    pub key: Arc<CertifiedKey>,
    /// The names it stands for, in lower case; `*.` for one label.
    pub names: Vec<String>,
}

/// Mutual TLS.
#[derive(Clone, Debug)]
pub struct ClientRule {
    pub authorities: Vec<CertificateDer<'static>>,
    /// Nobody comes in without a certificate.
    pub required: bool,
}

/// The keys of a door that is open.
pub(super) struct TlsDoor {
    config: Mutex<Arc<ServerConfig>>,
}

impl TlsDoor {
    pub(super) fn new(keys: &ServerKeys) -> Result<Self, Error> {
        Ok(Self { config: Mutex::new(server_config(keys)?) })
    }

    pub(super) fn rekey(&self, keys: &ServerKeys) -> Result<(), Error> {
        let config = server_config(keys)?;
        *self.config.lock().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    pub(super) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The suites of RFC 9325 §4.2: AEAD with forward secrecy. `ring`'s own list holds no others; a test
/// keeps it so.
fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(ring::default_provider())))
}

fn server_config(keys: &ServerKeys) -> Result<Arc<ServerConfig>, Error> {
    let clients = match &keys.clients {
        None => Arc::new(NoClientAuth) as _,
        Some(rule) => {
            let roots = Arc::new(store_of(&rule.authorities));
            let builder = WebPkiClientVerifier::builder_with_provider(roots, provider());
            let builder = if rule.required { builder } else { builder.allow_unauthenticated() };
            builder.build().map_err(|fault| Error::General(fault.to_string()))?
        }
    };
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(clients)
        .with_cert_resolver(Arc::new(ByName { identities: keys.identities.clone() }));
    Ok(Arc::new(config))
}

fn store_of(authorities: &[CertificateDer<'static>]) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(authorities.iter().cloned());
    roots
}

/// Chooses the certificate by the name that is asked for.
#[derive(Debug)]
struct ByName {
    identities: Vec<Identity>,
}

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let asked = hello.server_name().map(str::to_ascii_lowercase);
        let stands = |identity: &&Identity| {
            asked.as_ref().is_some_and(|asked| stands_for(&identity.names, asked))
        };
        let chosen = self.identities.iter().find(stands).or(self.identities.first());
        chosen.map(|identity| Arc::clone(&identity.key))
    }
}

fn stands_for(names: &[String], asked: &str) -> bool {
    names.iter().any(|name| match name.strip_prefix("*.") {
        Some(parent) => asked.split_once('.').is_some_and(|(_, rest)| rest == parent),
        None => name == asked,
    })
}

/// Whom we believe on connections of ours.
#[derive(Default)]
pub struct Trust {
    /// Own authorities, by the name of whom they vouch for.
    authorities: BTreeMap<String, Arc<ClientConfig>>,
    /// For all others: the authorities of this machine, read when first needed.
    machine: OnceLock<Result<Arc<ClientConfig>, Error>>,
}

impl Trust {
    /// `authorities` replace those of this machine for the names they are given for.
    pub fn new(
        authorities: &BTreeMap<String, Vec<CertificateDer<'static>>>,
    ) -> Result<Self, Error> {
        let authorities = authorities.iter().map(|(name, certificates)| {
            Ok((name.to_ascii_lowercase(), client_config(store_of(certificates))?))
        });
        Ok(Self {
            authorities: authorities.collect::<Result<_, Error>>()?,
            machine: OnceLock::new(),
        })
    }

    pub(super) fn config_for(&self, name: Option<&str>) -> Result<Arc<ClientConfig>, Error> {
        let own = name.and_then(|name| self.authorities.get(&name.to_ascii_lowercase()));
        if let Some(own) = own {
            return Ok(Arc::clone(own));
        }
        self.machine
            .get_or_init(|| {
                client_config(store_of(&rustls_native_certs::load_native_certs().certs))
            })
            .clone()
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trust({:?})", self.authorities.keys())
    }
}

fn client_config(roots: RootCertStore) -> Result<Arc<ClientConfig>, Error> {
    let verifier = Arc::new(SipVerifier { roots, provider: provider() });
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Judges the chain as ever, and the name as RFC 5922 §7.1 and §7.2 say.
#[derive(Debug)]
struct SipVerifier {
    roots: RootCertStore,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for SipVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let parsed = ParsedCertificate::try_from(end_entity)?;
        verify_server_cert_signed_by_trust_anchor(
            &parsed,
            &self.roots,
            intermediates,
            now,
            self.provider.signature_verification_algorithms.all,
        )?;
        if is_certificate_of(end_entity, server_name) {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::NotValidForName.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Whether a certificate names this peer. A `sip:` URI is the peer's identity if there is any
/// (RFC 5922 §7.1); else a DNS name is, compared whole, without wildcards (§7.2); an address is an
/// address (RFC 9525 §3). The subject's common name says nothing.
fn is_certificate_of(certificate: &CertificateDer<'_>, peer: &ServerName<'_>) -> bool {
    let names = alternative_names(certificate);
    match peer {
        ServerName::DnsName(name) => {
            let name = name.as_ref().trim_end_matches('.');
            let mut domains: Vec<&str> = names
                .iter()
                .filter_map(|one| match one {
                    San::Uri(uri) => sip_domain(uri),
                    San::Dns(_) | San::Address(_) => None,
                })
                .collect();
            if domains.is_empty() {
                domains = names
                    .iter()
                    .filter_map(|one| match one {
                        San::Dns(domain) => Some(domain.as_str()),
                        San::Uri(_) | San::Address(_) => None,
                    })
                    .collect();
            }
            domains.iter().any(|domain| domain.trim_end_matches('.').eq_ignore_ascii_case(name))
        }
        ServerName::IpAddress(address) => {
            let address = std::net::IpAddr::from(*address);
            let bytes = match address {
                std::net::IpAddr::V4(ip) => ip.octets().to_vec(),
                std::net::IpAddr::V6(ip) => ip.octets().to_vec(),
            };
            names.iter().any(|one| matches!(one, San::Address(other) if *other == bytes))
        }
        // No other kind of name is ever asked for.
        _ => false,
    }
}

enum San {
    Dns(String),
    Uri(String),
    Address(Vec<u8>),
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the wildcard is for a library's enum")]
fn alternative_names(certificate: &CertificateDer<'_>) -> Vec<San> {
    let Ok(certificate) = x509_cert::Certificate::from_der(certificate) else {
        return Vec::new();
    };
    let Ok(Some((_, names))) = certificate.tbs_certificate.get::<SubjectAltName>() else {
        return Vec::new();
    };
    let read = |name: &GeneralName| match name {
        GeneralName::DnsName(name) => Some(San::Dns(name.to_string())),
        GeneralName::UniformResourceIdentifier(uri) => Some(San::Uri(uri.to_string())),
        GeneralName::IpAddress(bytes) => Some(San::Address(bytes.as_bytes().to_vec())),
        _ => None,
    };
    names.0.iter().filter_map(read).collect()
}

/// The domain of a `sip:` URI that names a domain and nobody in it.
fn sip_domain(uri: &str) -> Option<&str> {
    let (scheme, rest) = uri.split_once(':')?;
    let is_domain = scheme.eq_ignore_ascii_case("sip") && !rest.contains(['@', ';', '?', ':']);
    is_domain.then_some(rest)
}

#[cfg(test)]
mod tests;
