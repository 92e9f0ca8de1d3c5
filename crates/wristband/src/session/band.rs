use biosignal::{DeviceId, Gap, GapCause, Reading, Timestamp};
use uuid::Uuid;

use super::clock::ClockFit;
use super::event::{Action, ClockEstimate, Event};
use super::ledger::{Heard, Ledger, PACKET_US, Span};
use super::replay::Replays;
use super::watch::{Changes, Silence};
use crate::{BandState, Command, EarlierEpoch, Packet, StreamPacket, decode, uuids};

/// The conversation with a wristband of `PROFILE.md`.
#[derive(Clone, Debug)]
pub(super) struct Band {
    device: DeviceId,
    /// What was heard, oldest epoch first; the last is the current one.
    epochs: Vec<Ledger>,
    /// The current epoch's clock.
    clock: Option<ClockFit>,
    link: Option<Link>,
    replays: Replays,
    silence: Silence,
    changes: Changes,
}

/// A connection.
#[derive(Clone, Copy, Debug)]
struct Link {
    /// Whether the band said what it holds: before that nothing is asked for.
    holdings_known: bool,
    started_at: Timestamp,
    time_set_at: Timestamp,
}

/// The current epoch and as many earlier ones as a band tells of.
const MAX_EPOCHS: usize = 1 + crate::MAX_EARLIER_EPOCHS;
/// The band is told the time again.
const SET_TIME_EVERY_US: i64 = 3_600_000_000;
/// A band that does not stream this long after it was told to is told again.
const START_AGAIN_US: i64 = 2_000_000;
/// How well a band's own idea of UTC is trusted, and an epoch of which there is none.
const BAND_UTC_UNCERTAINTY_US: u32 = 1_000_000;
const UNKNOWN_UTC_UNCERTAINTY_US: u32 = 3_600_000_000;

impl Band {
    /// Goes on with the epochs of a cursor.
    pub(super) fn new(device: DeviceId, epochs: Vec<Ledger>) -> Self {
        let mut band = Self {
            device,
            epochs,
            clock: None,
            link: None,
            replays: Replays::default(),
            silence: Silence::default(),
            changes: Changes::default(),
        };
        band.clock = band.epochs.last().map(clock_of);
        band
    }

    /// What was heard, oldest epoch first.
    pub(super) fn epochs(&self) -> &[Ledger] {
        &self.epochs
    }

    pub(super) fn handle(&mut self, now: Timestamp, event: Event<'_>) -> Vec<Action> {
        let mut out = Vec::new();
        match event {
            Event::Connected => self.connected(now, &mut out),
            Event::Disconnected { .. } => self.disconnected(),
            Event::Notified { characteristic, bytes } => {
                self.notified(now, characteristic, bytes, &mut out);
            }
            Event::Tick => self.tick(now, &mut out),
        }
        self.ask(now, &mut out);
        out
    }

    fn connected(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        self.link = Some(Link { holdings_known: false, started_at: now, time_set_at: now });
        self.silence.connected(now);
        self.replays.disconnected();
        out.extend([write(Command::SetTime { utc: now }), write(Command::Start)]);
    }

    /// No gap yet: what is measured meanwhile comes from flash.
    fn disconnected(&mut self) {
        self.link = None;
        self.silence.disconnected();
        self.replays.disconnected();
    }

    fn tick(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        out.extend(self.silence.tick(now));
        if let Some(link) = &mut self.link
            && now.micros_since(link.time_set_at).abs() >= SET_TIME_EVERY_US
        {
            link.time_set_at = now;
            out.push(write(Command::SetTime { utc: now }));
        }
    }

    fn notified(&mut self, now: Timestamp, from: Uuid, bytes: &[u8], out: &mut Vec<Action>) {
        match decode(from, bytes) {
            Ok(Packet::Stream(packet)) => self.stream(now, packet, out),
            Ok(Packet::State(state)) => self.state(now, &state, out),
            Ok(Packet::Battery(percent)) => out.extend(self.changes.battery(percent)),
            Ok(Packet::HeartRate(_)) => {} // the stream says it better
            Err(error) => out.push(Action::Rejected { characteristic: from, error }),
        }
    }

    fn stream(&mut self, now: Timestamp, packet: StreamPacket, out: &mut Vec<Action>) {
        if !packet.replayed {
            self.silence.heard(now);
            if self.find(packet.epoch).is_none() {
                self.begin(packet.epoch, out);
            }
            self.observe_clock(packet.epoch, packet.last_sample_us(), now, out);
        } else {
            self.replays.answered(packet.epoch, packet.sequence, now);
        }
        // A replay of an epoch without a ledger or a clock was not asked for.
        let Some(index) = self.find(packet.epoch) else { return };
        let Some(clock) = self.epochs[index].clock else { return };
        let Heard::New { pauses } = self.epochs[index].hear(packet.sequence, span(&packet), now)
        else {
            return;
        };
        let cause = if self.changes.is_off() { GapCause::OffWrist } else { GapCause::Band };
        self.lose(index, pauses, cause, out);
        if packet.blocks.is_empty() {
            self.lose(index, vec![span(&packet)], GapCause::Band, out);
        }
        self.read(packet, clock, now, out);
        let excess = self.epochs[index].lose_excess();
        self.lose(index, excess, GapCause::Gateway, out);
    }

    fn read(
        &self,
        packet: StreamPacket,
        clock: ClockEstimate,
        received_at: Timestamp,
        out: &mut Vec<Action>,
    ) {
        let StreamPacket { epoch, sequence, device_time_us, replayed, blocks } = packet;
        out.extend(blocks.into_iter().map(|block| Action::Reading {
            live: !replayed,
            reading: Reading {
                device: self.device.clone(),
                channel: block.channel,
                epoch,
                sequence,
                measured_at: clock.utc(device_time_us + u64::from(block.offset_us)),
                received_at,
                period_us: block.period_us,
                samples: block.samples,
            },
        }));
    }

    fn state(&mut self, now: Timestamp, state: &BandState, out: &mut Vec<Action>) {
        if self.epochs.last().is_none_or(|ledger| ledger.epoch != state.epoch) {
            self.begin(state.epoch, out);
        }
        self.observe_clock(state.epoch, state.device_time_us, now, out);
        self.learn_earlier(&state.earlier, now, out);
        self.reconcile(state.epoch, state, now, out);
        self.join(&state.earlier, out);
        out.extend(self.changes.battery(state.battery_percent));
        out.extend(self.changes.contact(state.on_wrist));
        if let Some(link) = &mut self.link {
            link.holdings_known = true;
            if !state.streaming && now.micros_since(link.started_at) >= START_AGAIN_US {
                link.started_at = now;
                out.push(write(Command::Start));
            }
        }
    }

    /// Makes an epoch the current one.
    fn begin(&mut self, epoch: u32, out: &mut Vec<Action>) {
        let earlier = self.epochs.last().and_then(|ledger| ledger.clock);
        let ledger = match self.find(epoch) {
            Some(index) => self.epochs.remove(index),
            None => Ledger::new(epoch, !self.epochs.is_empty()),
        };
        self.clock = Some(match ledger.clock {
            Some(_) => clock_of(&ledger),
            None => ClockFit::new(epoch, earlier),
        });
        self.epochs.push(ledger);
        self.evict(out);
    }

    fn evict(&mut self, out: &mut Vec<Action>) {
        while self.epochs.len() > MAX_EPOCHS {
            let lost = self.epochs[0].lose_all();
            self.lose(0, lost, GapCause::Band, out);
            self.epochs.remove(0);
        }
    }

    fn observe_clock(&mut self, epoch: u32, device_us: u64, now: Timestamp, out: &mut Vec<Action>) {
        let Some(ledger) = self.epochs.last_mut().filter(|ledger| ledger.epoch == epoch) else {
            return;
        };
        if let Some(estimate) = self.clock.as_mut().and_then(|clock| clock.observe(device_us, now))
        {
            ledger.clock = Some(estimate);
            out.push(Action::Clock(estimate));
        }
    }

    /// Takes up epochs that came and went unheard, each before its successor.
    fn learn_earlier(&mut self, told: &[EarlierEpoch], now: Timestamp, out: &mut Vec<Action>) {
        let mut successor = self.epochs.len() - 1;
        for earlier in told {
            successor = match self.find(earlier.epoch) {
                Some(index) => index.min(successor),
                None => {
                    let followed = successor > 0;
                    self.epochs.insert(successor, Ledger::new(earlier.epoch, followed));
                    successor
                }
            };
            self.guess_clock(successor, earlier, now, out);
        }
        self.evict(out);
    }

    /// An epoch in which no gateway was there to map its clock: by the band's own UTC,
    /// or else as if the next epoch had followed at once.
    fn guess_clock(
        &mut self,
        index: usize,
        earlier: &EarlierEpoch,
        at: Timestamp,
        out: &mut Vec<Action>,
    ) {
        if self.epochs[index].clock.is_some() {
            return;
        }
        let next = self.epochs.get(index + 1).and_then(|ledger| ledger.clock);
        let drift_ppm = next.map_or(0.0, |clock| clock.drift_ppm);
        let epoch = earlier.epoch;
        let guess = |offset_us, uncertainty_us| ClockEstimate {
            epoch,
            offset_us,
            drift_ppm,
            uncertainty_us,
            at,
        };
        let estimate = match (earlier.utc_offset_us, next) {
            (Some(offset_us), _) => guess(offset_us, BAND_UTC_UNCERTAINTY_US),
            (None, Some(next)) => {
                let length_us = guess(0, 0).utc(earlier.end_us).as_micros();
                let offset_us = next.utc(0).plus_micros(-length_us).as_micros();
                guess(offset_us, UNKNOWN_UTC_UNCERTAINTY_US)
            }
            (None, None) => return,
        };
        self.epochs[index].clock = Some(estimate);
        out.push(Action::Clock(estimate));
    }

    /// Compares what is missing with what the band still holds.
    fn reconcile(
        &mut self,
        current: u32,
        state: &BandState,
        now: Timestamp,
        out: &mut Vec<Action>,
    ) {
        for index in 0..self.epochs.len() {
            let ledger = &mut self.epochs[index];
            let held = state.earlier.iter().find(|earlier| earlier.epoch == ledger.epoch);
            let lost = if ledger.epoch == current {
                ledger.reach(state.newest_sequence, state.device_time_us, now);
                ledger.lose_below(state.oldest_sequence)
            } else if let Some(held) = held {
                ledger.reach(held.newest_sequence, held.end_us, now);
                ledger.lose_below(held.oldest_sequence)
            } else {
                ledger.lose_all()
            };
            self.lose(index, lost, GapCause::Band, out);
        }
    }

    /// Accounts for the time between the end of an epoch and the next boot.
    fn join(&mut self, told: &[EarlierEpoch], out: &mut Vec<Action>) {
        for index in 1..self.epochs.len() {
            let [before, after] = &mut self.epochs[index - 1..=index] else { continue };
            let (Some(ended), Some(began)) = (before.clock, after.clock) else { continue };
            if std::mem::replace(&mut after.joined, true) {
                continue;
            }
            let held = told.iter().find(|earlier| earlier.epoch == before.epoch);
            let end_us = held.map_or(before.end_us(), |held| held.end_us);
            let (from, until) = (ended.utc(end_us), began.utc(0));
            out.extend(self.gap(from, until, GapCause::Band));
        }
    }

    fn lose(&self, index: usize, spans: Vec<Span>, cause: GapCause, out: &mut Vec<Action>) {
        let Some(clock) = self.epochs[index].clock else { return };
        out.extend(
            spans.into_iter().filter_map(|span| {
                self.gap(clock.utc(span.from_us), clock.utc(span.until_us), cause)
            }),
        );
    }

    fn gap(&self, from: Timestamp, until: Timestamp, cause: GapCause) -> Option<Action> {
        let device = self.device.clone();
        (from < until).then_some(Action::Gap(Gap { device, from, until, cause }))
    }

    fn ask(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        if self.link.is_some_and(|link| link.holdings_known) {
            out.extend(self.replays.next(&self.epochs, now).map(write));
        }
    }

    fn find(&self, epoch: u32) -> Option<usize> {
        self.epochs.iter().position(|ledger| ledger.epoch == epoch)
    }
}

fn clock_of(ledger: &Ledger) -> ClockFit {
    ledger.clock.map_or_else(|| ClockFit::new(ledger.epoch, None), ClockFit::resumed)
}

fn span(packet: &StreamPacket) -> Span {
    let from_us = packet.device_time_us;
    let until_us = if packet.blocks.is_empty() { from_us + PACKET_US } else { packet.end_us() };
    Span { from_us, until_us }
}

fn write(command: Command) -> Action {
    Action::Write { characteristic: uuids::CONTROL, bytes: command.encode() }
}
