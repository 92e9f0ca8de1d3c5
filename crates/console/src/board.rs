//! The board's state: who is well, who needs somebody, who cannot be seen and why.
//!
//! Pure: what was heard comes in with the time of its arrival, `now` is an argument.
//! A card is never calm on stale data, whoever fell silent: the band, its gateway, the
//! broker or the detector.

mod band;
mod card;
mod coverage;
mod track;
mod verdicts;

use std::collections::BTreeMap;
use std::time::Duration;

use biosignal::{Channel, DeviceId, GatewayId, PersonId, Reading, Timestamp};

pub(crate) use band::{Band, Link, Status};
pub(crate) use card::{Card, Level, cause_text};
pub(crate) use track::activity;
pub(crate) use verdicts::{TREND_US, Verdict};

use crate::moment::Millis;
use verdicts::Verdicts;

/// How old what is shown may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Freshness {
    /// A sample.
    pub(crate) sample_us: i64,
    /// A finding of the detector.
    pub(crate) verdict_us: i64,
}

impl Freshness {
    pub(crate) fn new(sample: Duration, verdict: Duration) -> Self {
        let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        Self { sample_us: micros(sample), verdict_us: micros(verdict) }
    }
}

/// Everybody's card, and what it is made from.
#[derive(Debug)]
pub(crate) struct Board {
    fresh: Freshness,
    wearers: BTreeMap<PersonId, Wearer>,
    bands: BTreeMap<DeviceId, Band>,
    gateways: BTreeMap<GatewayId, bool>,
    broker_reached: bool,
}

#[derive(Debug, Default)]
struct Wearer {
    name: String,
    device: Option<DeviceId>,
    /// Since when the device is worn, or since when none is.
    assigned_at: Option<Timestamp>,
    verdicts: Verdicts,
    level: Option<(Level, Timestamp)>,
    told: Option<Card>,
}

/// A level with its cause, and since when the data say so.
struct Finding<'a> {
    level: Level,
    cause: Option<&'a str>,
    since: Option<Timestamp>,
}

impl Board {
    pub(crate) fn new(fresh: Freshness) -> Self {
        Self {
            fresh,
            wearers: BTreeMap::new(),
            bands: BTreeMap::new(),
            gateways: BTreeMap::new(),
            broker_reached: false,
        }
    }

    /// Sets who is watched and under which name; says whether somebody left the board.
    pub(crate) fn set_people(&mut self, people: Vec<(PersonId, String)>) -> bool {
        let before = self.wearers.len();
        let mut old = std::mem::take(&mut self.wearers);
        let mut stayed = 0;
        for (person, name) in people {
            let known = old.remove(&person);
            stayed += usize::from(known.is_some());
            self.wearers.insert(person, Wearer { name, ..known.unwrap_or_default() });
        }
        stayed < before
    }

    /// Sets who wears what. Whoever is not named wears nothing.
    pub(crate) fn set_assignments(
        &mut self,
        worn: &[(DeviceId, PersonId, Timestamp)],
        now: Timestamp,
    ) {
        for (person, wearer) in &mut self.wearers {
            let band = worn.iter().find(|(_, by, _)| by == person);
            let device = band.map(|(device, ..)| device.clone());
            if device != wearer.device {
                wearer.assigned_at = Some(band.map_or(now, |(.., from)| *from));
                wearer.device = device;
            }
        }
    }

    pub(crate) fn take_reading(&mut self, reading: &Reading, arrived: Timestamp) {
        self.bands.entry(reading.device.clone()).or_default().take(reading, arrived);
    }

    pub(crate) fn take_status(&mut self, device: DeviceId, status: Status) {
        self.bands.entry(device).or_default().status = Some(status);
    }

    pub(crate) fn take_gateway(&mut self, gateway: GatewayId, up: bool) {
        self.gateways.insert(gateway, up);
    }

    /// Takes a finding that arrived at `arrived`; one from the future is of the moment it came.
    pub(crate) fn take_verdict(&mut self, person: &PersonId, verdict: Verdict, arrived: Timestamp) {
        if let Some(wearer) = self.wearers.get_mut(person) {
            wearer.verdicts.take(Verdict { at: verdict.at.min(arrived), ..verdict });
        }
    }

    pub(crate) fn set_broker_reached(&mut self, reached: bool) {
        self.broker_reached = reached;
    }

    /// The cards that are not as they were last told. Called each second.
    pub(crate) fn changes(&mut self, now: Timestamp) -> Vec<Card> {
        let people: Vec<PersonId> = self.wearers.keys().cloned().collect();
        people.iter().filter_map(|person| self.change(person, now)).collect()
    }

    /// A person's card, where it is not as it was last told. Called when something came.
    pub(crate) fn change(&mut self, person: &PersonId, now: Timestamp) -> Option<Card> {
        let card = self.settled_card(person, now)?;
        let wearer = self.wearers.get_mut(person)?;
        (wearer.told.as_ref() != Some(&card)).then(|| wearer.told.insert(card).clone())
    }

    /// Who wears a band.
    pub(crate) fn wearer_of(&self, device: &DeviceId) -> Option<PersonId> {
        let mut wearers = self.wearers.iter();
        let found = wearers.find(|(_, wearer)| wearer.device.as_ref() == Some(device));
        found.map(|(person, _)| person.clone())
    }

    /// All cards, the ones who need somebody first.
    pub(crate) fn cards(&mut self, now: Timestamp) -> Vec<Card> {
        let people: Vec<PersonId> = self.wearers.keys().cloned().collect();
        let mut cards: Vec<Card> =
            people.iter().filter_map(|person| self.settled_card(person, now)).collect();
        cards.sort_by(|one, other| {
            (one.level.place(), &one.name, &one.person).cmp(&(
                other.level.place(),
                &other.name,
                &other.person,
            ))
        });
        cards
    }

    pub(crate) fn bands(&self) -> impl Iterator<Item = (&DeviceId, &Band)> {
        self.bands.iter()
    }

    /// Whether the gateway that speaks for the band is up and the broker is reached.
    pub(crate) fn connected(&self, band: &Band) -> bool {
        self.broker_reached
            && band.status.as_ref().is_some_and(|status| {
                status.link == Link::Connected && self.gateway_up(&status.gateway)
            })
    }

    /// A person's card, after it was noted since when its level stands.
    fn settled_card(&mut self, person: &PersonId, now: Timestamp) -> Option<Card> {
        let wearer = self.wearers.get(person)?;
        let Finding { level, since, .. } = self.finding(wearer, now);
        if wearer.level.is_none_or(|(before, _)| before != level) {
            let wearer = self.wearers.get_mut(person)?;
            wearer.level = Some((level, since.unwrap_or(now)));
        }
        Some(self.card(person, self.wearers.get(person)?, now))
    }

    fn card(&self, person: &PersonId, wearer: &Wearer, now: Timestamp) -> Card {
        let finding = self.finding(wearer, now);
        let band = wearer.device.as_ref().and_then(|device| self.bands.get(device));
        let shown = |channel| band.and_then(|band| band.shown(channel, now, self.fresh.sample_us));
        Card {
            person: person.to_string(),
            name: wearer.name.clone(),
            device: wearer.device.as_ref().map(DeviceId::to_string),
            level: finding.level,
            since: Millis::from(wearer.level.map_or(now, |(_, since)| since)),
            cause: finding.cause.map(str::to_owned),
            cause_text: finding.cause.map(cause_text),
            last_sample_at: band.and_then(Band::newest_sample_at).map(Millis::from),
            measured_at: band
                .and_then(|band| band.measured_at(now, self.fresh.sample_us))
                .map(Millis::from),
            heart_rate: shown(Channel::HeartRate),
            eda: shown(Channel::Eda),
            skin_temperature: shown(Channel::SkinTemperature),
            activity: shown(Channel::Acceleration),
            trend: wearer.verdicts.trend(now, self.fresh.verdict_us),
            completeness: band.map_or(0.0, |band| band.completeness(now)),
            battery: band
                .and_then(|band| band.status.as_ref())
                .and_then(|status| status.battery_percent),
            personal: wearer.verdicts.newest().is_some_and(|verdict| verdict.personal),
        }
    }

    fn finding<'a>(&'a self, wearer: &'a Wearer, now: Timestamp) -> Finding<'a> {
        let blind = |cause, since| Finding { level: Level::NoReading, cause: Some(cause), since };
        let Some(device) = &wearer.device else {
            return blind("no_band", wearer.assigned_at);
        };
        let band = self.bands.get(device);
        let Some((band, newest)) = band.and_then(|band| Some((band, band.newest_sample_at()?)))
        else {
            return blind(self.cause_of_silence(band), wearer.assigned_at);
        };
        if now.micros_since(newest) >= self.fresh.sample_us {
            return blind(self.cause_of_silence(Some(band)), Some(newest));
        }
        if band.off_wrist() {
            return blind("off_wrist", band.status.as_ref().map(|status| status.at));
        }
        self.verdict(wearer, now)
    }

    /// What the detector says, where it says it of now.
    fn verdict<'a>(&self, wearer: &'a Wearer, now: Timestamp) -> Finding<'a> {
        let blind = |cause, since| Finding { level: Level::NoReading, cause: Some(cause), since };
        // A finding on whoever wore another band before says nothing of this one.
        let newest = wearer
            .verdicts
            .newest()
            .filter(|verdict| wearer.assigned_at.is_none_or(|from| verdict.at >= from));
        let Some(verdict) = newest else {
            return blind("starting", wearer.assigned_at);
        };
        if now.micros_since(verdict.at) >= self.fresh.verdict_us {
            return blind("detector", Some(verdict.at));
        }
        let cause = (verdict.level == Level::NoReading)
            .then(|| verdict.cause.as_deref().unwrap_or("poor_quality"));
        Finding { level: verdict.level, cause, since: Some(wearer.verdicts.run_since()) }
    }

    /// The nearest link that is known to be broken: the broker, the gateway, then what the gateway says.
    fn cause_of_silence<'a>(&self, band: Option<&'a Band>) -> &'a str {
        let gateway = band.and_then(|band| band.status.as_ref()).map(|status| &status.gateway);
        match (self.broker_reached, gateway) {
            (false, _) => "broker",
            (true, Some(gateway)) if !self.gateway_up(gateway) => "gateway",
            (true, _) => band.map_or("out_of_range", Band::cause_of_silence),
        }
    }

    /// A gateway that has said nothing of itself is taken to be up.
    fn gateway_up(&self, gateway: &GatewayId) -> bool {
        self.gateways.get(gateway).copied().unwrap_or(true)
    }
}

#[cfg(test)]
mod tests;
