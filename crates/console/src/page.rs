use std::borrow::Cow;
use std::fmt::Write as _;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::failure::Failure;

/// The tablet app as Vite built it.
#[derive(RustEmbed)]
#[folder = "web/dist"]
struct App;

const START: &str = "index.html";

/// Vite puts a hash of the content into the names under this folder.
const HASHED: &str = "assets/";

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
    <title>Tidewatch</title><h1>The tablet app has not been built</h1>\
    <p>The console runs, and its interface under /api answers. To build the app:</p>\
    <pre>cd crates/console/web\nnpm ci\nnpm run build</pre>\
    <p>Then build and start the program again.</p></html>";

/// Answers with a file of the app; paths without a file are places within the app.
pub(crate) fn show(method: &Method, uri: &Uri, headers: &HeaderMap) -> Response {
    answer::<App>(method, uri, headers)
}

fn answer<App: RustEmbed>(method: &Method, uri: &Uri, headers: &HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path == "api" || path.starts_with("api/") {
        return Failure::not_found("There is nothing at this address.").into_response();
    }
    if *method != Method::GET && *method != Method::HEAD {
        return Failure::new(StatusCode::METHOD_NOT_ALLOWED, "This address can only be read.")
            .into_response();
    }
    if let Some(found) = App::get(path) {
        return file(path, found, headers);
    }
    if is_file_name(path) {
        return Failure::not_found("There is no such file.").into_response();
    }
    match App::get(START) {
        Some(start) => file(START, start, headers),
        None => (StatusCode::SERVICE_UNAVAILABLE, Html(NOT_BUILT)).into_response(),
    }
}

/// A missing file is an error; a missing page is the app's own business.
fn is_file_name(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name.contains('.'))
}

fn file(path: &str, found: EmbeddedFile, asked: &HeaderMap) -> Response {
    let etag = etag(&found);
    let mut response = if is_known(&etag, asked) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let kind = content_type(path, found.metadata.mimetype());
        ([(header::CONTENT_TYPE, kind)], body(found.data)).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching(path)));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(header::ETAG, etag);
    }
    response
}

fn caching(path: &str) -> &'static str {
    if path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" }
}

/// Weak, because the bytes on the wire may be compressed.
fn etag(found: &EmbeddedFile) -> String {
    let mut etag = "W/\"".to_owned();
    for byte in &found.metadata.sha256_hash()[..16] {
        let _ = write!(etag, "{byte:02x}");
    }
    etag.push('"');
    etag
}

fn is_known(etag: &str, asked: &HeaderMap) -> bool {
    asked
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|known| matches!(known.trim(), "*") || known.trim() == etag)
}

fn content_type(path: &str, guessed: &str) -> String {
    if path.ends_with(".webmanifest") {
        "application/manifest+json".to_owned()
    } else if guessed.starts_with("text/") {
        format!("{guessed}; charset=utf-8")
    } else {
        guessed.to_owned()
    }
}

fn body(data: Cow<'static, [u8]>) -> Body {
    match data {
        Cow::Borrowed(bytes) => Body::from(bytes),
        Cow::Owned(bytes) => Body::from(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An app of three files.
    #[derive(RustEmbed)]
    #[folder = "tests/console/app"]
    struct Small;

    /// A folder without an app.
    #[derive(RustEmbed)]
    #[folder = "tests/console/tls"]
    struct Unbuilt;

    fn get<App: RustEmbed>(path: &str, known: Option<&HeaderValue>) -> Response {
        let known = known.map(|etag| (header::IF_NONE_MATCH, etag.clone()));
        answer::<App>(&Method::GET, &path.parse().unwrap(), &known.into_iter().collect())
    }

    #[track_caller]
    fn check(path: &str, status: u16, kind: &str, caching: Option<&str>) {
        let response = get::<Small>(path, None);
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(response.headers()[header::CONTENT_TYPE], kind, "{path}");
        let cached = response.headers().get(header::CACHE_CONTROL);
        assert_eq!(cached.map(|value| value.to_str().unwrap()), caching, "{path}");
    }

    #[test]
    fn files_have_their_types_and_hashed_ones_are_kept_for_good() {
        let html = "text/html; charset=utf-8";
        check("/", 200, html, Some("no-cache"));
        check("/people", 200, html, Some("no-cache"));
        check("/app.webmanifest", 200, "application/manifest+json", Some("no-cache"));
        let for_good = Some("public, max-age=31536000, immutable");
        check("/assets/app-12345678.js", 200, "text/javascript; charset=utf-8", for_good);
        check("/assets/missing.js", 404, "application/json", None);
        check("/../Cargo.toml", 404, "application/json", None);
        check("/api/board", 404, "application/json", None);
    }

    #[test]
    fn a_file_that_the_browser_has_is_not_sent_again() {
        let etag = get::<Small>("/", None).headers()[header::ETAG].clone();
        assert_eq!(get::<Small>("/", Some(&etag)).status(), StatusCode::NOT_MODIFIED);
        let other = HeaderValue::from_static("W/\"0\"");
        assert_eq!(get::<Small>("/", Some(&other)).status(), StatusCode::OK);
    }

    #[test]
    fn an_app_that_is_not_built_says_how() {
        assert_eq!(get::<Unbuilt>("/", None).status(), StatusCode::SERVICE_UNAVAILABLE);
    }

    #[test]
    fn nothing_can_be_written_here() {
        let response = answer::<Small>(&Method::POST, &"/".parse().unwrap(), &HeaderMap::new());
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
}
