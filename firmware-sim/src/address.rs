use std::fmt;
use std::str::FromStr;

use biosignal::DeviceId;
use serde::{Deserialize, Serialize};

/// A Bluetooth address, most significant byte first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address([u8; 6]);

impl Address {
    /// The address of so many bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 6]) -> Self {
        Self(bytes)
    }

    /// The identity that the house gives the device of this address.
    #[must_use]
    pub fn device(self) -> DeviceId {
        DeviceId::from_address(self.0)
    }

    /// The last part of the device's object path in BlueZ.
    pub(crate) fn node(self) -> String {
        format!("dev_{}", self.to_string().replace(':', "_"))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02X}:{b:02X}:{c:02X}:{d:02X}:{e:02X}:{g:02X}")
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let wrong = || format!("{word:?} is not a Bluetooth address like C0:FF:EE:00:00:01");
        let mut bytes = [0; 6];
        let mut parts = word.split(':');
        for byte in &mut bytes {
            let part = parts.next().filter(|part| is_byte(part)).ok_or_else(wrong)?;
            *byte = u8::from_str_radix(part, 16).map_err(|_| wrong())?;
        }
        if parts.next().is_some() { Err(wrong()) } else { Ok(Self(bytes)) }
    }
}

fn is_byte(part: &str) -> bool {
    part.len() == 2 && part.bytes().all(|digit| digit.is_ascii_hexdigit())
}

impl TryFrom<String> for Address {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        word.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_named_as_bluez_does() {
        let address: Address = "c0:FF:EE:00:00:01".parse().expect("six hex pairs");
        assert_eq!(address.to_string(), "C0:FF:EE:00:00:01");
        assert_eq!(address.node(), "dev_C0_FF_EE_00_00_01");
        assert_eq!(address.device().as_str(), "c0ffee000001");
        for word in ["", "C0:FF:EE:00:00", "C0:FF:EE:00:00:01:02", "C0:FF:EE:00:00:+1"] {
            assert!(word.parse::<Address>().is_err(), "{word:?} was accepted");
        }
    }
}
