//! One HTTP request out: a POST, and the status that comes back.
//!
//! By HTTPS, with the certificate judged as browsers do; in the clear only on this machine. Redirections are
//! not followed, answers are not read, and nothing is kept open: whoever is told something here is told it
//! seldom.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Why nobody was told.
#[derive(Debug, thiserror::Error)]
pub enum PostFault {
    #[error("`{0}` names nobody to ask")]
    Address(String),
    #[error("no connection: {0}")]
    Connection(#[from] std::io::Error),
    #[error("no secure connection: {0}")]
    Tls(#[from] rustls::Error),
    #[error("no answer: {0}")]
    Http(#[from] hyper::Error),
    #[error("the request can't be written: {0}")]
    Request(#[from] hyper::http::Error),
}

/// Who vouches for those who are told.
#[derive(Debug)]
pub struct Poster {
    /// Own authorities, by the name of whom they vouch for.
    authorities: BTreeMap<String, Arc<ClientConfig>>,
    /// For all others: the authorities of this machine, read when first needed.
    machine: OnceLock<Arc<ClientConfig>>,
}

impl Poster {
    /// `authorities` replace those of this machine for the names they are given for.
    pub fn new(authorities: &BTreeMap<String, Vec<CertificateDer<'static>>>) -> Self {
        let own = authorities.iter().filter_map(|(name, certificates)| {
            Some((name.to_ascii_lowercase(), client_config(certificates).ok()?))
        });
        Self { authorities: own.collect(), machine: OnceLock::new() }
    }

    /// Sends `body`, and says the status of the answer.
    pub async fn post(
        &self,
        url: &Uri,
        headers: &[(HeaderName, HeaderValue)],
        body: Bytes,
    ) -> Result<u16, PostFault> {
        let nobody = || PostFault::Address(url.to_string());
        let host = url.host().ok_or_else(nobody)?;
        let bare = host.trim_matches(['[', ']']).to_owned();
        let is_secure = url.scheme_str() == Some("https");
        let port = url.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
        let path = url.path_and_query().map_or("/", |path| path.as_str());
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(HOST, url.authority().ok_or_else(nobody)?.as_str())
            .header(USER_AGENT, "hotline")
            .header(CONTENT_TYPE, "application/json");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(body))?;
        let stream = TcpStream::connect((bare.as_str(), port)).await?;
        if !is_secure {
            return ask(stream, request).await;
        }
        let name = ServerName::try_from(bare.clone()).map_err(|_| nobody())?;
        let connector = TlsConnector::from(self.config_for(&bare)?);
        ask(connector.connect(name, stream).await?, request).await
    }

    fn config_for(&self, name: &str) -> Result<Arc<ClientConfig>, rustls::Error> {
        if let Some(own) = self.authorities.get(&name.to_ascii_lowercase()) {
            return Ok(Arc::clone(own));
        }
        if let Some(machine) = self.machine.get() {
            return Ok(Arc::clone(machine));
        }
        let config = client_config(&rustls_native_certs::load_native_certs().certs)?;
        Ok(Arc::clone(self.machine.get_or_init(|| config)))
    }
}

async fn ask<S>(stream: S, request: Request<Full<Bytes>>) -> Result<u16, PostFault>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let answer = sender.send_request(request);
    tokio::pin!(answer);
    tokio::pin!(connection);
    // The connection is worked on here, so that giving up waiting closes it.
    tokio::select! {
        answer = &mut answer => Ok(answer?.status().as_u16()),
        ended = &mut connection => {
            ended?;
            Ok(answer.await?.status().as_u16())
        }
    }
}

fn client_config(
    certificates: &[CertificateDer<'static>],
) -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates.iter().cloned());
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
