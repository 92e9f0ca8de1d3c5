//! Services and characteristics, by their 128-bit identities.

use uuid::Uuid;

/// The wristband's service.
pub const SERVICE: Uuid = ours(0x0001);
/// Packets of samples: notify.
pub const STREAM: Uuid = ours(0x0002);
/// Commands to the band: write.
pub const CONTROL: Uuid = ours(0x0003);
/// What the band is doing and what its flash holds: read, notify.
pub const STATE: Uuid = ours(0x0004);

/// Heart Rate service of the Bluetooth SIG.
pub const HEART_RATE_SERVICE: Uuid = assigned(0x180D);
/// Heart Rate Measurement: notify.
pub const HEART_RATE_MEASUREMENT: Uuid = assigned(0x2A37);
/// Battery service of the Bluetooth SIG.
pub const BATTERY_SERVICE: Uuid = assigned(0x180F);
/// Battery Level in percent: read, notify.
pub const BATTERY_LEVEL: Uuid = assigned(0x2A19);
/// Device Information service of the Bluetooth SIG.
pub const DEVICE_INFORMATION: Uuid = assigned(0x180A);
/// Manufacturer Name String: read.
pub const MANUFACTURER_NAME: Uuid = assigned(0x2A29);
/// Model Number String: read.
pub const MODEL_NUMBER: Uuid = assigned(0x2A24);
/// Serial Number String: read.
pub const SERIAL_NUMBER: Uuid = assigned(0x2A25);
/// Firmware Revision String: read.
pub const FIRMWARE_REVISION: Uuid = assigned(0x2A26);

const fn ours(number: u16) -> Uuid {
    Uuid::from_u128(0x5311_0000_1225_4f33_a0b6_3ee5_7b79_1fd7 | (number as u128) << 96)
}

const fn assigned(number: u16) -> Uuid {
    Uuid::from_u128(0x0000_0000_0000_1000_8000_0080_5f9b_34fb | (number as u128) << 96)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_written_as_in_the_profile() {
        assert_eq!(SERVICE.to_string(), "53110001-1225-4f33-a0b6-3ee57b791fd7");
        assert_eq!(STATE.to_string(), "53110004-1225-4f33-a0b6-3ee57b791fd7");
        assert_eq!(HEART_RATE_MEASUREMENT.to_string(), "00002a37-0000-1000-8000-00805f9b34fb");
    }
}
