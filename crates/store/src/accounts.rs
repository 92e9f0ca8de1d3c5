//! The account of a device's hour: every microsecond is stored, or in the ledger with a
//! cause, or unaccounted for.

use biosignal::{Channel, DeviceId, GapCause, Timestamp};
use rusqlite::Transaction;

use crate::error::{Acted, StoreError};
use crate::gaps;
use crate::rows::device_number;
use crate::scan::{self, Stretch};
use crate::store::Store;

/// An hour of a device. `expected = stored + ledgered + unaccounted`, to the microsecond.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Time of the hour in which the device was known to the house: from its first reading
    /// or gap, until the moment of asking.
    pub expected_us: i64,
    /// Time with samples of a channel at a fixed rate.
    pub stored_us: i64,
    /// Time without samples, and with a cause; each moment under one cause alone.
    pub ledgered: Vec<CauseShare>,
    /// Time without samples and without a cause: to be looked into.
    pub unaccounted_us: i64,
}

/// Missing time by its cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CauseShare {
    /// The cause.
    pub cause: GapCause,
    /// How long.
    pub missing_us: i64,
}

impl Account {
    /// Time without samples, and with a cause.
    #[must_use]
    pub fn ledgered_us(&self) -> i64 {
        self.ledgered.iter().map(|share| share.missing_us).sum()
    }
}

const HOUR_US: i64 = 3600 * 1_000_000;

/// Neighbouring readings whose ends are so near have nothing missing between them: the
/// mapping of the device's clock moves a little from packet to packet.
const JITTER_US: i64 = 50_000;

/// A reading that begins so long before the hour can still reach into it.
const LONGEST_READING_US: i64 = 60 * 1_000_000;

impl Store {
    /// The account of the hour that a moment lies in, as far as `now`.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub async fn account(
        &self,
        device: &DeviceId,
        hour: Timestamp,
        now: Timestamp,
    ) -> Result<Account, StoreError> {
        let device = device.clone();
        self.house.read(move |transaction| account(transaction, &device, hour, now)).await
    }
}

fn account(
    transaction: &Transaction<'_>,
    device: &DeviceId,
    hour: Timestamp,
    now: Timestamp,
) -> Acted<Account> {
    let Some(number) = device_number(transaction, device)? else { return Ok(Account::default()) };
    let begin = hour.as_micros() - hour.as_micros().rem_euclid(HOUR_US);
    let Some(known) = known_since(transaction, number)? else { return Ok(Account::default()) };
    let span = Span { from: begin.max(known), until: (begin + HOUR_US).min(now.as_micros()) };
    let stored = stored(transaction, device, span)?;
    let from = Timestamp::from_micros(span.from);
    let ledger = gaps::ledger(transaction, device, from, Timestamp::from_micros(span.until))?;
    let gaps = ledger
        .iter()
        .map(|entry| (entry.gap.cause, Span::of(entry.gap.from, entry.gap.until).within(span)))
        .collect();
    Ok(settle(span, stored, gaps))
}

/// The moment of the device's first reading or gap.
fn known_since(transaction: &Transaction<'_>, device: i64) -> Acted<Option<i64>> {
    let mut first = transaction.prepare_cached(
        "SELECT min(first) FROM (
             SELECT min(measured_at) AS first FROM readings WHERE device = ?1
             UNION ALL SELECT min(from_at) FROM gaps WHERE device = ?1)",
    )?;
    Ok(first.query_row([device], |row| row.get(0))?)
}

/// Where there are samples at a fixed rate.
fn stored(transaction: &Transaction<'_>, device: &DeviceId, span: Span) -> Acted<Vec<Span>> {
    let stretch = Stretch {
        device: device.clone(),
        from: Timestamp::from_micros(span.from - LONGEST_READING_US),
        until: Timestamp::from_micros(span.until),
    };
    let steady: Vec<Channel> = Channel::ALL.into_iter().filter(|it| !it.is_event()).collect();
    let mut spans = Vec::new();
    scan::each(transaction, &stretch, &steady, |reading| {
        spans.push(Span::of(reading.measured_at, reading.end()).within(span));
    })?;
    Ok(spans)
}

/// From a moment until another, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Span {
    from: i64,
    until: i64,
}

impl Span {
    fn of(from: Timestamp, until: Timestamp) -> Self {
        Self { from: from.as_micros(), until: until.as_micros() }
    }

    fn within(self, outer: Self) -> Self {
        Self { from: self.from.max(outer.from), until: self.until.min(outer.until) }
    }

    fn length(self) -> i64 {
        (self.until - self.from).max(0)
    }
}

fn settle(span: Span, stored: Vec<Span>, mut gaps: Vec<(GapCause, Span)>) -> Account {
    let stored = joined(stored, span);
    let mut holes = Vec::new();
    let mut at = span.from;
    for part in &stored {
        holes.push(Span { from: at, until: part.from });
        at = part.until;
    }
    holes.push(Span { from: at, until: span.until });
    gaps.sort_by_key(|(_, gap)| *gap);
    let mut account = Account {
        expected_us: span.length(),
        stored_us: stored.iter().map(|part| part.length()).sum(),
        ..Account::default()
    };
    for hole in holes.into_iter().filter(|hole| hole.length() > 0) {
        explain(&mut account, hole, &gaps);
    }
    account
}

/// Gives a hole's time to the gaps that cover it; where several do, to the earliest.
fn explain(account: &mut Account, hole: Span, gaps: &[(GapCause, Span)]) {
    let mut at = hole.from;
    for (cause, gap) in gaps {
        let part = gap.within(Span { from: at, until: hole.until });
        if part.length() > 0 {
            account.unaccounted_us += part.from - at;
            add(&mut account.ledgered, *cause, part.length());
            at = part.until;
        }
    }
    account.unaccounted_us += hole.until - at;
}

fn add(shares: &mut Vec<CauseShare>, cause: GapCause, missing_us: i64) {
    match shares.iter_mut().find(|share| share.cause == cause) {
        Some(share) => share.missing_us += missing_us,
        None => shares.push(CauseShare { cause, missing_us }),
    }
}

/// What spans cover together, in order and apart.
fn joined(mut spans: Vec<Span>, outer: Span) -> Vec<Span> {
    spans.retain(|span| span.length() > 0);
    spans.sort_unstable();
    let mut joined: Vec<Span> = Vec::new();
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.from <= last.until + JITTER_US => {
                last.until = last.until.max(span.until)
            }
            _ => joined.push(span),
        }
    }
    if let Some(first) = joined.first_mut().filter(|it| it.from <= outer.from + JITTER_US) {
        first.from = outer.from;
    }
    joined
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn span(from: i64, until: i64) -> Span {
        Span { from: from * 1_000_000, until: until * 1_000_000 }
    }

    #[test]
    fn missing_time_is_explained_once() {
        let account = settle(
            span(0, 100),
            vec![span(0, 10), span(5, 20), span(60, 70)],
            vec![(GapCause::Gateway, span(15, 40)), (GapCause::OutOfRange, span(30, 65))],
        );
        assert_eq!(account.stored_us, 30_000_000);
        assert_eq!(account.ledgered_us(), 40_000_000);
        assert_eq!(
            account.ledgered,
            [
                CauseShare { cause: GapCause::Gateway, missing_us: 20_000_000 },
                CauseShare { cause: GapCause::OutOfRange, missing_us: 20_000_000 },
            ]
        );
        assert_eq!(account.unaccounted_us, 30_000_000);
    }

    proptest! {
        #[test]
        fn the_account_always_balances(
            stored in prop::collection::vec((0_i64..3600, 1_i64..200), 0..40),
            gaps in prop::collection::vec((0_usize..8, 0_i64..3600, 1_i64..900), 0..20),
        ) {
            let hour = span(0, 3600);
            let stored = stored.iter().map(|(at, long)| span(*at, at + long).within(hour)).collect();
            let gaps = gaps
                .iter()
                .map(|(cause, at, long)| (GapCause::ALL[*cause], span(*at, at + long).within(hour)))
                .collect();
            let account = settle(hour, stored, gaps);
            prop_assert_eq!(
                account.expected_us,
                account.stored_us + account.ledgered_us() + account.unaccounted_us
            );
            prop_assert!(account.unaccounted_us >= 0);
        }
    }
}
