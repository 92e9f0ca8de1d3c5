use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A word that cannot be an identity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {word:?}: 1 to 32 of a-z, 0-9 and '-'")]
pub struct IdError {
    kind: &'static str,
    word: String,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Word);

        impl $name {
            /// Checks a word: 1 to 32 of `a-z`, `0-9` and `-`, so that it is safe in a
            /// topic, a tag, a path and a URL.
            ///
            /// # Errors
            /// [`IdError`] names the word.
            pub fn new(word: impl Into<String>) -> Result<Self, IdError> {
                let word = word.into();
                Word::new(&word).map(Self).ok_or(IdError { kind: $kind, word })
            }

            /// The identity as a word.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.as_str()).finish()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(word: &str) -> Result<Self, IdError> {
                Self::new(word)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(word: String) -> Result<Self, IdError> {
                Self::new(word)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.as_str().to_owned()
            }
        }
    };
}

id!(
    /// A wristband or strap: its Bluetooth address as 12 lower-case hex digits.
    DeviceId,
    "device"
);
id!(
    /// A gateway daemon.
    GatewayId,
    "gateway"
);
id!(
    /// A person's pseudonym. The name belongs to the care view alone.
    PersonId,
    "person"
);
id!(
    /// A house.
    SiteId,
    "site"
);

impl DeviceId {
    /// The id of the device with a Bluetooth address, most significant byte first.
    #[must_use]
    pub fn from_address(address: [u8; 6]) -> Self {
        let word: String = address.iter().map(|byte| format!("{byte:02x}")).collect();
        Self(Word::new(&word).expect("hex digits make an id"))
    }
}

/// The longest word that an identity can be.
const LONGEST: usize = 32;

/// A word in place: every reading carries its device, and is compared by it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Word {
    /// Zeros stand behind the word.
    bytes: [u8; LONGEST],
    length: u8,
}

impl Word {
    fn new(word: &str) -> Option<Self> {
        let may = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if word.is_empty() || !word.bytes().all(may) {
            return None;
        }
        let mut bytes = [0; LONGEST];
        bytes.get_mut(..word.len())?.copy_from_slice(word.as_bytes());
        Some(Self { bytes, length: u8::try_from(word.len()).ok()? })
    }

    fn as_str(&self) -> &str {
        let bytes = &self.bytes[..usize::from(self.length)];
        std::str::from_utf8(bytes).expect("a word is of letters and digits")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_safe_in_a_topic_and_a_path() {
        assert!(SiteId::new("house-1").is_ok());
        for word in ["", "House", "a/b", "a+b", "a b", "..", "\u{e9}", &"x".repeat(33)] {
            assert!(SiteId::new(word).is_err(), "{word:?} was accepted");
        }
        assert_eq!(
            SiteId::new("a/b").map_err(|error| error.to_string()),
            Err("site \"a/b\": 1 to 32 of a-z, 0-9 and '-'".to_owned())
        );
    }

    #[test]
    fn a_device_is_named_by_its_address() {
        let id = DeviceId::from_address([0xC0, 0xFF, 0xEE, 0, 0, 1]);
        assert_eq!(id.as_str(), "c0ffee000001");
    }
}
