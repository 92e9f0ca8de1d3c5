//! How many wristbands one store keeps up with: `cargo run --release -p store --example
//! append_rate [bands] [seconds]` appends seconds of E4-rate data of so many bands, a
//! transaction for each second, and prints how long each took.

#![expect(clippy::print_stdout, reason = "prints what it measured")]

use std::time::{Duration, Instant};

use biosignal::{Channel, DeviceId, GatewayId, Reading, Timestamp};
use store::{Batch, Store};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let bands: u32 = words.next().map_or(Ok(1000), |word| word.parse())?;
    let seconds: u32 = words.next().map_or(Ok(20), |word| word.parse())?;
    let folder = tempfile::tempdir_in(".")?;
    let store = Store::open(folder.path())?;
    let mut took = Vec::new();
    for second in 1..=seconds {
        let batches = (0..bands).map(|band| batch(band, second)).collect::<Result<Vec<_>, _>>()?;
        let begun = Instant::now();
        store.append(batches).await?;
        took.push(begun.elapsed());
    }
    let bytes = store.health().await?.file_bytes;
    report(bands, &mut took, bytes);
    Ok(())
}

fn report(bands: u32, took: &mut [Duration], bytes: u64) {
    let whole: Duration = took.iter().sum();
    let seconds = took.len() as f64;
    took.sort_unstable();
    println!(
        "{bands} bands, {} one-second batches each, synced every second: {:.1} x real time",
        took.len(),
        seconds / whole.as_secs_f64()
    );
    println!(
        "transaction p50 {:?}, p95 {:?}, worst {:?}",
        took[took.len() / 2],
        took[took.len() * 95 / 100],
        took[took.len() - 1]
    );
    println!("{:.0} bytes a band and second", bytes as f64 / seconds / f64::from(bands));
}

/// A second at E4 rates: two packets of each channel.
fn batch(band: u32, second: u32) -> Result<Batch, biosignal::IdError> {
    let device = DeviceId::new(format!("{band:012x}"))?;
    let gateway = GatewayId::new(format!("gw-{}", band % 40))?;
    let at = Timestamp::from_seconds(1_700_000_000 + i64::from(second));
    let readings: Vec<Reading> = [0, 1]
        .into_iter()
        .flat_map(|half| {
            let packet = Packet { device: &device, sequence: second * 2 + half, at };
            [
                packet.reading(Channel::Bvp, 15_625, 32),
                packet.reading(Channel::Acceleration, 31_250, 48),
                packet.reading(Channel::Eda, 250_000, 2),
                packet.reading(Channel::SkinTemperature, 250_000, 2),
            ]
        })
        .collect();
    Ok(Batch {
        epoch: u64::from(band) << 32,
        sequence: u64::from(second),
        live: true,
        received_at: at,
        payload: noise(band ^ (second << 12), 290).map(|it| (it & 0xff) as u8).collect(),
        device,
        gateway,
        readings,
    })
}

struct Packet<'a> {
    device: &'a DeviceId,
    sequence: u32,
    at: Timestamp,
}

impl Packet<'_> {
    fn reading(&self, channel: Channel, period_us: u32, integers: usize) -> Reading {
        let measured_at = self.at.plus_micros(i64::from(self.sequence % 2) * 500_000);
        let seed = self.sequence ^ (u32::from(channel.code()) << 24);
        Reading {
            device: self.device.clone(),
            channel,
            epoch: 1,
            sequence: self.sequence,
            measured_at,
            received_at: measured_at.plus_micros(600_000),
            period_us,
            // Differences of one byte mostly, as in what is worn.
            samples: noise(seed, integers).map(|it| (it % 120).cast_signed()).collect(),
        }
    }
}

/// The same numbers for the same seed (xorshift).
fn noise(seed: u32, count: usize) -> impl Iterator<Item = u32> {
    let mut state = seed | 1;
    (0..count).map(move |_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    })
}
