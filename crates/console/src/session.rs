use std::fmt::Write as _;
use std::net::IpAddr;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::{Role, User};

use crate::app::App;
use crate::body::Body;
use crate::caller::Caller;
use crate::config::Config;
use crate::door::Peer;
use crate::failure::Failure;
use crate::{moment, password};

/// Over HTTPS the browser itself sees to it that nobody else sets the cookie (`__Host-`).
const COOKIE: &str = "tidewatch";
const COOKIE_HTTPS: &str = "__Host-tidewatch";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    pub(crate) name: String,
    pub(crate) password: String,
}

/// An account without its secrets.
#[derive(Debug, Serialize)]
pub(crate) struct Account {
    id: String,
    name: String,
    role: Role,
}

impl From<&User> for Account {
    fn from(user: &User) -> Self {
        Self { id: user.id.to_string(), name: user.name.clone(), role: user.role }
    }
}

/// Signs in.
pub(crate) async fn create(
    State(app): State<App>,
    ConnectInfo(Peer(peer)): ConnectInfo<Peer>,
    headers: HeaderMap,
    Body(credentials): Body<Credentials>,
) -> Result<Response, Failure> {
    let address = client_address(&app.config, peer.ip(), &headers);
    let Credentials { name, password } = credentials;
    let name = name.trim();
    let begun = app.attempts().begin(name, address, moment::now());
    begun.map_err(|wait| {
        metrics::counter!("tidewatch_console_refused_sign_ins_total").increment(1);
        Failure::too_many(wait)
    })?;
    match signed_in(&app, name, password).await? {
        Some(user) => {
            app.attempts().succeeded(name, address);
            start(&app, &user).await
        }
        None => Err(refused(&app, &address).await?),
    }
}

async fn signed_in(app: &App, name: &str, password: String) -> Result<Option<User>, Failure> {
    if password.len() > password::LONGEST {
        return Ok(None);
    }
    let user = app.store.user_by_name(name).await?;
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    let right = password::verify(password, hash).await?;
    Ok(user.filter(|_| right))
}

/// The same for an unknown name and for a wrong password.
async fn refused(app: &App, address: &IpAddr) -> Result<Failure, Failure> {
    metrics::counter!("tidewatch_console_failed_sign_ins_total").increment(1);
    app.audit("nobody", "session.refused", &address.to_string()).await?;
    Ok(Failure::new(StatusCode::UNAUTHORIZED, "The name or the password is not right."))
}

/// Gives the browser a new token; the store keeps its digest alone.
pub(crate) async fn start(app: &App, user: &User) -> Result<Response, Failure> {
    let token = hex(&rand::random::<[u8; 32]>());
    let now = moment::now();
    let lifetime = app.config.session_lifetime;
    let expires = now.plus_micros(i64::try_from(lifetime.as_micros()).unwrap_or(i64::MAX));
    app.audit(user.id.as_str(), "session.begin", user.id.as_str()).await?;
    app.store.create_session(digest(&token), &user.id, now, expires).await?;
    let cookie = cookie(&app.config, &token, lifetime.as_secs());
    Ok(([(header::SET_COOKIE, cookie)], Json(Account::from(user))).into_response())
}

/// Whoever is signed in.
pub(crate) async fn show(State(app): State<App>, caller: Caller) -> Result<Json<Account>, Failure> {
    let user = app.store.user(&caller.id).await?.ok_or_else(Failure::signed_out)?;
    Ok(Json(Account::from(&user)))
}

/// Signs out.
pub(crate) async fn end(State(app): State<App>, caller: Caller) -> Result<Response, Failure> {
    app.audit(caller.id.as_str(), "session.end", caller.id.as_str()).await?;
    app.store.delete_session(caller.session).await?;
    let cookie = cookie(&app.config, "", 0);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// Who sends a request, where its cookie holds a session that stands.
pub(crate) async fn caller(app: &App, headers: &HeaderMap) -> Result<Option<Caller>, Failure> {
    let Some(token) = token(&app.config, headers) else { return Ok(None) };
    let session = digest(token);
    let found = app.store.session(session, moment::now()).await?;
    Ok(found.map(|found| Caller { id: found.user.id, role: found.user.role, session }))
}

/// Whether the caller is still signed in.
pub(crate) async fn stands(app: &App, caller: &Caller) -> anyhow::Result<bool> {
    Ok(app.store.session(caller.session, moment::now()).await?.is_some())
}

fn token<'a>(config: &Config, headers: &'a HeaderMap) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == cookie_name(config))
        .map(|(_, token)| token)
}

fn cookie_name(config: &Config) -> &'static str {
    if config.is_https() { COOKIE_HTTPS } else { COOKIE }
}

fn cookie(config: &Config, token: &str, seconds: u64) -> HeaderValue {
    let name = cookie_name(config);
    let secure = if config.is_https() { "; Secure" } else { "" };
    let cookie =
        format!("{name}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::try_from(cookie).expect("hex digits and a number")
}

/// Behind a proxy it is the last one that the proxy added; what comes before anybody can claim.
fn client_address(config: &Config, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let forwarded = headers
        .get_all("x-forwarded-for")
        .iter()
        .next_back()
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.rsplit(',').next())
        .and_then(|address| address.trim().parse().ok());
    forwarded.filter(|_| config.behind_https_proxy).unwrap_or(peer)
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, values: &[&'static str]) -> HeaderMap {
        values
            .iter()
            .map(|value| (name.parse().unwrap(), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn over_https_the_cookie_is_for_https_alone() {
        let https = Config { behind_https_proxy: true, ..Config::default() };
        let text = cookie(&https, "abc", 60);
        assert_eq!(
            text,
            "__Host-tidewatch=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure"
        );
        let text = cookie(&Config::default(), "abc", 60);
        assert_eq!(text, "tidewatch=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Strict");
    }

    #[test]
    fn the_token_is_found_among_other_cookies() {
        let config = Config::default();
        assert_eq!(token(&config, &headers("cookie", &["a=b; tidewatch=abc"])), Some("abc"));
        assert_eq!(token(&config, &headers("cookie", &["a=b", "tidewatch=abc"])), Some("abc"));
        assert_eq!(token(&config, &headers("cookie", &["xtidewatch=abc", "tidewatch"])), None);
    }

    #[test]
    fn only_a_proxy_that_is_configured_is_believed() {
        let peer = IpAddr::from([10, 0, 0, 1]);
        let headers = headers("x-forwarded-for", &["1.1.1.1", "2.2.2.2, 3.3.3.3"]);
        assert_eq!(client_address(&Config::default(), peer, &headers), peer);
        let proxied = Config { behind_https_proxy: true, ..Config::default() };
        assert_eq!(client_address(&proxied, peer, &headers), IpAddr::from([3, 3, 3, 3]));
    }
}
