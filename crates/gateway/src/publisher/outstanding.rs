use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use biosignal::DeviceId;

use crate::spool::Extent;

/// Which of the spool's batches are out, and which are to be sent next.
///
/// A batch that is in the spool and not out is to be sent. A batch is out from the moment
/// that it is handed to the broker until the store has it, the broker fails it, or
/// nothing was heard of it for too long. Only backlog obeys the window: live batches
/// always go.
#[derive(Debug)]
pub(crate) struct Outstanding {
    devices: BTreeMap<DeviceId, Device>,
    /// The device served last, so that the next one gets its turn.
    served: Option<DeviceId>,
    limits: Limits,
}

/// How much and how often is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Backlog batches that may be out at once.
    pub window: usize,
    /// How long a batch that the broker took may lack the store's word.
    pub resend_after: Duration,
    /// How long a batch that the broker took may be on its way into the store: younger
    /// ones are not sent again when the store misses them.
    pub on_its_way: Duration,
    /// How long the store may miss what the spool no longer has before the numbering is
    /// given up.
    pub disagreement: Duration,
}

#[derive(Debug)]
struct Device {
    extent: Extent,
    out: BTreeMap<u64, Out>,
    disagrees_since: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Out {
    /// When the broker took it; `None` while that is open.
    taken: Option<Instant>,
    backlog: bool,
}

/// What to do about the store's word on a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Let go of what it has.
    Free {
        /// Up to and with this number.
        through: u64,
    },
    /// Its book and the spool's cannot agree: number everything anew.
    Renumber,
    /// Nothing new.
    Nothing,
}

impl Outstanding {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { devices: BTreeMap::new(), served: None, limits }
    }

    /// Starts over with what the spool holds.
    pub(crate) fn load(&mut self, extents: BTreeMap<DeviceId, Extent>) {
        self.devices = extents.into_iter().map(|(id, extent)| (id, Device::new(extent))).collect();
    }

    /// The spool has a new batch.
    pub(crate) fn appended(&mut self, device: &DeviceId, sequence: u64) {
        match self.devices.get_mut(device) {
            Some(known) => known.extent.newest = known.extent.newest.max(sequence),
            None => {
                let extent = Extent { first: sequence, newest: sequence };
                self.devices.insert(device.clone(), Device::new(extent));
            }
        }
    }

    /// A batch is handed to the broker.
    pub(crate) fn sending(&mut self, device: &DeviceId, sequence: u64, backlog: bool) {
        if let Some(device) = self.devices.get_mut(device) {
            device.out.insert(sequence, Out { taken: None, backlog });
        }
    }

    /// The broker took a batch.
    pub(crate) fn taken(&mut self, device: &DeviceId, sequence: u64, now: Instant) {
        if let Some(out) = self.devices.get_mut(device).and_then(|d| d.out.get_mut(&sequence)) {
            out.taken = Some(now);
        }
    }

    /// The broker did not take a batch: it is to be sent again, as backlog.
    pub(crate) fn failed(&mut self, device: &DeviceId, sequence: u64) {
        if let Some(device) = self.devices.get_mut(device) {
            device.out.remove(&sequence);
        }
    }

    /// The next run of backlog to send, oldest first, a device after the other.
    pub(crate) fn next(&mut self, at_most: usize, now: Instant) -> Option<Run> {
        self.expire(now);
        let out = self.devices.values().map(Device::backlog_out).sum::<usize>();
        let room = self.limits.window.saturating_sub(out).min(at_most);
        if room == 0 {
            return None;
        }
        let after = self.served.clone();
        let turn = self
            .devices
            .iter()
            .skip_while(|(id, _)| after.as_ref().is_some_and(|served| *id <= served))
            .chain(self.devices.iter())
            .find_map(|(id, device)| Some((id, device.unsent(room as u64)?)));
        let (device, sequences) = turn.map(|(id, run)| (id.clone(), run))?;
        self.served = Some(device.clone());
        Some(Run { device, sequences })
    }

    /// What the store says of a device's batches.
    pub(crate) fn acknowledged(
        &mut self,
        device: &DeviceId,
        through: u64,
        missing: &[RangeInclusive<u64>],
        now: Instant,
    ) -> Verdict {
        let limits = self.limits;
        let Some(device) = self.devices.get_mut(device) else { return Verdict::Nothing };
        if through > device.extent.newest || device.cannot_fill(missing, limits.disagreement, now) {
            return Verdict::Renumber;
        }
        let sent_again = device.out.extract_if(.., |sequence, out| {
            missing.iter().any(|hole| hole.contains(sequence))
                && out.taken.is_some_and(|taken| now.duration_since(taken) >= limits.on_its_way)
        });
        let sent_again = sent_again.count() as u64;
        metrics::counter!("tidewatch_gateway_resent_total", "why" => "missing")
            .increment(sent_again);
        if through < device.extent.first {
            return Verdict::Nothing;
        }
        device.out = device.out.split_off(&(through + 1));
        device.extent.first = through + 1;
        Verdict::Free { through }
    }

    /// Batches of which nothing was heard for too long are no longer out.
    fn expire(&mut self, now: Instant) {
        let resend_after = self.limits.resend_after;
        let mut expired = 0;
        for device in self.devices.values_mut() {
            let before = device.out.len();
            device.out.retain(|_, out| {
                out.taken.is_none_or(|taken| now.duration_since(taken) < resend_after)
            });
            expired += (before - device.out.len()) as u64;
        }
        if expired > 0 {
            metrics::counter!("tidewatch_gateway_resent_total", "why" => "unheard")
                .increment(expired);
        }
    }
}

/// Consecutive batches of a device that are to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub device: DeviceId,
    pub sequences: RangeInclusive<u64>,
}

impl Device {
    fn new(extent: Extent) -> Self {
        Self { extent, out: BTreeMap::new(), disagrees_since: None }
    }

    fn backlog_out(&self) -> usize {
        self.out.values().filter(|out| out.backlog).count()
    }

    /// The first run of batches that are not out.
    fn unsent(&self, at_most: u64) -> Option<RangeInclusive<u64>> {
        let mut from = self.extent.first;
        for sequence in self.out.keys() {
            if *sequence > from {
                return Some(from..=(sequence - 1).min(from + at_most - 1));
            }
            from = sequence + 1;
        }
        (from <= self.extent.newest).then(|| from..=self.extent.newest.min(from + at_most - 1))
    }

    /// Whether the store has long missed what the spool let go of. A single word may be an
    /// old one that the broker kept.
    fn cannot_fill(
        &mut self,
        missing: &[RangeInclusive<u64>],
        patience: Duration,
        now: Instant,
    ) -> bool {
        let gone = missing.iter().any(|hole| *hole.start() < self.extent.first);
        if !gone {
            self.disagrees_since = None;
            return false;
        }
        now.duration_since(*self.disagrees_since.get_or_insert(now)) >= patience
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits = Limits {
        window: 8,
        resend_after: Duration::from_secs(45),
        on_its_way: Duration::from_secs(3),
        disagreement: Duration::from_secs(30),
    };

    fn band(number: u8) -> DeviceId {
        DeviceId::from_address([number; 6])
    }

    fn with(bands: &[(u8, u64, u64)]) -> Outstanding {
        let mut outstanding = Outstanding::new(LIMITS);
        let extent = |first, newest| Extent { first, newest };
        outstanding.load(
            bands.iter().map(|(id, first, last)| (band(*id), extent(*first, *last))).collect(),
        );
        outstanding
    }

    fn run(id: u8, sequences: RangeInclusive<u64>) -> Option<Run> {
        Some(Run { device: band(id), sequences })
    }

    /// Sends what is next; the broker takes it.
    fn send(outstanding: &mut Outstanding, at_most: usize, now: Instant) -> Option<Run> {
        let run = outstanding.next(at_most, now)?;
        for sequence in run.sequences.clone() {
            outstanding.sending(&run.device, sequence, true);
            outstanding.taken(&run.device, sequence, now);
        }
        Some(run)
    }

    #[test]
    fn bands_take_turns_oldest_first_within_the_window() {
        let now = Instant::now();
        let mut outstanding = with(&[(1, 5, 9), (2, 1, 100), (3, 1, 0)]);
        assert_eq!(send(&mut outstanding, 3, now), run(1, 5..=7));
        assert_eq!(send(&mut outstanding, 3, now), run(2, 1..=3));
        assert_eq!(send(&mut outstanding, 3, now), run(1, 8..=9));
        assert_eq!(send(&mut outstanding, 3, now), None, "8 are out");
        assert_eq!(outstanding.acknowledged(&band(2), 2, &[], now), Verdict::Free { through: 2 });
        assert_eq!(send(&mut outstanding, 3, now), run(2, 4..=5));
    }

    #[test]
    fn a_live_batch_passes_the_window_and_is_backlog_once_it_fails() {
        let now = Instant::now();
        let mut outstanding = with(&[(1, 1, 20)]);
        while send(&mut outstanding, 8, now).is_some() {}
        outstanding.appended(&band(1), 21);
        outstanding.sending(&band(1), 21, false);
        assert_eq!(outstanding.acknowledged(&band(1), 8, &[], now), Verdict::Free { through: 8 });
        assert_eq!(send(&mut outstanding, 99, now), run(1, 9..=16));
        assert_eq!(outstanding.acknowledged(&band(1), 16, &[], now), Verdict::Free { through: 16 });
        assert_eq!(send(&mut outstanding, 99, now), run(1, 17..=20), "21 is out");
        outstanding.failed(&band(1), 21);
        assert_eq!(send(&mut outstanding, 99, now), run(1, 21..=21));
    }

    #[test]
    fn what_the_store_misses_goes_again_at_once_unless_it_is_on_its_way() {
        let start = Instant::now();
        let mut outstanding = with(&[(1, 1, 6)]);
        assert_eq!(send(&mut outstanding, 8, start), run(1, 1..=6));
        let soon = start + Duration::from_secs(1);
        assert_eq!(outstanding.acknowledged(&band(1), 0, &[1..=2, 4..=4], soon), Verdict::Nothing);
        assert_eq!(send(&mut outstanding, 8, soon), None);
        let later = start + Duration::from_secs(3);
        assert_eq!(outstanding.acknowledged(&band(1), 0, &[1..=2, 4..=4], later), Verdict::Nothing);
        assert_eq!(send(&mut outstanding, 8, later), run(1, 1..=2));
        assert_eq!(send(&mut outstanding, 8, later), run(1, 4..=4));
        assert_eq!(send(&mut outstanding, 8, later), None);
    }

    #[test]
    fn without_a_word_of_the_store_everything_goes_again() {
        let start = Instant::now();
        let mut outstanding = with(&[(1, 1, 4)]);
        assert_eq!(send(&mut outstanding, 8, start), run(1, 1..=4));
        assert_eq!(send(&mut outstanding, 8, start + Duration::from_secs(44)), None);
        assert_eq!(send(&mut outstanding, 8, start + Duration::from_secs(45)), run(1, 1..=4));
    }

    #[test]
    fn two_books_that_cannot_agree_are_begun_anew() {
        let start = Instant::now();
        let later = start + LIMITS.disagreement;
        let mut outstanding = with(&[(1, 10, 12)]);
        assert_eq!(outstanding.acknowledged(&band(1), 13, &[], start), Verdict::Renumber);
        // The store lost 1..=9, which this spool let go of long ago.
        assert_eq!(outstanding.acknowledged(&band(1), 0, &[1..=9], start), Verdict::Nothing);
        assert_eq!(outstanding.acknowledged(&band(1), 0, &[1..=9], later), Verdict::Renumber);
        // An old word that the broker kept is forgotten with the next good one.
        assert_eq!(outstanding.acknowledged(&band(1), 9, &[], later), Verdict::Nothing);
        assert_eq!(outstanding.acknowledged(&band(1), 0, &[1..=9], later), Verdict::Nothing);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Append(u8, bool),
        Send,
        /// The store takes what the broker has.
        Store,
        /// The broker forgets what the store did not take yet.
        BrokerDies,
        Word,
        Wait(u8),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => (0..3_u8, any::<bool>()).prop_map(|(id, live)| Step::Append(id, live)),
            4 => Just(Step::Send),
            3 => Just(Step::Store),
            1 => Just(Step::BrokerDies),
            3 => Just(Step::Word),
            2 => (1..60_u8).prop_map(Step::Wait),
        ]
    }

    /// A broker that forgets and a store that counts.
    struct House {
        outstanding: Outstanding,
        broker: BTreeSet<(DeviceId, u64)>,
        stored: BTreeSet<(DeviceId, u64)>,
        newest: BTreeMap<DeviceId, u64>,
        now: Instant,
    }

    impl House {
        fn take(&mut self, step: &Step) {
            match step {
                Step::Append(id, live) => self.append(&band(*id), *live),
                Step::Send => {
                    if let Some(run) = send(&mut self.outstanding, 4, self.now) {
                        let keys = run.sequences.map(|number| (run.device.clone(), number));
                        self.broker.extend(keys);
                    }
                }
                Step::Store => self.stored.append(&mut self.broker),
                Step::BrokerDies => self.broker.clear(),
                Step::Word => self.word(),
                Step::Wait(seconds) => self.now += Duration::from_secs((*seconds).into()),
            }
        }

        fn append(&mut self, device: &DeviceId, live: bool) {
            let newest = self.newest.entry(device.clone()).or_default();
            *newest += 1;
            self.outstanding.appended(device, *newest);
            if live {
                self.outstanding.sending(device, *newest, false);
                self.outstanding.taken(device, *newest, self.now);
                self.broker.insert((device.clone(), *newest));
            }
        }

        fn word(&mut self) {
            for (device, newest) in self.newest.clone() {
                let has = |sequence: &u64| self.stored.contains(&(device.clone(), *sequence));
                let through = (1..=newest).take_while(has).last().unwrap_or(0);
                let highest = (1..=newest).rfind(has).unwrap_or(0);
                let missing: Vec<_> = (1..highest)
                    .filter(|number| !has(number))
                    .map(|number| number..=number)
                    .collect();
                let verdict = self.outstanding.acknowledged(&device, through, &missing, self.now);
                assert_ne!(verdict, Verdict::Renumber);
            }
        }

        fn all_stored(&self) -> bool {
            let all = self.newest.iter();
            all.map(|(device, newest)| (1..=*newest).map(|n| (device.clone(), n)))
                .all(|mut keys| keys.all(|key| self.stored.contains(&key)))
        }
    }

    proptest! {
        /// However often the broker forgets: once it stops, the store gets everything.
        #[test]
        fn everything_arrives_in_the_end(steps in prop::collection::vec(step(), 0..120)) {
            let mut house = House {
                outstanding: Outstanding::new(LIMITS),
                broker: BTreeSet::new(),
                stored: BTreeSet::new(),
                newest: BTreeMap::new(),
                now: Instant::now(),
            };
            for step in &steps {
                house.take(step);
            }
            for _ in 0..40 {
                for step in [Step::Send, Step::Send, Step::Store, Step::Word, Step::Wait(15)] {
                    house.take(&step);
                }
            }
            prop_assert!(house.all_stored());
            prop_assert_eq!(house.outstanding.next(1, house.now), None);
        }
    }
}
