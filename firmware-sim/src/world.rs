//! Bands, straps and the radio as one state machine: messages, faults and time go in,
//! messages and events come out.

use anyhow::{Context, anyhow};
use biosignal::Timestamp;
use zbus::message::Message;

use crate::bluez::Stack;
use crate::body::Wearer;
use crate::command::{BandFault, RadioFault};
use crate::event::{BandInfo, Event};
use crate::firmware::{Band, BandParts, Battery, Firmware, Strap};
use crate::scenario::{BodyPlan, Scenario, WornBefore};
use crate::{Command, Wearable};

/// Everything that is simulated.
#[derive(Debug)]
pub(crate) struct World {
    stack: Stack,
    wearables: Vec<Wearable>,
    /// What is undone by itself, and when.
    undone: Vec<(Timestamp, Command)>,
    events: Vec<Event>,
}

impl World {
    /// Makes the bands; those that were worn before have lived up to `now` then.
    pub(crate) fn new(
        scenario: &Scenario,
        now: Timestamp,
    ) -> anyhow::Result<(Self, Vec<BandInfo>)> {
        scenario.check()?;
        let mut wearables = Vec::new();
        let mut infos = Vec::new();
        for index in 0..scenario.bands.len() + scenario.straps.len() {
            let number = index + 1;
            let (wearable, body) = match index.checked_sub(scenario.bands.len()) {
                None => (band(scenario, index, now), &scenario.bands[index].body),
                Some(strap) => (self::strap(scenario, strap, now), &scenario.straps[strap].body),
            };
            let wearable = wearable.with_context(|| format!("band {number}"))?;
            infos.push(info(number, &wearable, body));
            wearables.push(wearable);
        }
        let stack = Stack::new(scenario.radio.clone(), &wearables);
        Ok((Self { stack, wearables, undone: Vec::new(), events: Vec::new() }, infos))
    }

    /// Takes a message from the bus.
    pub(crate) fn handle(&mut self, now: Timestamp, message: &Message) {
        self.stack.handle(now, message, &mut self.wearables);
        self.tick(now);
    }

    /// Does what is due by now.
    pub(crate) fn tick(&mut self, now: Timestamp) {
        self.undo(now);
        for index in 0..self.wearables.len() {
            for sent in self.wearables[index].tick(now) {
                self.stack.notify(index, sent.characteristic, &sent.bytes, &self.wearables);
            }
        }
        self.stack.tick(now, &mut self.wearables);
        for (index, up) in self.stack.take_changes() {
            let (band, at_us) = (index + 1, now.as_micros());
            self.events.push(if up {
                Event::Connected { band, at_us }
            } else {
                Event::Disconnected { band, at_us }
            });
        }
        for (index, wearable) in self.wearables.iter_mut().enumerate() {
            if wearable.began_streaming() {
                self.events.push(Event::Streaming { band: index + 1, at_us: now.as_micros() });
            }
        }
    }

    /// When there is something to do next.
    pub(crate) fn due(&self) -> Timestamp {
        let wearables = self.wearables.iter().map(|wearable| wearable.firmware.due());
        let undone = self.undone.iter().map(|(at, _)| *at);
        let due = wearables.chain(undone).chain(self.stack.due());
        due.min().unwrap_or(Timestamp::from_micros(i64::MAX))
    }

    /// Does something to the world. Restarting bluetoothd is also the bus's affair.
    ///
    /// # Errors
    /// Says what cannot be done.
    pub(crate) fn apply(&mut self, now: Timestamp, command: &Command) -> anyhow::Result<()> {
        match *command {
            Command::Band { band, fault, lasting } => {
                self.apply_to_band(now, band, fault)?;
                if let (Some(lasting), Some(fault)) = (lasting, fault.undone_by()) {
                    let undo = Command::Band { band, fault, lasting: None };
                    self.undone.push((now.plus_micros(crate::body::micros(lasting)), undo));
                }
            }
            Command::Radio { fault, lasting } => {
                self.apply_to_radio(fault);
                if let (Some(lasting), RadioFault::AdapterOff) = (lasting, fault) {
                    let undo = Command::Radio { fault: RadioFault::AdapterOn, lasting: None };
                    self.undone.push((now.plus_micros(crate::body::micros(lasting)), undo));
                }
            }
            Command::Stop => {}
        }
        self.events.push(Event::done(command, now.as_micros()));
        self.tick(now);
        Ok(())
    }

    pub(crate) fn take_messages(&mut self) -> Vec<Message> {
        self.stack.take_messages()
    }

    pub(crate) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    fn undo(&mut self, now: Timestamp) {
        let (due, later) = std::mem::take(&mut self.undone)
            .into_iter()
            .partition::<Vec<_>, _>(|(at, _)| *at <= now);
        self.undone = later;
        for (_, command) in due {
            let undone = match command {
                Command::Band { band, fault, .. } => self.apply_to_band(now, band, fault),
                Command::Radio { fault, .. } => {
                    self.apply_to_radio(fault);
                    Ok(())
                }
                Command::Stop => Ok(()),
            };
            match undone {
                Ok(()) => self.events.push(Event::done(&command, now.as_micros())),
                Err(error) => tracing::warn!(%error, "cannot undo"),
            }
        }
    }

    fn apply_to_band(
        &mut self,
        now: Timestamp,
        band: usize,
        fault: BandFault,
    ) -> anyhow::Result<()> {
        let index = band.checked_sub(1).filter(|index| *index < self.wearables.len());
        let index = index.ok_or_else(|| anyhow!("there is no band {band}"))?;
        self.wearables[index].suffer(now, fault).map_err(|why| anyhow!(why))?;
        if matches!(fault, BandFault::Reboot | BandFault::DropLink) {
            self.stack.drop_link(index, &mut self.wearables);
        }
        Ok(())
    }

    fn apply_to_radio(&mut self, fault: RadioFault) {
        match fault {
            RadioFault::AdapterOff => self.stack.remove_adapter(&mut self.wearables),
            RadioFault::AdapterOn => self.stack.add_adapter(&self.wearables),
            RadioFault::BluetoothdRestart => self.stack.restart(&mut self.wearables),
            RadioFault::Slots(slots) => self.stack.set_slots(slots),
            RadioFault::ResolveAfter(wait) => self.stack.set_resolve_after(wait),
        }
    }
}

fn band(scenario: &Scenario, index: usize, now: Timestamp) -> anyhow::Result<Wearable> {
    let plan = &scenario.bands[index];
    let number = index as u64 + 1;
    let name = plan.name.clone().unwrap_or_else(|| format!("TW-{number:04}"));
    let parts = BandParts {
        serial: name.clone(),
        wearer: Wearer::new(&plan.body, plan.worn_before, plan.at_end, now)?,
        battery_percent: plan.battery_percent,
        drift_ppm: plan.clock_drift_ppm,
        flash_packets: plan.flash_packets,
        replay_packets_per_s: plan.replay_packets_per_s,
    };
    let seed = scenario.seed.wrapping_mul(1_000).wrapping_add(number);
    let firmware = Firmware::Band(Box::new(Band::new(parts, seed, now)));
    let address = scenario.band_address(index);
    let mut wearable = Wearable::new(address, name, firmware, plan.rssi_dbm, seed);
    wearable.set_air(plan.loss, plan.reorder);
    Ok(wearable)
}

fn strap(scenario: &Scenario, index: usize, now: Timestamp) -> anyhow::Result<Wearable> {
    let plan = &scenario.straps[index];
    let number = index as u64 + 1;
    let name = plan.name.clone().unwrap_or_else(|| format!("HR-{number:04}"));
    let wearer = Wearer::new(&plan.body, WornBefore::default(), plan.at_end, now)?;
    let battery = Battery::new(now, plan.battery_percent);
    let firmware = Firmware::Strap(Box::new(Strap::new(name.clone(), wearer, battery)));
    let seed = scenario.seed.wrapping_mul(1_000).wrapping_add(500 + number);
    Ok(Wearable::new(scenario.strap_address(index), name, firmware, plan.rssi_dbm, seed))
}

fn info(band: usize, wearable: &Wearable, body: &BodyPlan) -> BandInfo {
    let wearer = wearable.firmware.wearer();
    let (recording, person) = match body {
        BodyPlan::Recording { path, .. } => (path.file_name(), None),
        BodyPlan::Person { seed, .. } => (None, Some(*seed)),
    };
    let worn_from_us = wearer.born.as_micros();
    BandInfo {
        band,
        address: wearable.address,
        device: wearable.address.device(),
        name: wearable.name.clone(),
        recording: recording.map(|name| name.to_string_lossy().into_owned()),
        person,
        recording_start_us: wearer.recording_start().map(Timestamp::as_micros),
        plays_from_us: wearer.shift_us.map(|shift| worn_from_us - shift),
        shift_us: wearer.shift_us,
        worn_from_us,
        episodes: wearer.truth(),
    }
}
