use biosignal::Timestamp;
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

use crate::Address;
use crate::command::BandFault;
use crate::firmware::{Firmware, Notification};

/// A device as the radio knows it: an address, a signal, and firmware behind it.
#[derive(Debug)]
pub(crate) struct Wearable {
    pub(crate) address: Address,
    pub(crate) name: String,
    pub(crate) firmware: Firmware,
    rssi_dbm: i16,
    out_of_reach: bool,
    streamed: bool,
    air: Air,
}

/// What becomes of notifications on their way.
#[derive(Debug)]
struct Air {
    chance: Xoshiro256PlusPlus,
    loss: f64,
    reorder: f64,
    garbage: bool,
    /// A notification that the next one overtakes.
    held: Option<Notification>,
}

impl Wearable {
    pub(crate) fn new(
        address: Address,
        name: String,
        firmware: Firmware,
        rssi_dbm: i16,
        seed: u64,
    ) -> Self {
        let chance = Xoshiro256PlusPlus::seed_from_u64(seed);
        let air = Air { chance, loss: 0.0, reorder: 0.0, garbage: false, held: None };
        Self { address, name, firmware, rssi_dbm, out_of_reach: false, streamed: false, air }
    }

    pub(crate) fn set_air(&mut self, loss: f64, reorder: f64) {
        self.air.loss = loss;
        self.air.reorder = reorder;
    }

    /// Whether anybody could hear it now.
    pub(crate) fn heard(&self, now: Timestamp) -> bool {
        !self.out_of_reach && !self.firmware.booting(now)
    }

    /// The strength of its signal, which never stands still.
    pub(crate) fn rssi_dbm(&self, now: Timestamp) -> i16 {
        let flutter = (now.as_micros() / 1_000_000 * 7).rem_euclid(5) - 2;
        self.rssi_dbm.saturating_add(i16::try_from(flutter).unwrap_or(0))
    }

    /// Whether somebody has begun to listen to its samples since the last call.
    pub(crate) fn began_streaming(&mut self) -> bool {
        let before = std::mem::replace(&mut self.streamed, self.firmware.streams());
        self.streamed && !before
    }

    pub(crate) fn link_up(&mut self) {
        self.firmware.link_up();
        self.air.held = None;
    }

    pub(crate) fn link_lost(&mut self) {
        self.firmware.link_lost();
        self.air.held = None;
    }

    /// What arrives of what the device sends by now.
    pub(crate) fn tick(&mut self, now: Timestamp) -> Vec<Notification> {
        let sent = self.firmware.tick(now);
        if self.heard(now) { self.air.pass(sent) } else { Vec::new() }
    }

    /// Does something to it; links are the radio's affair.
    ///
    /// # Errors
    /// Says what cannot be done to such a device.
    pub(crate) fn suffer(&mut self, now: Timestamp, fault: BandFault) -> Result<(), String> {
        match (fault, &mut self.firmware) {
            (BandFault::Vanish, _) => self.out_of_reach = true,
            (BandFault::Return, _) => self.out_of_reach = false,
            (BandFault::Garbage, _) => self.air.garbage = true,
            (BandFault::Sane, _) => self.air.garbage = false,
            (BandFault::Lose(share), _) => self.air.loss = share,
            (BandFault::Reorder(share), _) => self.air.reorder = share,
            (BandFault::OffWrist, firmware) => firmware.set_worn(false),
            (BandFault::OnWrist, firmware) => firmware.set_worn(true),
            (BandFault::DropLink, _) => {}
            (BandFault::Reboot, Firmware::Band(band)) => band.reboot(now),
            (BandFault::Freeze, Firmware::Band(band)) => band.set_frozen(true),
            (BandFault::Thaw, Firmware::Band(band)) => band.set_frozen(false),
            (BandFault::Button, Firmware::Band(band)) => band.press(now),
            (fault, Firmware::Strap(_)) => return Err(format!("a strap cannot {fault:?}")),
        }
        Ok(())
    }
}

impl Air {
    fn pass(&mut self, sent: Vec<Notification>) -> Vec<Notification> {
        let mut arrived = Vec::with_capacity(sent.len());
        for notification in sent {
            if !notification.live {
                arrived.push(notification);
                continue;
            }
            if self.chance.random_bool(self.loss) {
                continue;
            }
            let notification = self.spoiled(notification);
            if self.held.is_none() && self.chance.random_bool(self.reorder) {
                self.held = Some(notification);
            } else {
                arrived.push(notification);
                arrived.extend(self.held.take());
            }
        }
        arrived
    }

    fn spoiled(&mut self, notification: Notification) -> Notification {
        if !self.garbage {
            return notification;
        }
        let length = self.chance.random_range(0..=244);
        let bytes = (0..length).map(|_| self.chance.random()).collect();
        Notification { bytes, ..notification }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn air(loss: f64, reorder: f64, garbage: bool) -> Air {
        Air { chance: Xoshiro256PlusPlus::seed_from_u64(1), loss, reorder, garbage, held: None }
    }

    fn send(air: &mut Air, live: bool) -> Vec<u8> {
        let characteristic = wristband::uuids::STREAM;
        let sent =
            (0..200).map(|number| Notification { characteristic, bytes: vec![number], live });
        let arrived = sent.flat_map(|notification| air.pass(vec![notification]));
        arrived.map(|notification| notification.bytes.first().copied().unwrap_or(0)).collect()
    }

    #[test]
    fn the_air_loses_swaps_and_spoils_as_it_is_told() {
        let straight: Vec<u8> = (0..200).collect();
        assert_eq!(send(&mut air(0.0, 0.0, false), true), straight);
        assert!((60..140).contains(&send(&mut air(0.5, 0.0, false), true).len()));
        let mut swapping = air(0.0, 0.3, false);
        let mut swapped = send(&mut swapping, true);
        swapped.extend(swapping.held.map(|notification| notification.bytes[0]));
        assert_ne!(swapped, straight);
        swapped.sort_unstable();
        assert_eq!(swapped, straight);
        assert_ne!(send(&mut air(0.0, 0.0, true), true), straight);
        assert_eq!(send(&mut air(0.5, 0.3, true), false), straight, "flash is sent as it is");
    }
}
