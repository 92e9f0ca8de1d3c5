//! A recorder played by the test: notes all that arrives, and gives the store's word.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use biosignal::{Channel, DeviceId, GatewayId};
use bus::wire::device_status::Link;
use bus::wire::{self, DeviceAck, DeviceStatus, GatewayStatus};
use bus::{Endpoint, Filter, Message, SessionKind, Subscriber};
use tokio_util::sync::CancellationToken;

use crate::process::site;

/// All that arrived.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// How often each packet's channel arrived, by device and the device's epoch.
    pub readings: BTreeMap<(DeviceId, u32), BTreeMap<(u32, Channel), u32>>,
    batches: BTreeMap<(DeviceId, u64), BTreeSet<u64>>,
    pub live_batches: u64,
    pub backlog_batches: u64,
    /// From the end of a live reading to its arrival, ms, by device.
    pub latencies_ms: BTreeMap<DeviceId, Vec<i64>>,
    /// When the newest live reading of a device arrived, and the longest wait for one, ms.
    pub last_live_ms: BTreeMap<DeviceId, i64>,
    pub longest_wait_ms: BTreeMap<DeviceId, i64>,
    pub statuses: BTreeMap<DeviceId, Vec<(i64, DeviceStatus)>>,
    pub gateway: Option<GatewayStatus>,
    pub gaps: Vec<wire::Gap>,
}

pub(crate) type Shared = Arc<Mutex<Record>>;

pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

impl Record {
    fn take(&mut self, message: Message) {
        match message {
            Message::Batch(batch) => {
                self.live_batches += 1;
                self.batch(&batch, true);
            }
            Message::Backfill(batch) => {
                self.backlog_batches += 1;
                self.batch(&batch, false);
            }
            Message::DeviceStatus(status) => {
                let device = DeviceId::new(status.device.as_str()).unwrap();
                self.statuses.entry(device).or_default().push((now_ms(), status));
            }
            Message::GatewayStatus(status) => self.gateway = Some(status),
            Message::Gap(gap) => self.gaps.push(gap),
            other => panic!("a gateway does not say {other:?}"),
        }
    }

    fn batch(&mut self, batch: &wire::Batch, live: bool) {
        let device = DeviceId::new(batch.device.as_str()).unwrap();
        let known = self.batches.entry((device.clone(), batch.epoch)).or_default();
        if !known.insert(batch.sequence) {
            return; // Sent again: dropped by its number, as the store does.
        }
        let now = now_ms();
        for reading in bus::readings_from_batch(batch).unwrap() {
            let packets = self.readings.entry((device.clone(), reading.epoch)).or_default();
            *packets.entry((reading.sequence, reading.channel)).or_default() += 1;
            if live && reading.channel == Channel::Bvp {
                let late = now - reading.end().as_micros() / 1000;
                self.latencies_ms.entry(device.clone()).or_default().push(late);
                let before = self.last_live_ms.insert(device.clone(), now).unwrap_or(now);
                let longest = self.longest_wait_ms.entry(device.clone()).or_default();
                *longest = (now - before).max(*longest);
            }
        }
    }

    /// What the store would say.
    fn acknowledgement(&self, gateway: &GatewayId) -> wire::Acknowledgement {
        let devices = self.batches.iter().map(|((device, epoch), numbers)| {
            let newest = numbers.last().copied().unwrap_or(0);
            let through = (1..=newest).take_while(|number| numbers.contains(number)).last();
            let missing = (1..=newest).filter(|number| !numbers.contains(number));
            DeviceAck {
                device: device.to_string(),
                epoch: *epoch,
                contiguous_through: through.unwrap_or(0),
                missing: missing
                    .map(|number| wire::Range { first: number, last: number })
                    .collect(),
            }
        });
        wire::Acknowledgement {
            gateway: gateway.to_string(),
            at_us: now_ms() * 1000,
            devices: devices.collect(),
        }
    }

    pub(crate) fn status(&self, device: &DeviceId) -> Option<&DeviceStatus> {
        self.statuses.get(device)?.last().map(|(_, status)| status)
    }

    pub(crate) fn link(&self, device: &DeviceId) -> Link {
        self.status(device).map_or(Link::Unspecified, DeviceStatus::link)
    }

    /// The newest packet of a device's newest epoch.
    pub(crate) fn newest(&self, device: &DeviceId) -> (u32, u32) {
        let epochs = self.readings.iter().filter(|((of, _), _)| of == device);
        epochs
            .filter_map(|((_, epoch), packets)| Some((*epoch, packets.last_key_value()?.0.0)))
            .max()
            .unwrap_or_default()
    }

    /// Packets of an epoch without a BVP reading, between the first and `through`.
    pub(crate) fn missing(&self, device: &DeviceId, epoch: u32, through: u32) -> Vec<u32> {
        let empty = BTreeMap::new();
        let packets = self.readings.get(&(device.clone(), epoch)).unwrap_or(&empty);
        (1..=through).filter(|packet| !packets.contains_key(&(*packet, Channel::Bvp))).collect()
    }

    /// Readings that arrived in more than one batch.
    pub(crate) fn doubled(&self) -> usize {
        self.readings.values().flat_map(BTreeMap::values).filter(|count| **count > 1).count()
    }
}

/// Records until the token is cancelled.
pub(crate) fn start(endpoint: &Endpoint, gateway: GatewayId, end: &CancellationToken) -> Shared {
    let record = Shared::default();
    let site = site();
    let filters = vec![
        Filter::batches(&site),
        Filter::backfill(&site),
        Filter::statuses(&site),
        Filter::gateways(&site),
        Filter::gaps(&site),
    ];
    let kind = SessionKind::Persistent;
    let mut arrivals = Subscriber::start(endpoint, "recorder", filters, kind, end).unwrap();
    let noted = Arc::clone(&record);
    tokio::spawn(async move {
        while let Some(delivery) = arrivals.next().await {
            arrivals.acknowledge(delivery.ack);
            lock(&noted).take(delivery.message.expect("the gateway speaks well"));
        }
    });
    let speaker = bus::Publisher::start(endpoint, "store", None, end).unwrap();
    let noted = Arc::clone(&record);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let word = lock(&noted).acknowledgement(&gateway);
            // Said again half a second later, whatever became of it.
            let _ = speaker.publish(Message::Acknowledgement(word).publication(&site)).await;
        }
    });
    record
}

pub(crate) fn lock(record: &Shared) -> MutexGuard<'_, Record> {
    record.lock().expect("nobody panics with the record in hand")
}
