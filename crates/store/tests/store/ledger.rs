//! Missing time and its causes.

use biosignal::{Gap, GapCause};
use store::{Account, CauseShare, LedgerEntry, PacketRange, StoreError};

use crate::world::{at, batch, block_on, device, folder, gateway, open};

fn entry(gateway: &str, cause: GapCause, from: i64, until: i64) -> LedgerEntry {
    LedgerEntry {
        gap: Gap { device: device(1), from: at(from), until: at(until), cause },
        gateway: self::gateway(gateway),
        packets: None,
    }
}

#[test]
fn a_gap_that_is_told_in_parts_and_again_is_one() {
    let folder = folder();
    let store = open(folder.path());
    let away = |from, until| entry("gw-1", GapCause::OutOfRange, from, until);
    let lost = LedgerEntry {
        packets: Some(PacketRange { epoch: 7, first: 3, last: 9 }),
        ..entry("gw-1", GapCause::Band, 22, 24)
    };
    block_on(async {
        for told in
            [away(10, 20), away(30, 40), away(10, 20), away(20, 31), lost.clone(), lost.clone()]
        {
            store.record_gap(told).await.unwrap();
        }
        store.record_gap(entry("gw-2", GapCause::OutOfRange, 15, 18)).await.unwrap();
        let ledger = store.gaps(&device(1), at(0), at(100)).await.unwrap();
        let other = entry("gw-2", GapCause::OutOfRange, 15, 18);
        assert_eq!(ledger, [away(10, 40), other, lost.clone()]);
        assert_eq!(store.gaps(&device(1), at(22), at(23)).await.unwrap(), [away(10, 40), lost]);
        assert_eq!(store.gaps(&device(1), at(40), at(50)).await.unwrap(), []);
        assert_eq!(store.gaps(&device(2), at(0), at(100)).await.unwrap(), []);
    });
}

#[test]
fn a_gap_that_ends_before_it_begins_is_refused() {
    let folder = folder();
    let store = open(folder.path());
    let error = block_on(store.record_gap(entry("gw-1", GapCause::Band, 5, 4))).unwrap_err();
    assert!(matches!(error, StoreError::Refused(_)), "{error}");
    assert_eq!(error.to_string(), "gap: of c0ffee000001 ends before it begins");
}

#[test]
fn an_hour_is_stored_or_explained_or_to_be_looked_into() {
    let folder = folder();
    let store = open(folder.path());
    // START is 800 s before a full hour. Seconds 1 to 99 are stored but for 41 to 60; of
    // those 45 to 55 are explained.
    let stored = (1..100).filter(|second| !(41..=60).contains(second));
    let batches = stored.zip(1..).map(|(packet, sequence)| {
        let mut it = batch(&device(1), "gw-1", 1, packet);
        it.sequence = sequence;
        it
    });
    block_on(async {
        store.append(batches.collect()).await.unwrap();
        store.record_gap(entry("gw-1", GapCause::OutOfRange, 45, 55)).await.unwrap();
        let account = store.account(&device(1), at(50), at(100)).await.unwrap();
        let second = 1_000_000;
        assert_eq!(
            account,
            Account {
                expected_us: 99 * second,
                stored_us: 79 * second,
                ledgered: vec![CauseShare { cause: GapCause::OutOfRange, missing_us: 10 * second }],
                unaccounted_us: 10 * second,
            }
        );
        // What is filled in later is stored, though the ledger still tells of the gap.
        let late = (41..=60).map(|packet| batch(&device(1), "gw-1", 2, packet));
        store.append(late.collect()).await.unwrap();
        let account = store.account(&device(1), at(50), at(100)).await.unwrap();
        assert_eq!((account.stored_us, account.ledgered_us()), (99 * second, 0));
        // The next hour has nothing, and nobody knows why.
        let next = store.account(&device(1), at(3600), at(9000)).await.unwrap();
        assert_eq!((next.expected_us, next.unaccounted_us), (3600 * second, 3600 * second));
        assert_eq!(store.account(&device(9), at(0), at(100)).await.unwrap(), Account::default());
    });
}
