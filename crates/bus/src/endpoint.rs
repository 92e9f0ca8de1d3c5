//! Where the broker is, and how to be let in.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use rumqttc::v5::MqttOptions;
use rumqttc::{TlsConfiguration, Transport};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;

/// Where the broker is, and how to be let in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Endpoint {
    /// Name or address of the broker.
    pub host: String,
    /// Its port: by custom 1883, with TLS 8883.
    pub port: u16,
    /// Who to be, where the broker asks.
    pub username: Option<String>,
    /// A file that holds the password in its first line.
    pub password_file: Option<PathBuf>,
    /// TLS; without it nothing is encrypted.
    pub tls: Option<Tls>,
}

/// TLS to the broker. The files are PEM.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificates that the broker's must come from.
    pub ca_file: PathBuf,
    /// Our own certificate chain, where the broker asks for one.
    pub cert_file: Option<PathBuf>,
    /// The key to it.
    pub key_file: Option<PathBuf>,
}

impl Default for Endpoint {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 1883,
            username: None,
            password_file: None,
            tls: None,
        }
    }
}

/// An endpoint that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// A file that cannot be read.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A PEM file without what it should hold.
    #[error("{path}: {what}", path = path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// Certificate and key do not fit together, or the one comes without the other.
    #[error("tls: {0}")]
    Tls(String),
    /// A password with no name to go with.
    #[error("password_file without username")]
    PasswordWithoutName,
}

impl Endpoint {
    /// Checks that every file is there and fits, without connecting.
    ///
    /// # Errors
    /// [`EndpointError`] names the file.
    pub fn check(&self) -> Result<(), EndpointError> {
        self.options("check").map(drop)
    }

    /// The client's options, with secrets and certificates as they are in their files now.
    pub(crate) fn options(&self, client_id: &str) -> Result<MqttOptions, EndpointError> {
        let mut options = MqttOptions::new(client_id, self.host.as_str(), self.port);
        match (&self.username, &self.password_file) {
            (Some(name), Some(path)) => {
                options.set_credentials(name, read_secret(path)?);
            }
            (Some(name), None) => {
                options.set_credentials(name, "");
            }
            (None, Some(_)) => return Err(EndpointError::PasswordWithoutName),
            (None, None) => {}
        }
        if let Some(tls) = &self.tls {
            options
                .set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls.config()?)));
        }
        Ok(options)
    }
}

impl Tls {
    fn config(&self) -> Result<Arc<ClientConfig>, EndpointError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| EndpointError::Tls(error.to_string()))?
            .with_root_certificates(roots(&self.ca_file)?);
        let config = match (&self.cert_file, &self.key_file) {
            (Some(cert_file), Some(key_file)) => builder
                .with_client_auth_cert(certificates(cert_file)?, key(key_file)?)
                .map_err(|error| EndpointError::Tls(error.to_string()))?,
            (None, None) => builder.with_no_client_auth(),
            _ => return Err(EndpointError::Tls("cert_file and key_file go together".to_owned())),
        };
        Ok(Arc::new(config))
    }
}

/// The first line of a file, without the line's end.
pub(crate) fn read_secret(path: &Path) -> Result<String, EndpointError> {
    let text = fs::read_to_string(path)
        .map_err(|source| EndpointError::File { path: path.to_owned(), source })?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn roots(path: &Path) -> Result<RootCertStore, EndpointError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| pem(path, error))?;
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, EndpointError> {
    let found = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| pem(path, error))?;
    if found.is_empty() {
        return Err(EndpointError::Pem {
            path: path.to_owned(),
            what: "holds no certificate".to_owned(),
        });
    }
    Ok(found)
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, EndpointError> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| pem(path, error))
}

fn pem(path: &Path, error: impl ToString) -> EndpointError {
    EndpointError::Pem { path: path.to_owned(), what: error.to_string() }
}
