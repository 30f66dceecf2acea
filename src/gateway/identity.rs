//! Our certificate: made when the house opens, signed by nobody, known to browsers by the
//! fingerprint that our descriptions tell them (RFC 8827 §6.5).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rtc_dtls::cipher_suite::CipherSuiteId;
use rtc_dtls::config::{ClientAuthType, ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig};
use rtc_dtls::crypto::Certificate;
use rtc_dtls::crypto_provider::{RTCCryptoProvider, default_provider};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use sha2::{Digest, Sha256};

use crate::media::sdp::Fingerprint;

/// Who we are to browsers.
pub struct Identity {
    provider: Arc<dyn RTCCryptoProvider>,
    certificate: Certificate,
    fingerprint: Fingerprint,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
#[error("a certificate for browsers can't be made: {0}")]
pub struct NoIdentity(pub(super) String);

impl Identity {
    /// A new one.
    pub fn new() -> Result<Self, NoIdentity> {
        let provider = default_provider().map_err(|fault| NoIdentity(fault.to_string()))?;
        let names = vec!["hotline".to_owned()];
        let certificate = Certificate::generate_self_signed(names, provider.crypto())
            .map_err(|fault| NoIdentity(fault.to_string()))?;
        let shown = certificate.certificate.first();
        let shown = shown.ok_or_else(|| NoIdentity("it is empty".to_owned()))?;
        let fingerprint = fingerprint(shown);
        Ok(Self { provider, certificate, fingerprint })
    }

    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// How to shake hands with the owner of a certificate. `seen` becomes true when that very
    /// certificate was shown, and proven to be theirs.
    pub(super) fn terms(
        &self,
        theirs: Fingerprint,
        we_begin: bool,
        seen: Arc<AtomicBool>,
    ) -> Result<Arc<HandshakeConfig>, String> {
        ConfigBuilder::default()
            .with_crypto_provider(Arc::clone(&self.provider))
            .with_certificates(vec![self.certificate.clone()])
            .with_cipher_suites(SUITES.to_vec())
            .with_srtp_protection_profiles(vec![SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80])
            .with_client_auth(ClientAuthType::RequireAnyClientCert)
            .with_extended_master_secret(ExtendedMasterSecretType::Require)
            .with_flight_interval(FLIGHT_INTERVAL)
            // It must have one; nobody reads it.
            .with_server_name("localhost".to_owned())
            // No authority signed it: the fingerprint is all there is to check.
            .with_insecure_skip_verify(true)
            .with_verify_peer_certificate(Some(Arc::new(move |shown, _| {
                let matches = shown.first().is_some_and(|shown| fingerprint(shown) == theirs);
                seen.store(matches, Ordering::Relaxed);
                match matches {
                    true => Ok(()),
                    false => Err(std::io::Error::other("not the fingerprint described").into()),
                }
            })))
            .build(we_begin, None)
            .map(Arc::new)
            .map_err(|fault| fault.to_string())
    }
}

fn fingerprint(certificate: &[u8]) -> Fingerprint {
    Fingerprint(Sha256::digest(certificate).into())
}

/// RFC 8827 §6.5 asks for the first; who answers as a server may have a key of RSA.
const SUITES: [CipherSuiteId; 3] = [
    CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256,
    CipherSuiteId::Tls_Ecdhe_Ecdsa_With_ChaCha20_Poly1305_Sha256,
    CipherSuiteId::Tls_Ecdhe_Rsa_With_Aes_128_Gcm_Sha256,
];

/// Seven times, then the handshake begins anew: people wait for it.
pub(super) const FLIGHT_INTERVAL: Duration = Duration::from_millis(400);
