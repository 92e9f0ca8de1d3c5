use std::collections::VecDeque;

use wristband::{EarlierEpoch, MAX_EARLIER_EPOCHS, StreamPacket};

/// The ring of packets that a band keeps, whoever listens. It survives a reboot.
#[derive(Debug)]
pub(crate) struct Flash {
    capacity: usize,
    held: usize,
    /// Oldest first; the last is the running one.
    epochs: VecDeque<Epoch>,
}

/// What is kept of an epoch. Numbers run on, so a packet is found by counting.
#[derive(Debug)]
struct Epoch {
    number: u32,
    newest: u32,
    end_us: u64,
    utc_offset_us: Option<i64>,
    /// Bytes as they were sent live, oldest first; the last is `newest`.
    packets: VecDeque<Box<[u8]>>,
}

impl Flash {
    pub(crate) fn new(capacity: usize, epoch: u32) -> Self {
        let mut flash = Self { capacity, held: 0, epochs: VecDeque::new() };
        flash.begin(epoch);
        flash
    }

    /// Begins an epoch. Only so many earlier ones are kept.
    pub(crate) fn begin(&mut self, number: u32) {
        let packets = VecDeque::new();
        self.epochs.push_back(Epoch { number, newest: 0, end_us: 0, utc_offset_us: None, packets });
        if self.epochs.len() > MAX_EARLIER_EPOCHS + 1 {
            let lost = self.epochs.pop_front().map_or(0, |epoch| epoch.packets.len());
            self.held -= lost;
        }
    }

    /// Keeps a packet of the running epoch; gives up the oldest where there is no room.
    pub(crate) fn keep(&mut self, packet: &StreamPacket, bytes: &[u8]) {
        if self.held == self.capacity {
            self.give_up_oldest();
        }
        let epoch = self.running_mut();
        epoch.newest = packet.sequence;
        epoch.end_us = packet.end_us();
        epoch.packets.push_back(bytes.into());
        self.held += 1;
    }

    pub(crate) fn set_utc_offset(&mut self, utc_offset_us: i64) {
        self.running_mut().utc_offset_us = Some(utc_offset_us);
    }

    pub(crate) fn packet(&self, epoch: u32, sequence: u32) -> Option<&[u8]> {
        let epoch = self.epochs.iter().find(|kept| kept.number == epoch)?;
        let index = sequence.checked_sub(epoch.oldest())?;
        epoch.packets.get(index as usize).map(AsRef::as_ref)
    }

    /// Oldest and newest packet that is held of an epoch.
    pub(crate) fn range(&self, epoch: u32) -> Option<(u32, u32)> {
        let epoch = self.epochs.iter().find(|kept| kept.number == epoch)?;
        Some((epoch.oldest(), epoch.newest))
    }

    /// Epochs before the running one that something is held of, newest first.
    pub(crate) fn earlier(&self) -> Vec<EarlierEpoch> {
        let kept = self.epochs.iter().rev().skip(1).filter(|epoch| !epoch.packets.is_empty());
        kept.map(|epoch| EarlierEpoch {
            epoch: epoch.number,
            oldest_sequence: epoch.oldest(),
            newest_sequence: epoch.newest,
            end_us: epoch.end_us,
            utc_offset_us: epoch.utc_offset_us,
        })
        .collect()
    }

    fn give_up_oldest(&mut self) {
        let oldest = self.epochs.iter_mut().find(|epoch| !epoch.packets.is_empty());
        if oldest.and_then(|epoch| epoch.packets.pop_front()).is_some() {
            self.held -= 1;
        }
    }

    fn running_mut(&mut self) -> &mut Epoch {
        self.epochs.back_mut().expect("`new` begins the first epoch, and none after it is ended")
    }
}

impl Epoch {
    /// One more than the newest where nothing is held.
    fn oldest(&self) -> u32 {
        let held = u32::try_from(self.packets.len()).unwrap_or(u32::MAX);
        self.newest.saturating_sub(held) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(flash: &mut Flash, epoch: u32, sequence: u32) {
        let blocks = Vec::new();
        let device_time_us = u64::from(sequence) * 1_000;
        let packet = StreamPacket { epoch, sequence, device_time_us, replayed: false, blocks };
        flash.keep(&packet, &[u8::try_from(sequence).expect("few packets")]);
    }

    #[test]
    fn the_oldest_packet_makes_room_and_says_so() {
        let mut flash = Flash::new(3, 7);
        assert_eq!(flash.range(7), Some((1, 0)));
        (1..=5).for_each(|sequence| keep(&mut flash, 7, sequence));
        assert_eq!(flash.range(7), Some((3, 5)));
        assert_eq!(flash.packet(7, 2), None);
        assert_eq!(flash.packet(7, 3), Some([3].as_slice()));
        assert_eq!(flash.packet(7, 6), None);
    }

    #[test]
    fn a_reboot_keeps_the_earlier_epochs_until_their_room_is_needed() {
        let mut flash = Flash::new(3, 7);
        (1..=2).for_each(|sequence| keep(&mut flash, 7, sequence));
        flash.set_utc_offset(5);
        flash.begin(8);
        keep(&mut flash, 8, 1);
        let earlier = flash.earlier();
        assert_eq!(earlier.len(), 1);
        assert_eq!((earlier[0].epoch, earlier[0].oldest_sequence), (7, 1));
        assert_eq!((earlier[0].newest_sequence, earlier[0].utc_offset_us), (2, Some(5)));
        assert_eq!(flash.packet(7, 1), Some([1].as_slice()));

        (2..=4).for_each(|sequence| keep(&mut flash, 8, sequence));
        assert_eq!(flash.earlier(), []);
        assert_eq!(flash.range(8), Some((2, 4)));
        (9..=16).for_each(|epoch| flash.begin(epoch));
        assert_eq!(flash.range(8), None);
    }
}
