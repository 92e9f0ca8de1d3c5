use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::net::IpAddr;
use std::time::Duration;

use biosignal::Timestamp;

/// How many failed sign-ins are let through in a stretch of time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    pub(crate) per_account: usize,
    pub(crate) per_address: usize,
    pub(crate) within: Duration,
}

/// Failed sign-ins of late, per account and per address.
///
/// An attempt counts from its start, so that a thousand at once gain nothing; one
/// that succeeds is taken back. Account names are kept as they were tried, in lower case.
#[derive(Debug)]
pub(crate) struct Attempts {
    allowance: Allowance,
    accounts: Failures<String>,
    addresses: Failures<IpAddr>,
}

impl Attempts {
    pub(crate) fn new(allowance: Allowance) -> Self {
        let within_us = i64::try_from(allowance.within.as_micros()).unwrap_or(i64::MAX);
        Self { allowance, accounts: Failures::new(within_us), addresses: Failures::new(within_us) }
    }

    /// Notes an attempt, or says for how long none is let through.
    pub(crate) fn begin(
        &mut self,
        account: &str,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<(), Duration> {
        let account = account.to_lowercase();
        let wait_us = self
            .accounts
            .wait_us(&account, self.allowance.per_account, now)
            .max(self.addresses.wait_us(&address, self.allowance.per_address, now));
        if wait_us > 0 {
            return Err(Duration::from_micros(wait_us.unsigned_abs()));
        }
        self.accounts.note(account, now);
        self.addresses.note(address, now);
        Ok(())
    }

    /// The right password was given: the account's failures are forgotten, and the
    /// address gets this attempt back (not more, or one good account would be a way round).
    pub(crate) fn succeeded(&mut self, account: &str, address: IpAddr) {
        self.accounts.recent.remove(&account.to_lowercase());
        if let Some(times) = self.addresses.recent.get_mut(&address) {
            times.pop_back();
        }
    }
}

#[derive(Debug)]
struct Failures<K> {
    within_us: i64,
    recent: HashMap<K, VecDeque<Timestamp>>,
}

/// Beyond this many keys those without a recent failure are forgotten.
const SWEEP_AT: usize = 4096;

impl<K: Hash + Eq> Failures<K> {
    fn new(within_us: i64) -> Self {
        Self { within_us, recent: HashMap::new() }
    }

    fn wait_us(&mut self, key: &K, allowed: usize, now: Timestamp) -> i64 {
        let Some(times) = self.recent.get_mut(key) else { return 0 };
        times.retain(|at| now.micros_since(*at) < self.within_us);
        match times.len().checked_sub(allowed).and_then(|over| times.get(over)) {
            Some(at) => self.within_us - now.micros_since(*at),
            None => 0,
        }
    }

    fn note(&mut self, key: K, now: Timestamp) {
        if self.recent.len() >= SWEEP_AT {
            self.recent.retain(|_, times| {
                times.back().is_some_and(|at| now.micros_since(*at) < self.within_us)
            });
        }
        self.recent.entry(key).or_default().push_back(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWANCE: Allowance =
        Allowance { per_account: 3, per_address: 5, within: Duration::from_secs(60) };

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn an_account_is_closed_after_its_failures_until_the_first_is_old() {
        let mut attempts = Attempts::new(ALLOWANCE);
        for second in 0..3_u8 {
            assert!(attempts.begin("sam", address(second), at(second.into())).is_ok());
        }
        assert_eq!(attempts.begin("Sam", address(9), at(10)), Err(Duration::from_secs(50)));
        assert!(attempts.begin("kim", address(9), at(10)).is_ok(), "others are not closed");
        assert!(attempts.begin("sam", address(9), at(60)).is_ok());
    }

    #[test]
    fn an_address_is_closed_whatever_names_it_tries() {
        let mut attempts = Attempts::new(ALLOWANCE);
        for number in 0..5 {
            assert!(attempts.begin(&format!("name-{number}"), address(1), at(0)).is_ok());
        }
        assert!(attempts.begin("sam", address(1), at(1)).is_err());
        assert!(attempts.begin("sam", address(2), at(1)).is_ok());
    }

    #[test]
    fn success_forgets_the_account_but_not_the_address() {
        let mut attempts = Attempts::new(ALLOWANCE);
        for _ in 0..2 {
            for _ in 0..2 {
                assert!(attempts.begin("sam", address(1), at(0)).is_ok());
            }
            attempts.succeeded("sam", address(1));
        }
        assert!(attempts.begin("sam", address(1), at(0)).is_ok());
        assert!(attempts.begin("kim", address(1), at(0)).is_ok());
        assert!(attempts.begin("kim", address(1), at(0)).is_ok());
        assert!(attempts.begin("kim", address(1), at(0)).is_err(), "five failures stand");
    }

    #[test]
    fn what_is_remembered_stays_small() {
        let mut attempts = Attempts::new(ALLOWANCE);
        for number in 0..20_000_i64 {
            let _ = attempts.begin(&format!("name-{number}"), address(1), at(number * 20));
        }
        assert!(attempts.accounts.recent.len() <= SWEEP_AT);
    }
}
