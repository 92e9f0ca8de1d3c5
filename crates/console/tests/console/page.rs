use std::path::Path;
use std::sync::Arc;

use console::Tls;
use reqwest::StatusCode;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use store::Role;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::house::{House, PASSWORD};

#[tokio::test]
async fn every_answer_has_the_security_headers() {
    let house = House::start().await;
    for path in ["/", "/some/place", "/no-such-file.js", "/healthz", "/api/board", "/api/nothing"] {
        let response = house.get(path).await;
        let headers = response.headers();
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"));
        assert!(policy.ends_with("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["x-frame-options"], "DENY", "{path}");
        assert_eq!(headers["referrer-policy"], "no-referrer", "{path}");
        assert!(headers.contains_key("cache-control"), "{path}");
        assert!(headers.get("strict-transport-security").is_none(), "only over HTTPS");
    }
    assert_eq!(house.get("/api/board").await.headers()["cache-control"], "no-store");
}

#[tokio::test]
async fn the_app_or_how_to_build_it_is_shown() {
    let house = House::start().await;
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/dist/index.html").exists();
    for path in ["/", "/people"] {
        let response = house.get(path).await;
        assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
        let status = response.status();
        let text = response.text().await.unwrap();
        if built {
            assert_eq!(status, StatusCode::OK);
        } else {
            assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
            assert!(text.contains("npm run build"), "{text}");
        }
    }
    assert_eq!(house.get("/no-such-file.js").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn large_answers_travel_compressed_and_events_do_not() {
    let house = House::start().await;
    let sam = house.staff("Sam", Role::Carer).await;
    for number in 0..20 {
        house.person(&format!("Person number {number}")).await;
    }
    let encoding = async |path: &str| {
        let request = sam.http.get(format!("{}{path}", sam.base)).header("accept-encoding", "gzip");
        let response = request.send().await.unwrap();
        response.headers().get("content-encoding").cloned()
    };
    assert_eq!(encoding("/api/people").await.unwrap(), "gzip");
    assert_eq!(encoding("/api/events").await, None);
}

#[tokio::test]
async fn with_a_certificate_it_speaks_https_and_says_so() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/console/tls");
    let certificate = folder.join("cert.pem");
    let mut house = House::start().await;
    house.staff("Sam", Role::Carer).await;
    house.stop_console().await;
    house.set(|config| {
        let key_file = folder.join("key.pem");
        config.tls = Some(Tls { cert_file: certificate.clone(), key_file });
    });
    house.start_console().await;

    // Somebody who connects and says nothing keeps nobody out.
    let _silent = TcpStream::connect(house.address).await.unwrap();
    let body = format!(r#"{{"name":"Sam","password":"{PASSWORD}"}}"#);
    let request = format!(
        "POST /api/session HTTP/1.1\r\nHost: localhost\r\nX-Tidewatch: 1\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&certificate).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tcp = TcpStream::connect(house.address).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let name = ServerName::try_from("localhost").unwrap();
    let mut tls = connector.connect(name, tcp).await.unwrap();
    tls.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // The end of the stream is all that counts here, however it is said.
    let _ = tls.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).unwrap().to_lowercase();
    assert!(answer.starts_with("http/1.1 200 "), "{answer}");
    assert!(answer.contains("set-cookie: __host-tidewatch="), "{answer}");
    assert!(answer.contains("; httponly; samesite=strict; secure\r\n"), "{answer}");
    assert!(answer.contains("strict-transport-security: max-age="), "{answer}");
}

#[tokio::test]
async fn a_configuration_that_cannot_work_is_refused_at_the_start() {
    let house = House::start().await;
    for (change, says) in [
        (
            Box::new(|config: &mut console::Config| {
                let missing = Path::new("/nowhere/cert.pem").to_owned();
                config.tls = Some(Tls { cert_file: missing.clone(), key_file: missing });
            }) as Box<dyn Fn(&mut console::Config)>,
            "cannot read the certificate /nowhere/cert.pem",
        ),
        (Box::new(|config| config.listen = house.address), "cannot listen on 127.0.0.1:"),
        (
            Box::new(|config| config.refresh = std::time::Duration::ZERO),
            "console.refresh must be more than 0s",
        ),
    ] {
        let error = house.try_open(change).await.expect_err(says);
        assert!(format!("{error:#}").starts_with(says), "{error:#}");
    }
}
