use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

/// Hashing takes 19 MiB and tens of milliseconds each: two at a time, the rest wait
/// in line, so that a flood of sign-ins does not take the machine.
static PLACES: Semaphore = Semaphore::const_new(2);

/// Stands in for the hash of an account that does not exist: the answer takes as long.
static NOBODY: LazyLock<String> =
    LazyLock::new(|| hash_now("nobody has this password").unwrap_or_default());

/// Fewest characters of a password.
pub(crate) const SHORTEST: usize = 8;
/// Most bytes of a password.
pub(crate) const LONGEST: usize = 256;

/// The argon2id hash of a password, with its salt and parameters, as text.
pub(crate) async fn hash(password: String) -> anyhow::Result<String> {
    let _place = PLACES.acquire().await?;
    tokio::task::spawn_blocking(move || hash_now(&password)).await?
}

/// Whether the password is the one that was hashed; `None` is an account that does not exist.
pub(crate) async fn verify(password: String, hash: Option<String>) -> anyhow::Result<bool> {
    let _place = PLACES.acquire().await?;
    let verified = tokio::task::spawn_blocking(move || {
        let exists = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODY.clone());
        let Ok(parsed) = PasswordHash::new(&hash) else { return false };
        let right = Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok();
        right && exists
    });
    Ok(verified.await?)
}

/// What is wrong with a password that is to be set, if anything.
pub(crate) fn fault(password: &str) -> Option<String> {
    if password.chars().count() < SHORTEST {
        Some(format!("The password needs at least {SHORTEST} characters."))
    } else if password.len() > LONGEST {
        Some(format!("The password can have at most {LONGEST} bytes."))
    } else {
        None
    }
}

/// Argon2id with the crate's defaults (19 MiB, 2 passes, as OWASP advises) and a random salt.
fn hash_now(password: &str) -> anyhow::Result<String> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| anyhow::anyhow!("cannot hash a password: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_of_an_account_that_exists_is_right() {
        let hashed = hash("correct horse".to_owned()).await.unwrap();
        assert!(hashed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hashed}");
        assert!(verify("correct horse".to_owned(), Some(hashed.clone())).await.unwrap());
        assert!(!verify("correct house".to_owned(), Some(hashed)).await.unwrap());
        assert!(!verify("nobody has this password".to_owned(), None).await.unwrap());
        assert!(!verify(String::new(), Some("not a hash".to_owned())).await.unwrap());
    }

    #[test]
    fn a_short_or_endless_password_is_refused() {
        assert!(fault("1234567").is_some());
        assert!(fault("12345678").is_none());
        assert!(fault(&"x".repeat(257)).is_some());
    }
}
