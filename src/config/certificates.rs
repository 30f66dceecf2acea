//! Certificates and their keys: read from PEM, judged by their dates and by whether key and certificate are one
//! pair. The same for the doors of SIP and for the page.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use crate::config::catalogue::{NotForTls, What};
use crate::config::house::CertificateFiles;
use crate::config::private::{file, read_file, read_secret};
use crate::config::report::Report;

/// A certificate that ends so soon is worth a word (domain.md T-24).
const SOON_DAYS: i64 = 30;

/// The largest file of certificates that is read.
const FILE_MAX: u64 = 1 << 20;

/// A certificate with its key.
#[derive(Clone, Debug)]
pub struct Certificate {
    pub path: PathBuf,
    pub key: Arc<CertifiedKey>,
    /// The names it stands for, in lower case.
    pub names: Vec<String>,
    pub expires: DateTime<Utc>,
}

/// Reads a certificate with its key, and looks at its dates.
pub(super) fn certificate(
    files: &CertificateFiles,
    now: DateTime<Utc>,
    report: &mut Report,
) -> Option<Certificate> {
    let path = &files.certificate;
    let chain = read_certificates(path, report)?;
    let key = read_key(&files.key, report)?;
    let key = match CertifiedKey::from_der(chain.clone(), key, &ring::default_provider()) {
        Ok(key) => key,
        Err(rustls::Error::InconsistentKeys(_)) => {
            report.broken(
                file(&files.key),
                What::KeyOfAnother { certificate: path.display().to_string() },
            );
            return None;
        }
        Err(_) => {
            let why = NotForTls::OtherKind;
            report.broken(file(&files.key), What::CertificateUnusable { why });
            return None;
        }
    };
    let Some((begins, expires, names)) = chain.first().and_then(read_own) else {
        let why = NotForTls::Damaged;
        report.broken(file(path), What::CertificateUnusable { why });
        return None;
    };
    let days = (expires - now).num_days();
    let at = expires.format("%Y-%m-%d").to_string();
    // Neither shuts the door: phones that don't look at dates still come in.
    if now >= expires {
        report.notice(file(path), What::CertificateExpired { at });
    } else if now < begins {
        let at = begins.format("%Y-%m-%d").to_string();
        report.notice(file(path), What::CertificateTooEarly { at });
    } else if days < SOON_DAYS {
        report.notice(file(path), What::CertificateExpires { at, days });
    }
    Some(Certificate { path: path.clone(), key: Arc::new(key), names, expires })
}

/// Reads certificates without keys: chains, authorities.
pub(super) fn read_certificates(
    path: &Path,
    report: &mut Report,
) -> Option<Vec<CertificateDer<'static>>> {
    let bytes = read_file(path, FILE_MAX, report)?;
    let found = CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>();
    match found {
        Ok(certificates) if !certificates.is_empty() => Some(certificates),
        Ok(_) => {
            let why = NotForTls::NoCertificate;
            report.broken(file(path), What::CertificateUnusable { why });
            None
        }
        Err(_) => {
            report.broken(file(path), What::CertificateUnusable { why: NotForTls::Damaged });
            None
        }
    }
}

fn read_key(path: &Path, report: &mut Report) -> Option<PrivateKeyDer<'static>> {
    let bytes = read_secret(path, FILE_MAX, report)?;
    match PrivateKeyDer::from_pem_slice(&bytes) {
        Ok(key) => Some(key),
        Err(fault) => {
            let is_without = matches!(fault, rustls::pki_types::pem::Error::NoItemsFound);
            let why = if is_without { NotForTls::NoKey } else { NotForTls::Damaged };
            report.broken(file(path), What::CertificateUnusable { why });
            None
        }
    }
}

/// From when, until when, and for whom.
#[expect(clippy::wildcard_enum_match_arm, reason = "the wildcard is for a library's enum")]
fn read_own(
    certificate: &CertificateDer<'static>,
) -> Option<(DateTime<Utc>, DateTime<Utc>, Vec<String>)> {
    let read = x509_cert::Certificate::from_der(certificate).ok()?.tbs_certificate;
    let at = |time: x509_cert::time::Time| {
        DateTime::from_timestamp(i64::try_from(time.to_unix_duration().as_secs()).ok()?, 0)
    };
    let names = match read.get::<SubjectAltName>() {
        Ok(Some((_, names))) => names.0,
        Ok(None) | Err(_) => Vec::new(),
    };
    let names = names.iter().filter_map(|name| match name {
        GeneralName::DnsName(name) => Some(name.to_string().to_ascii_lowercase()),
        _ => None,
    });
    Some((at(read.validity.not_before)?, at(read.validity.not_after)?, names.collect()))
}
