use std::collections::{BTreeMap, BTreeSet};

use biosignal::{Channel, Timestamp};
use uuid::Uuid;
use wristband::{BandState, Block, Command, DecodeError, packets, uuids};

use super::clock::DeviceClock;
use super::flash::Flash;
use super::gatt::{NOTIFY, READ_NOTIFY, WRITE, information, service, standard_services};
use super::replay::Replay;
use super::{AttError, Battery, Notification, Service};
use crate::body::{Seen, Segment, Table, WINDOW_US, Wearer, round_up};

/// A wristband that speaks the open profile (`crates/wristband/PROFILE.md`).
#[derive(Debug)]
pub(crate) struct Band {
    serial: String,
    services: Vec<Service>,
    wearer: Wearer,
    table: Table,
    wear: Wear,
    battery: Battery,
    clock: DeviceClock,
    drift_ppm: f64,
    epoch: u32,
    sequence: u32,
    flash: Flash,
    replay: Replay,
    /// Body time of the next window.
    next_us: i64,
    subscribed: BTreeSet<Uuid>,
    streaming: bool,
    /// Presses of the button that no packet has told of yet, true time.
    presses: Vec<Timestamp>,
    /// When State is sent next by itself.
    state_at: Timestamp,
    told_percent: u8,
}

/// How the band sits, and what is wrong with its sensors.
#[derive(Debug, Default)]
struct Wear {
    put_down: bool,
    frozen: bool,
    /// The last value of each channel, which a frozen sensor repeats.
    last: BTreeMap<Channel, Vec<i32>>,
    on_wrist: bool,
    /// Windows in a row that contradict `on_wrist`.
    doubt: u8,
}

/// What a band is made with.
pub(crate) struct BandParts {
    pub(crate) serial: String,
    pub(crate) wearer: Wearer,
    pub(crate) battery_percent: u8,
    pub(crate) drift_ppm: f64,
    pub(crate) flash_packets: usize,
    pub(crate) replay_packets_per_s: u32,
}

/// From a restart until the first sample.
const REBOOT_US: i64 = 3_000_000;
/// From the start of the clock until the first sample.
const WARM_UP_US: i64 = 500_000;
const STATE_EVERY_US: i64 = 10_000_000;
/// Windows until the band believes that it was put on or taken off: 3 s.
const CERTAIN: u8 = 6;

impl Band {
    /// A band whose flash holds what its wearer lived before `now`.
    pub(crate) fn new(parts: BandParts, seed: u64, now: Timestamp) -> Self {
        // A counter that no restart of the simulation repeats, as the profile demands.
        let epoch = u32::try_from(now.as_micros() / 1_000_000).unwrap_or(u32::MAX / 2);
        let boot = parts.wearer.born.plus_micros(-WARM_UP_US);
        let ours = [(uuids::STREAM, NOTIFY), (uuids::CONTROL, WRITE), (uuids::STATE, READ_NOTIFY)];
        let mut services = vec![service(uuids::SERVICE, &ours)];
        services.extend(standard_services());
        let mut band = Self {
            serial: parts.serial,
            services,
            wearer: parts.wearer,
            table: Table::new(seed),
            wear: Wear { on_wrist: true, ..Wear::default() },
            battery: Battery::new(now, parts.battery_percent),
            clock: DeviceClock::new(boot, parts.drift_ppm),
            drift_ppm: parts.drift_ppm,
            epoch,
            sequence: 0,
            flash: Flash::new(parts.flash_packets, epoch),
            replay: Replay::new(parts.replay_packets_per_s),
            next_us: 0,
            subscribed: BTreeSet::new(),
            streaming: false,
            presses: Vec::new(),
            state_at: now,
            told_percent: parts.battery_percent,
        };
        band.tick(now);
        band
    }

    pub(crate) fn services(&self) -> &[Service] {
        &self.services
    }

    pub(crate) fn wearer(&self) -> &Wearer {
        &self.wearer
    }

    /// A new connection begins stopped, with nothing asked for.
    pub(crate) fn link_up(&mut self) {
        self.link_lost();
    }

    pub(crate) fn link_lost(&mut self) {
        self.streaming = false;
        self.subscribed.clear();
        self.replay.clear();
    }

    pub(crate) fn subscribe(&mut self, characteristic: Uuid, on: bool) {
        if !on {
            self.subscribed.remove(&characteristic);
        } else if self.subscribed.insert(characteristic) && characteristic == uuids::STATE {
            self.tell_state();
        }
    }

    pub(crate) fn read(&self, now: Timestamp, characteristic: Uuid) -> Result<Vec<u8>, AttError> {
        match characteristic {
            uuids::STATE => Ok(self.state(now).encode()),
            uuids::BATTERY_LEVEL => Ok(vec![self.battery.percent(now)]),
            other => information(other, "TW-1", &self.serial).ok_or(AttError::READ_NOT_PERMITTED),
        }
    }

    pub(crate) fn write(
        &mut self,
        now: Timestamp,
        characteristic: Uuid,
        bytes: &[u8],
    ) -> Result<(), AttError> {
        if characteristic != uuids::CONTROL {
            return Err(AttError::WRITE_NOT_PERMITTED);
        }
        let command = Command::decode(bytes).map_err(|error| refusal(&error))?;
        match command {
            Command::SetTime { utc } => self.set_time(now, utc),
            Command::Start => self.stream(true),
            Command::Stop => self.stream(false),
            Command::Replay { epoch, from, through } => {
                if !self.replay.ask(now, epoch, from, through) {
                    return Err(AttError::REPLAYS_WAITING);
                }
            }
            Command::Identify => tracing::info!(band = self.serial, "blinks"),
        }
        Ok(())
    }

    /// Packets first, then what was asked for again.
    pub(crate) fn tick(&mut self, now: Timestamp) -> Vec<Notification> {
        let mut sent = Vec::new();
        while self.window_end() <= now {
            self.measure(&mut sent);
        }
        self.report(now, &mut sent);
        if self.subscribed.contains(&uuids::STREAM) {
            let again = self.replay.take(now, &self.flash);
            sent.extend(again.into_iter().map(|bytes| notification(uuids::STREAM, bytes, false)));
        }
        sent
    }

    pub(crate) fn streams(&self) -> bool {
        self.streaming && self.subscribed.contains(&uuids::STREAM)
    }

    pub(crate) fn due(&self) -> Timestamp {
        let told = self.subscribed.contains(&uuids::STATE).then_some(self.state_at);
        let due = [told, self.replay.due()].into_iter().flatten();
        due.fold(self.window_end(), Timestamp::min)
    }

    pub(crate) fn booting(&self, now: Timestamp) -> bool {
        self.sequence == 0 && self.clock.at(now) == 0
    }

    /// Restarts: a new epoch, a clock from 0, and a stretch that nobody measured.
    pub(crate) fn reboot(&mut self, now: Timestamp) {
        self.link_lost();
        self.epoch += 1;
        self.sequence = 0;
        self.flash.begin(self.epoch);
        self.presses.clear();
        self.next_us = round_up(now.micros_since(self.wearer.born) + REBOOT_US);
        let boot = self.wearer.born.plus_micros(self.next_us - WARM_UP_US);
        self.clock = DeviceClock::new(boot, self.drift_ppm);
    }

    pub(crate) fn set_frozen(&mut self, frozen: bool) {
        self.wear.frozen = frozen;
    }

    pub(crate) fn set_worn(&mut self, worn: bool) {
        self.wear.put_down = !worn;
        if !worn {
            self.table.put_down();
        }
    }

    pub(crate) fn press(&mut self, now: Timestamp) {
        self.presses.push(now);
    }

    fn window_end(&self) -> Timestamp {
        self.wearer.born.plus_micros(self.next_us + WINDOW_US)
    }

    /// Samples a window, keeps it, and sends it if somebody listens.
    fn measure(&mut self, sent: &mut Vec<Notification>) {
        let from_us = self.next_us;
        self.next_us += WINDOW_US;
        let seen = self.wearer.see(from_us, self.next_us);
        let worn = matches!(seen, Seen::Worn(_)) && !self.wear.put_down;
        let mut segments = match seen {
            Seen::Over => return,
            Seen::Worn(segments) if worn => segments,
            _ => self.table.see(from_us),
        };
        self.judge_wear(worn);
        self.wear.hold(&mut segments);
        segments.extend(self.pressed(from_us));
        let start = self.wearer.born.plus_micros(from_us);
        let blocks = segments.into_iter().map(|segment| self.block(start, segment)).collect();
        self.make_packets(start, blocks, sent);
    }

    fn make_packets(&mut self, start: Timestamp, blocks: Vec<Block>, sent: &mut Vec<Notification>) {
        let device_time = self.clock.at(start);
        for packet in packets(self.epoch, &mut self.sequence, device_time, blocks) {
            let bytes = packet.encode().expect("`packets` makes what fits");
            self.flash.keep(&packet, &bytes);
            if self.streams() {
                sent.push(notification(uuids::STREAM, bytes, true));
            }
        }
    }

    fn block(&self, start: Timestamp, segment: Segment) -> Block {
        let first = self.wearer.born.plus_micros(segment.at_us);
        let offset_us = self.clock.at(first) - self.clock.at(start);
        Block {
            channel: segment.channel,
            offset_us: u32::try_from(offset_us).unwrap_or(0),
            period_us: segment.period_us,
            samples: segment.samples,
        }
    }

    /// Presses of the button within the window that starts at `from_us`.
    fn pressed(&mut self, from_us: i64) -> Option<Segment> {
        let start = self.wearer.born.plus_micros(from_us);
        let (now, later) = std::mem::take(&mut self.presses)
            .into_iter()
            .partition::<Vec<_>, _>(|press| press.micros_since(start) < WINDOW_US);
        self.presses = later;
        let offset =
            |press: Timestamp| i32::try_from(press.micros_since(start).max(0)).unwrap_or(0);
        let samples: Vec<i32> = now.into_iter().map(offset).collect();
        let segment = Segment { channel: Channel::Button, at_us: from_us, period_us: 0, samples };
        (!segment.samples.is_empty()).then_some(segment)
    }

    fn judge_wear(&mut self, worn: bool) {
        self.wear.doubt = if worn == self.wear.on_wrist { 0 } else { self.wear.doubt + 1 };
        if self.wear.doubt == CERTAIN {
            self.wear.on_wrist = worn;
            self.wear.doubt = 0;
            self.tell_state();
        }
    }

    fn stream(&mut self, on: bool) {
        if self.streaming != on {
            self.streaming = on;
            self.tell_state();
        }
    }

    fn set_time(&mut self, now: Timestamp, utc: Timestamp) {
        let shown = i64::try_from(self.clock.at(now)).unwrap_or(i64::MAX);
        self.flash.set_utc_offset(utc.as_micros() - shown);
    }

    /// State is sent with the next tick.
    fn tell_state(&mut self) {
        self.state_at = Timestamp::default();
    }

    fn report(&mut self, now: Timestamp, sent: &mut Vec<Notification>) {
        if self.subscribed.contains(&uuids::STATE) && self.state_at <= now {
            self.state_at = now.plus_micros(STATE_EVERY_US);
            sent.push(notification(uuids::STATE, self.state(now).encode(), true));
        }
        let percent = self.battery.percent(now);
        if self.subscribed.contains(&uuids::BATTERY_LEVEL) && percent != self.told_percent {
            self.told_percent = percent;
            sent.push(notification(uuids::BATTERY_LEVEL, vec![percent], true));
        }
    }

    fn state(&self, now: Timestamp) -> BandState {
        let (oldest_sequence, newest_sequence) = self.flash.range(self.epoch).unwrap_or((1, 0));
        BandState {
            epoch: self.epoch,
            newest_sequence,
            oldest_sequence,
            device_time_us: self.clock.at(now),
            battery_percent: self.battery.percent(now),
            streaming: self.streaming,
            on_wrist: self.wear.on_wrist,
            earlier: self.flash.earlier(),
        }
    }
}

impl Wear {
    /// Remembers the last values, or repeats them where the sensors are frozen.
    fn hold(&mut self, segments: &mut Vec<Segment>) {
        if self.frozen {
            segments.retain(|segment| !segment.channel.is_event());
        }
        for segment in segments.iter_mut().filter(|segment| !segment.channel.is_event()) {
            let components = segment.channel.components();
            let newest = segment.samples[segment.samples.len() - components..].to_vec();
            match self.last.get(&segment.channel) {
                Some(held) if self.frozen => {
                    segment.samples.iter_mut().zip(held.iter().cycle()).for_each(|(s, h)| *s = *h);
                }
                _ => {
                    self.last.insert(segment.channel, newest);
                }
            }
        }
    }
}

fn notification(characteristic: Uuid, bytes: Vec<u8>, live: bool) -> Notification {
    Notification { characteristic, bytes, live }
}

fn refusal(error: &DecodeError) -> AttError {
    match error {
        DecodeError::Value { what: "the command", .. } => AttError::COMMAND_UNKNOWN,
        DecodeError::Truncated { .. } | DecodeError::TooLong { .. } => AttError::COMMAND_LENGTH,
        _ => AttError::COMMAND_VALUE,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use wristband::{Packet, StreamPacket, decode};

    use super::*;
    use crate::scenario::{AtEnd, BodyPlan, WornBefore};

    const START: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn band(worn_before_s: u64, flash_packets: usize) -> Band {
        let body = BodyPlan::Person { seed: 7, incidents: Vec::new() };
        let worn_before = WornBefore::For(Duration::from_secs(worn_before_s));
        let wearer = Wearer::new(&body, worn_before, AtEnd::default(), START).expect("a person");
        let parts = BandParts {
            serial: "TW-0001".to_owned(),
            wearer,
            battery_percent: 50,
            drift_ppm: 50.0,
            flash_packets,
            replay_packets_per_s: 200,
        };
        Band::new(parts, 1, START)
    }

    fn streaming(worn_before_s: u64) -> Band {
        let mut band = band(worn_before_s, 1_000);
        band.link_up();
        band.subscribe(uuids::STREAM, true);
        band.write(START, uuids::CONTROL, &Command::Start.encode()).expect("it starts");
        band
    }

    fn live(sent: &[Notification]) -> Vec<StreamPacket> {
        let packets = sent.iter().filter(|sent| sent.live);
        packets
            .filter_map(|sent| match decode(sent.characteristic, &sent.bytes) {
                Ok(Packet::Stream(packet)) => Some(packet),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn the_flash_holds_what_was_worn_before_and_the_battery_lasts() {
        let band = band(60, 1_000);
        let state = band.state(START);
        assert!(state.newest_sequence >= 120 && state.oldest_sequence == 1, "{state:?}");
        assert_eq!(state.device_time_us, 60_500_000 + 3_025);
        assert_eq!(band.battery.percent(START.plus_micros(86_400_000_000)), 0);
    }

    #[test]
    fn samples_carry_the_bands_own_clock() {
        let mut band = streaming(3_600);
        let packets = live(&band.tick(START.plus_micros(1_000_000)));
        let boot = START.plus_micros(-3_600_500_000);
        for packet in packets {
            let blocks = packet.blocks.iter().filter(|block| !block.channel.is_event());
            for block in blocks {
                let shown = packet.device_time_us + u64::from(block.offset_us);
                let truly = i64::try_from(shown).expect("hours") * 1_000_000 / 1_000_050;
                let into_second = boot.plus_micros(truly).as_micros().rem_euclid(500_000);
                let off = into_second.min(500_000 - into_second);
                assert!(off <= 2, "{}: {off} us from the window's start", block.channel);
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_that_is_written_stops_the_sampling(
            writes in proptest::collection::vec(
                prop_oneof![
                    proptest::collection::vec(any::<u8>(), 0..20),
                    (1_u32..300, 1_u32..300).prop_map(|(from, through)| {
                        let epoch = u32::try_from(START.as_micros() / 1_000_000).expect("now");
                        Command::Replay { epoch, from, through }.encode()
                    }),
                ],
                0..30,
            )
        ) {
            let mut band = streaming(60);
            let mut now = START;
            let mut numbers = vec![band.sequence];
            for bytes in writes {
                if bytes == Command::Stop.encode() {
                    continue;
                }
                now = now.plus_micros(300_000);
                let _ = band.write(now, uuids::CONTROL, &bytes);
                let sent = band.tick(now);
                numbers.extend(live(&sent).iter().map(|packet| packet.sequence));
            }
            prop_assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
            let windows = u32::try_from(now.micros_since(START) / WINDOW_US).expect("few");
            prop_assert!(band.sequence - numbers[0] >= windows);
        }
    }
}
