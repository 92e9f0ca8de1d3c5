use std::ops::{Range, RangeInclusive};

use biosignal::Channel;
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

/// Where in the recording a fault begins, s.
pub(super) const FROM_S: i64 = 1_500;
/// How long it lasts unless it says otherwise, s.
const LASTS_S: i64 = 300;
/// Seconds without a valid sample until nothing can be known: the detector's, and its wait.
const SILENT_S: i64 = 12;
/// One signal alone is no sight, once the others are not fresh any more.
const ALONE_S: i64 = 20;
/// A band on a table is told from a resting wrist by two minutes of stillness.
const OFF_WRIST_S: i64 = 150;
const HOUR_S: i64 = 3_600;
/// As long as a recording of an hour has room for.
const LONG_S: i64 = 1_500;
/// Beyond a radio's reach for so long at a time, and within it for so long in between, s.
const BURST_S: RangeInclusive<i64> = 10..=120;
const BETWEEN_BURSTS_S: RangeInclusive<i64> = 60..=300;

pub(super) const MEASURED: [Channel; 4] =
    [Channel::Bvp, Channel::Acceleration, Channel::Eda, Channel::SkinTemperature];

/// Something that goes wrong.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    /// What was done.
    pub(super) name: String,
    pub(super) kind: Kind,
    /// From when, s from the recording's start.
    pub(super) from_s: i64,
    pub(super) lasts_s: i64,
    /// From so many seconds after its start nothing valid can be seen.
    pub(super) blind_after_s: Option<i64>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Nothing,
    /// No packet; the recording goes on after it where it stopped.
    Silence,
    /// Of a thousand packets so many are lost, each on its own; a packet holds all channels.
    Lossy(u32),
    /// All packets of these stretches are lost, s from the recording's start.
    Bursts(Vec<Range<i64>>),
    /// No sample of these channels.
    Without(Vec<Channel>),
    /// These channels stand at their last value.
    Frozen(Vec<Channel>),
    /// These channels stand at the largest (or smallest) value.
    Full(Vec<Channel>, Edge),
    /// The pulse wave is cut off above and below so many steps.
    Clipped(i32),
    /// The band lies on a table: a pulse sensor that sees noise, no skin, cooling.
    OffWrist,
    /// Packets come so much later.
    Late(i64),
    Doubled,
    /// The packets of so many seconds come in reverse order.
    Reordered(i64),
    /// The detector's clock is wrong by so much.
    Clock(i64),
    /// The band's clock is wrong by so much.
    BandClock(i64),
}

/// Where a value stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edge {
    /// The sensor's highest.
    Sensor,
    /// The highest integer.
    Highest,
    /// The lowest integer.
    Lowest,
}

impl Fault {
    /// No fault at all.
    pub(super) fn none() -> Self {
        Self::new("none", Kind::Nothing)
    }

    fn new(name: impl Into<String>, kind: Kind) -> Self {
        let name = name.into();
        Self { name, kind, from_s: FROM_S, lasts_s: LASTS_S, blind_after_s: None }
    }

    fn blind(self) -> Self {
        Self { blind_after_s: Some(SILENT_S), ..self }
    }

    fn lasting(self, lasts_s: i64) -> Self {
        let blind_after_s = self.blind_after_s.filter(|after| *after < lasts_s);
        Self { lasts_s, blind_after_s, ..self }
    }

    fn since_the_start(self) -> Self {
        Self { from_s: 0, lasts_s: FROM_S + LASTS_S, ..self }
    }

    /// When nothing valid can be seen, s from the recording's start.
    pub(super) fn hidden(&self) -> Vec<Range<i64>> {
        if let Kind::Bursts(bursts) = &self.kind {
            let hidden = bursts.iter().map(|it| it.start + SILENT_S..it.end);
            return hidden.filter(|it| !it.is_empty()).collect();
        }
        let after = self.blind_after_s.into_iter();
        after.map(|after| self.from_s + after..self.from_s + self.lasts_s).collect()
    }

    /// Whether nothing that matters is wrong.
    #[cfg(test)]
    pub(super) fn is_harmless(&self) -> bool {
        matches!(self.kind, Kind::Doubled | Kind::Reordered(..=2))
    }
}

/// Everything that is tried.
pub(super) fn faults() -> Vec<Fault> {
    let mut all = vec![Fault::none()];
    for (words, lasts_s) in [
        ("1 s", 1),
        ("10 s", 10),
        ("1 min", 60),
        ("10 min", 600),
        ("1 h", HOUR_S),
        ("3 h", 3 * HOUR_S),
    ] {
        all.push(
            Fault::new(format!("no packet for {words}"), Kind::Silence).blind().lasting(lasts_s),
        );
    }
    for (words, of_1000) in [("0.5 %", 5), ("5 %", 50), ("20 %", 200)] {
        let fault = Fault::new(format!("{words} of packets lost"), Kind::Lossy(of_1000));
        all.push(fault.lasting(LONG_S));
    }
    let fault = Fault::new("5 % of packets lost from the start", Kind::Lossy(50));
    all.push(fault.since_the_start());
    let bursts = Kind::Bursts(bursts(FROM_S..FROM_S + LONG_S));
    all.push(Fault::new("no packet for 10 to 120 s, time and again", bursts).lasting(LONG_S));
    for channel in MEASURED {
        all.push(Fault::new(format!("no {channel}"), Kind::Without(vec![channel])));
    }
    for channel in MEASURED {
        let fault =
            Fault::new(format!("no {channel} from the start"), Kind::Without(vec![channel]));
        all.push(fault.since_the_start());
    }
    let others = vec![Channel::Bvp, Channel::Eda, Channel::SkinTemperature];
    let alone = Fault::new("nothing but acceleration", Kind::Without(others.clone()));
    all.push(Fault { blind_after_s: Some(ALONE_S), ..alone });
    let alone = Fault::new("nothing but acceleration from the start", Kind::Without(others));
    all.push(Fault { blind_after_s: Some(0), ..alone.since_the_start() });
    for channel in MEASURED {
        all.push(Fault::new(format!("{channel} stands still"), Kind::Frozen(vec![channel])));
    }
    all.push(Fault::new("all stand still", Kind::Frozen(MEASURED.to_vec())).blind());
    for channel in MEASURED {
        let kind = Kind::Full(vec![channel], Edge::Sensor);
        all.push(Fault::new(format!("{channel} at its sensor's limit"), kind));
    }
    for (words, edge) in [
        ("all at their sensors' limits", Edge::Sensor),
        ("all at the largest integer", Edge::Highest),
        ("all at the smallest integer", Edge::Lowest),
    ] {
        all.push(Fault::new(words, Kind::Full(MEASURED.to_vec(), edge)).blind());
    }
    all.push(Fault::new("pulse wave cut off beyond +-10 counts", Kind::Clipped(1_000)));
    let off = Fault::new("off the wrist, on a table", Kind::OffWrist);
    // It has been cold for most of the time.
    all.push(Fault { blind_after_s: Some(OFF_WRIST_S), ..off.lasting(LONG_S) });
    all.push(Fault::new("packets 2 s late", Kind::Late(2)));
    for by in [20, 60, 240] {
        all.push(Fault::new(format!("packets {by} s late"), Kind::Late(by)).blind());
    }
    all.push(Fault::new("every packet twice", Kind::Doubled));
    all.push(Fault::new("packets of 2 s in reverse order", Kind::Reordered(2)));
    all.push(Fault::new("packets of 30 s in reverse order", Kind::Reordered(30)));
    for (words, by) in [
        ("an hour ahead", HOUR_S),
        ("an hour back", -HOUR_S),
        ("a day ahead", 24 * HOUR_S),
        ("50 years back", -438_000 * HOUR_S),
    ] {
        all.push(Fault::new(format!("the house's clock {words}"), Kind::Clock(by)).blind());
    }
    for (words, by) in [("an hour ahead", HOUR_S), ("an hour back", -HOUR_S)] {
        all.push(Fault::new(format!("the band's clock {words}"), Kind::BandClock(by)).blind());
    }
    all
}

/// Stretches beyond a radio's reach, the first of them at once.
fn bursts(within: Range<i64>) -> Vec<Range<i64>> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut bursts = Vec::new();
    let mut from = within.start;
    while from < within.end {
        let until = (from + random.random_range(BURST_S)).min(within.end);
        bursts.push(from..until);
        from = until + random.random_range(BETWEEN_BURSTS_S);
    }
    bursts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_reach_a_band_is_hidden_from_twelve_seconds_on() {
        let all = bursts(0..100_000);
        assert!(all.len() > 300 && all[0].start == 0);
        assert!(all.iter().all(|it| it.end == 100_000 || BURST_S.contains(&(it.end - it.start))));
        let mut between = all.windows(2).map(|pair| pair[1].start - pair[0].end);
        assert!(between.all(|it| BETWEEN_BURSTS_S.contains(&it)));
        let kind = Kind::Bursts(vec![100..111, 200..230, 300..320]);
        assert_eq!(Fault::new("x", kind).hidden(), [212..230, 312..320]);
        let silence = Fault::new("x", Kind::Silence).blind();
        assert_eq!(silence.hidden().first(), Some(&(1_512..1_800)));
    }
}
