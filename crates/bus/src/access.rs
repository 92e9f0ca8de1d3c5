//! Who may come in to the embedded broker, and what they may do there.

use std::collections::HashMap;
use std::future::{Future, ready};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;

use mqtt5::MqttError;
use mqtt5::broker::{AuthProvider, AuthResult};
use mqtt5::packet::connect::ConnectPacket;
use mqtt5::protocol::v5::reason_codes::ReasonCode;
use serde::Deserialize;

use crate::endpoint::{EndpointError, read_secret};

type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Somebody who may come in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The name.
    pub name: String,
    /// A file that holds the password in its first line.
    pub password_file: PathBuf,
    /// Topic filters that they may publish to; `%u` stands for the name.
    #[serde(default)]
    pub publish: Vec<String>,
    /// Topic filters that they may subscribe to; `%u` stands for the name.
    #[serde(default)]
    pub subscribe: Vec<String>,
}

/// The users with their passwords and rights; none: everybody may do everything.
pub(crate) struct Access {
    users: HashMap<String, Rights>,
}

struct Rights {
    password: String,
    publish: Vec<String>,
    subscribe: Vec<String>,
}

impl Access {
    pub(crate) fn load(users: &[User]) -> Result<Self, EndpointError> {
        let rights = |user: &User| {
            let own = |filters: &[String]| {
                filters.iter().map(|filter| filter.replace("%u", &user.name)).collect()
            };
            Ok((
                user.name.clone(),
                Rights {
                    password: read_secret(&user.password_file)?,
                    publish: own(&user.publish),
                    subscribe: own(&user.subscribe),
                },
            ))
        };
        Ok(Self { users: users.iter().map(rights).collect::<Result<_, _>>()? })
    }

    fn admits(&self, name: Option<&str>, password: Option<&[u8]>) -> bool {
        let rights = name.and_then(|name| self.users.get(name));
        match (rights, password) {
            (Some(rights), Some(password)) => same(rights.password.as_bytes(), password),
            _ => self.users.is_empty(),
        }
    }

    fn allows(&self, name: Option<&str>, filter: &str, of: fn(&Rights) -> &[String]) -> bool {
        if self.users.is_empty() {
            return true;
        }
        let rights = name.and_then(|name| self.users.get(name));
        rights.is_some_and(|rights| of(rights).iter().any(|allowed| covers(allowed, filter)))
    }
}

/// Compares in a time that does not tell how much of it is right.
fn same(secret: &[u8], offered: &[u8]) -> bool {
    let differences = secret.iter().zip(offered).fold(0, |all, (a, b)| all | (a ^ b));
    secret.len() == offered.len() && differences == 0
}

/// Whether all that `asked` (a topic or a filter) matches is matched by `allowed`.
fn covers(allowed: &str, asked: &str) -> bool {
    if asked.starts_with('$') && !allowed.starts_with('$') {
        return false;
    }
    let mut asked = asked.split('/');
    for level in allowed.split('/') {
        match (level, asked.next()) {
            ("#", _) => return true,
            (_, None | Some("#")) => return false,
            ("+", Some(_)) => {}
            (level, Some(word)) if level == word => {}
            _ => return false,
        }
    }
    asked.next().is_none()
}

impl AuthProvider for Access {
    fn authenticate<'a>(
        &'a self,
        connect: &'a ConnectPacket,
        client: SocketAddr,
    ) -> Answer<'a, Result<AuthResult, MqttError>> {
        let name = connect.username.as_deref();
        let admitted = self.admits(name, connect.password.as_deref());
        if !admitted {
            tracing::warn!(%client, name, "refused at the broker's door");
        }
        Box::pin(ready(Ok(match (admitted, name) {
            (false, _) => AuthResult::fail(ReasonCode::BadUsernameOrPassword),
            (true, Some(name)) => AuthResult::success_with_user(name),
            (true, None) => AuthResult::success(),
        })))
    }

    fn authorize_publish<'a>(
        &'a self,
        _client_id: &str,
        name: Option<&'a str>,
        topic: &'a str,
    ) -> Answer<'a, bool> {
        Box::pin(ready(self.allows(name, topic, |rights| &rights.publish)))
    }

    fn authorize_subscribe<'a>(
        &'a self,
        _client_id: &str,
        name: Option<&'a str>,
        filter: &'a str,
    ) -> Answer<'a, bool> {
        Box::pin(ready(self.allows(name, filter, |rights| &rights.subscribe)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_covers_what_is_within_it_and_no_more() {
        for (allowed, asked) in [
            ("a/b", "a/b"),
            ("a/+", "a/b"),
            ("a/+", "a/+"),
            ("a/#", "a"),
            ("a/#", "a/b/c"),
            ("a/#", "a/#"),
            ("#", "a/+/c"),
        ] {
            assert!(covers(allowed, asked), "{allowed} does not cover {asked}");
        }
        for (allowed, asked) in [
            ("a/b", "a/c"),
            ("a/b", "a/+"),
            ("a/+", "a/b/c"),
            ("a/+", "a/#"),
            ("a/+/c", "a/#"),
            ("a/b", "a"),
            ("a", "a/#"),
            ("#", "$SYS/x"),
            ("+/x", "$SYS/x"),
        ] {
            assert!(!covers(allowed, asked), "{allowed} covers {asked}");
        }
    }

    #[test]
    fn a_password_is_right_or_wrong() {
        let rights = Rights { password: "secret".into(), publish: vec![], subscribe: vec![] };
        let access = Access { users: HashMap::from([("gw-1".to_owned(), rights)]) };
        assert!(access.admits(Some("gw-1"), Some(b"secret")));
        for (name, password) in [
            (Some("gw-1"), Some(&b"secre"[..])),
            (Some("gw-1"), Some(b"secretx")),
            (Some("gw-1"), None),
            (Some("gw-2"), Some(b"secret")),
            (None, None),
        ] {
            assert!(!access.admits(name, password), "{name:?} with {password:?} came in");
        }
    }
}
