//! Batches that come once, again, late, in any order, or not at all.

use std::collections::{BTreeMap, BTreeSet};

use biosignal::{Reading, Timestamp};
use proptest::prelude::*;
use store::{Appended, Batch, DeviceAck, Of, Quarantined, Refusal, Scan, Store, StoreError};

use crate::world::{at, batch, block_on, device, everything, folder, gateway, open, readings};

#[test]
fn a_batch_is_read_back_as_it_came() {
    let folder = folder();
    let store = open(folder.path());
    let sent: Vec<Batch> =
        (1..=5).map(|number| batch(&device(1), "gw-1", u64::MAX, number)).collect();
    block_on(async {
        assert_eq!(store.append(sent.clone()).await.unwrap(), [Appended::New; 5]);
        assert_eq!(store.batches(&device(1), u64::MAX, 2..=4).await.unwrap(), sent[1..4]);
        assert_eq!(store.batches(&device(1), 1, 2..=4).await.unwrap(), []);
        let late = store.batches_received_since(&device(1), sent[3].received_at).await.unwrap();
        assert_eq!(late, sent[3..]);
    });
}

#[test]
fn a_second_gateway_doubles_no_sample() {
    let folder = folder();
    let store = open(folder.path());
    let heard: Vec<Batch> = (1..=4).map(|number| batch(&device(1), "gw-1", 11, number)).collect();
    let mut overheard: Vec<Batch> =
        (1..=6).map(|number| batch(&device(1), "gw-2", 22, number)).collect();
    for reading in overheard.iter_mut().flat_map(|it| &mut it.readings) {
        reading.received_at = reading.received_at.plus_micros(5_000);
    }
    block_on(async {
        store.append(heard).await.unwrap();
        assert_eq!(store.append(overheard.clone()).await.unwrap(), [Appended::New; 6]);
        let kept = store.scan(everything(Of::Device(device(1)))).await.unwrap();
        let packets: BTreeSet<_> = kept.iter().map(|it| (it.sequence, it.channel)).collect();
        assert_eq!((kept.len(), packets.len()), (12, 12));
        // The second gateway's batches are still what they were, to repeat a decision by.
        assert_eq!(store.batches(&device(1), 22, 1..=6).await.unwrap(), overheard);
    });
}

#[test]
fn another_payload_under_the_same_number_is_kept_apart() {
    let folder = folder();
    let store = open(folder.path());
    let first = batch(&device(1), "gw-1", 1, 1);
    let mut second = first.clone();
    second.payload.push(b'!');
    block_on(async {
        store.append(vec![first.clone()]).await.unwrap();
        let appended = store.append(vec![second, first.clone()]).await.unwrap();
        assert_eq!(appended, [Appended::Quarantined, Appended::Duplicate]);
        assert_eq!(store.batches(&device(1), 1, 1..=1).await.unwrap(), [first]);
        assert_eq!(store.health().await.unwrap().quarantined, 1);
    });
}

#[test]
fn a_batch_that_is_none_is_refused_with_all_that_came_with_it() {
    let folder = folder();
    let store = open(folder.path());
    let says = |spoil: &dyn Fn(&mut Batch)| {
        let mut bad = batch(&device(1), "gw-1", 1, 2);
        spoil(&mut bad);
        match block_on(store.append(vec![batch(&device(1), "gw-1", 1, 1), bad])) {
            Err(StoreError::Refused(refusal)) => refusal.to_string(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(says(&|it| it.sequence = 0), "sequence: 0 is not between 1 and 2^63 - 2");
    assert_eq!(
        says(&|it| it.readings = readings(&device(2), 2)),
        "batch: of c0ffee000001 with a reading of c0ffee000002"
    );
    assert_eq!(
        says(&|it| it.readings[1].samples.truncate(5)),
        "batch: acceleration: 5 integers do not make whole samples of 3"
    );
    assert_eq!(
        says(&|it| it.readings[0].measured_at = Timestamp::from_micros(i64::MAX)),
        "measured_at: 9223372036854775807 us is not between 1970 and 2200"
    );
    assert_eq!(block_on(store.scan(everything(Of::Device(device(1))))).unwrap(), []);
}

#[test]
fn a_refused_batch_is_not_asked_for_again_and_can_still_come_right() {
    let folder = folder();
    let store = open(folder.path());
    let refused = Quarantined {
        device: device(1),
        gateway: gateway("gw-1"),
        epoch: 1,
        sequence: 2,
        received_at: at(0),
        reason: "Batch.readings[0].channel: no channel has the code 8".to_owned(),
        payload: b"of a newer gateway".to_vec(),
    };
    block_on(async {
        store
            .append(vec![batch(&device(1), "gw-1", 1, 1), batch(&device(1), "gw-1", 1, 3)])
            .await
            .unwrap();
        store.quarantine(vec![refused.clone(), refused.clone()]).await.unwrap();
        let acks = store.acknowledgements(&gateway("gw-1")).await.unwrap();
        assert_eq!((acks[0].contiguous_through, acks[0].missing.len()), (3, 0));
        assert_eq!(store.health().await.unwrap().quarantined, 1);
        let right = batch(&device(1), "gw-1", 1, 2);
        assert_eq!(store.append(vec![right]).await.unwrap(), [Appended::New]);
        let nameless = Quarantined { sequence: 0, ..refused };
        let error = store.quarantine(vec![nameless]).await.unwrap_err();
        assert!(matches!(error, StoreError::Refused(Refusal::Unfit { what: "sequence", .. })));
    });
}

#[test]
fn a_scan_in_pieces_gives_each_reading_once_and_in_order() {
    let folder = folder();
    let store = open(folder.path());
    let sent = [5, 3, 1, 4, 2].map(|number| batch(&device(1), "gw-1", 1, number));
    block_on(async {
        store.append(sent.to_vec()).await.unwrap();
        store.append(vec![batch(&device(2), "gw-1", 1, 3)]).await.unwrap();
        let whole = store.scan(everything(Of::Device(device(1)))).await.unwrap();
        let expected: Vec<Reading> = (1..=5)
            .flat_map(|packet| {
                let mut both = readings(&device(1), packet);
                both.reverse();
                both
            })
            .collect();
        assert_eq!(whole, expected);
        let mut pieces = Vec::new();
        for (from, until) in [(0, 2), (2, 4), (4, 9)] {
            let scan =
                Scan { from: at(from), until: at(until), ..everything(Of::Device(device(1))) };
            pieces.extend(store.scan(scan).await.unwrap());
        }
        assert_eq!(pieces, whole);
    });
}

/// One delivery of a batch that some gateway's spool holds.
#[derive(Clone, Copy, Debug)]
struct Sent {
    band: u8,
    gateway: usize,
    sequence: u64,
}

fn sent() -> impl Strategy<Value = Sent> {
    (1_u8..=2, 0_usize..=1, 1_u64..=12).prop_map(|(band, gateway, sequence)| Sent {
        band,
        gateway,
        sequence,
    })
}

const GATEWAYS: [&str; 2] = ["gw-1", "gw-2"];

impl Sent {
    fn batch(self) -> Batch {
        let epoch = if self.gateway == 0 { 5 } else { u64::MAX - 5 };
        batch(&device(self.band), GATEWAYS[self.gateway], epoch, self.sequence)
    }
}

/// What the store must say of what was sent, worked out in the simplest way.
#[derive(Default)]
struct Model {
    batches: BTreeMap<(usize, u8), BTreeSet<u64>>,
    packets: BTreeSet<(u8, u64)>,
}

impl Model {
    fn append(&mut self, sent: Sent) -> Appended {
        self.packets.insert((sent.band, sent.sequence));
        let numbers = self.batches.entry((sent.gateway, sent.band)).or_default();
        if numbers.insert(sent.sequence) { Appended::New } else { Appended::Duplicate }
    }

    fn check(&self, store: &Store) {
        block_on(async {
            for (index, name) in GATEWAYS.iter().enumerate() {
                let acks = store.acknowledgements(&gateway(name)).await.unwrap();
                let known = self.batches.keys().filter(|(gateway, _)| *gateway == index).count();
                assert_eq!(acks.len(), known);
                for ack in acks {
                    self.check_ack(index, &ack);
                }
            }
            for band in 1..=2 {
                let kept = store.scan(everything(Of::Device(device(band)))).await.unwrap();
                let packets = self.packets.iter().filter(|(it, _)| *it == band);
                let expected: usize = packets
                    .map(|(_, packet)| {
                        let of_packet = kept.iter().filter(|it| u64::from(it.sequence) == *packet);
                        let same = readings(&device(band), u32::try_from(*packet).unwrap());
                        assert!(of_packet.clone().all(|it| same.contains(it)));
                        assert_eq!(of_packet.count(), 2);
                        2
                    })
                    .sum();
                assert_eq!(kept.len(), expected);
            }
        });
    }

    fn check_ack(&self, gateway: usize, ack: &DeviceAck) {
        let band = if ack.device == device(1) { 1 } else { 2 };
        let numbers = &self.batches[&(gateway, band)];
        let contiguous = (1..).take_while(|number| numbers.contains(number)).last().unwrap_or(0);
        assert_eq!(ack.contiguous_through, contiguous);
        let newest = *numbers.last().expect("known by a batch");
        let missing: Vec<u64> = (1..newest).filter(|number| !numbers.contains(number)).collect();
        assert_eq!(ack.missing.iter().cloned().flatten().collect::<Vec<u64>>(), missing);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_with_repeats_and_holes_comes_to_the_same(
        turns in prop::collection::vec(prop::collection::vec(sent(), 1..12), 1..8),
        restart_after in 0_usize..8,
    ) {
        let folder = folder();
        let mut store = open(folder.path());
        let mut model = Model::default();
        for (turn, group) in turns.iter().enumerate() {
            let batches = group.iter().map(|sent| sent.batch()).collect();
            let expected: Vec<Appended> = group.iter().map(|sent| model.append(*sent)).collect();
            prop_assert_eq!(block_on(store.append(batches)).unwrap(), expected);
            if turn == restart_after {
                store = open(folder.path());
            }
        }
        model.check(&store);
    }
}
