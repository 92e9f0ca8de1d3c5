use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use biosignal::{DeviceId, Gap, GapCause, Timestamp};
use proptest::prelude::*;

use super::{BandRecord, Database, Depth, Draft, Extent, FILE, Flush, Room};

fn band(number: u8) -> DeviceId {
    DeviceId::from_address([0xC0, 0xFF, 0xEE, 0, 0, number])
}

fn draft(number: u8, body: &[u8]) -> Draft {
    Draft { device: band(number), body: body.to_vec() }
}

fn flush(drafts: Vec<Draft>) -> Flush {
    Flush { batches: drafts, ..Flush::default() }
}

/// What the disk holds at this moment, as a `kill -9` leaves it.
fn crash_image(from: &Path, into: &Path) -> PathBuf {
    for file in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        if file.file_name().to_string_lossy().starts_with(FILE) {
            std::fs::copy(file.path(), into.join(file.file_name())).unwrap();
        }
    }
    into.join(FILE)
}

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<(u8, Vec<u8>)>),
    /// What the store has: up to which of the numbers given so far, in hundredths.
    Free(u8, u8),
    Crash,
    Renumber,
}

fn step() -> impl Strategy<Value = Step> {
    let body = prop::collection::vec(any::<u8>(), 0..20);
    prop_oneof![
        5 => prop::collection::vec((0..3_u8, body), 0..6).prop_map(Step::Append),
        3 => (0..3_u8, 0..=100_u8).prop_map(|(band, share)| Step::Free(band, share)),
        1 => Just(Step::Crash),
        1 => Just(Step::Renumber),
    ]
}

/// What a spool must hold: bodies by number, and the last number given.
#[derive(Default)]
struct Expected {
    devices: BTreeMap<DeviceId, (BTreeMap<u64, Vec<u8>>, u64)>,
    cursors: BTreeMap<DeviceId, BandRecord>,
}

impl Expected {
    fn append(&mut self, flush: &Flush) {
        for draft in &flush.batches {
            let (kept, newest) = self.devices.entry(draft.device.clone()).or_default();
            *newest += 1;
            kept.insert(*newest, draft.body.clone());
        }
        self.cursors.extend(flush.bands.clone());
    }

    fn renumber(&mut self) {
        for (kept, newest) in self.devices.values_mut() {
            *kept = (1..).zip(std::mem::take(kept).into_values()).collect();
            *newest = kept.len() as u64;
        }
    }

    fn check(&self, spool: &Database) {
        let mut depth = Depth::default();
        for (device, (kept, newest)) in &self.devices {
            let found: BTreeMap<u64, Vec<u8>> = spool
                .batches(device, 0, u32::MAX)
                .unwrap()
                .into_iter()
                .map(|batch| (batch.key.sequence, batch.body))
                .collect();
            assert_eq!(&found, kept, "{device}");
            let first = kept.keys().next().copied().unwrap_or(newest + 1);
            assert_eq!(spool.extents().unwrap()[device], Extent { first, newest: *newest });
            depth.batches += kept.len() as u64;
            depth.bytes += kept.values().map(|body| body.len() as u64).sum::<u64>();
        }
        assert_eq!(spool.depth(), depth);
        assert_eq!(spool.bands().unwrap(), self.cursors);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever comes, in whatever order, with a crash anywhere: every batch keeps its
    /// number and its bytes until the store has it, and none is there twice.
    #[test]
    fn nothing_is_lost_or_doubled(steps in prop::collection::vec(step(), 1..30)) {
        let mut folder = tempfile::tempdir().unwrap();
        let mut spool = Database::open(&folder.path().join(FILE)).unwrap();
        let mut expected = Expected::default();
        for step in steps {
            match step {
                Step::Append(drafts) => {
                    let mut flush = Flush::default();
                    for (number, body) in drafts {
                        flush.bands.insert(band(number), BandRecord {
                            profile: "tidewatch".to_owned(),
                            cursor: Some(body.clone()),
                        });
                        flush.batches.push(draft(number, &body));
                    }
                    expected.append(&flush);
                    let given = spool.append(&flush).unwrap();
                    prop_assert_eq!(given.len(), flush.batches.len());
                }
                Step::Free(number, share) => {
                    let device = band(number);
                    let Some((kept, newest)) = expected.devices.get_mut(&device) else { continue };
                    let through = *newest * u64::from(share) / 100;
                    spool.free(&[(device, through)]).unwrap();
                    kept.retain(|sequence, _| *sequence > through);
                }
                Step::Crash => {
                    let epoch = spool.epoch();
                    let after = tempfile::tempdir().unwrap();
                    spool = Database::open(&crash_image(folder.path(), after.path())).unwrap();
                    folder = after;
                    prop_assert_eq!(spool.epoch(), epoch);
                }
                Step::Renumber => {
                    let epoch = spool.epoch();
                    expected.renumber();
                    prop_assert_ne!(spool.renumber().unwrap(), epoch);
                }
            }
            expected.check(&spool);
        }
    }
}

#[test]
fn a_flush_that_fails_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let mut spool = Database::open(&path).unwrap();
    spool.append(&flush(vec![draft(1, b"kept")])).unwrap();
    spool.fail_at(3);
    let torn = flush(vec![draft(1, b"a"), draft(2, b"b"), draft(2, b"c")]);
    assert!(spool.append(&torn).is_err());
    assert_eq!(spool.depth(), Depth { batches: 1, bytes: 4 });
    assert_eq!(
        spool.extents().unwrap(),
        BTreeMap::from([(band(1), Extent { first: 1, newest: 1 })])
    );
    // The numbers of the torn flush are given again, to the same batches.
    spool.fail_at(0);
    let given: Vec<u64> =
        spool.append(&torn).unwrap().into_iter().map(|key| key.sequence).collect();
    assert_eq!(given, [2, 1, 2]);
}

#[test]
fn gaps_wait_until_they_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let mut spool = Database::open(&path).unwrap();
    let gap = |second| Gap {
        device: band(1),
        from: Timestamp::from_seconds(second),
        until: Timestamp::from_seconds(second + 1),
        cause: GapCause::OutOfRange,
    };
    let gaps = vec![gap(1), gap(2), gap(3)];
    spool.append(&Flush { gaps: gaps.clone(), ..Flush::default() }).unwrap();
    drop(spool);
    let mut spool = Database::open(&path).unwrap();
    let told = spool.gaps(2).unwrap();
    assert_eq!(told.iter().map(|(_, gap)| gap.clone()).collect::<Vec<_>>(), gaps[..2]);
    for (id, _) in told {
        spool.forget_gap(id).unwrap();
    }
    assert_eq!(
        spool.gaps(9).unwrap().into_iter().map(|(_, gap)| gap).collect::<Vec<_>>(),
        gaps[2..]
    );
}

#[test]
fn a_damaged_file_is_set_aside_and_the_gateway_starts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let bytes = vec![b'?'; 8192];
    std::fs::write(&path, &bytes).unwrap();
    let mut spool = Database::open(&path).unwrap();
    spool.append(&flush(vec![draft(1, b"new")])).unwrap();
    let aside = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().path())
        .find(|file| file.to_string_lossy().contains("damaged-"))
        .expect("the damaged file is kept for who wants to look");
    assert_eq!(std::fs::read(aside).unwrap(), bytes);
}

#[test]
fn one_gateway_owns_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let _owner = Database::open(&path).unwrap();
    let second = Database::open_within(&path, std::time::Duration::from_millis(50));
    assert_eq!(
        second.err().and_then(|error| error.sqlite_error_code()),
        Some(rusqlite::ErrorCode::DatabaseBusy)
    );
}

#[test]
fn backlog_stops_before_live_readings_do() {
    let room = |bytes| Room::of(Depth { batches: 1, bytes }, 1000);
    assert_eq!(
        [room(899), room(900), room(999), room(1000)],
        [Room::Free, Room::LiveOnly, Room::LiveOnly, Room::Full]
    );
}
