//! Between the vocabulary's readings and a batch as it travels.

use biosignal::{Channel, DeviceId, GatewayId, Reading, Timestamp};

use crate::check::{self, Fault};
use crate::error::PayloadError;
use crate::wire;

/// What a batch says of itself, besides its readings.
#[derive(Clone, Debug)]
pub struct BatchHead {
    /// The device that measured.
    pub device: DeviceId,
    /// The gateway that received.
    pub gateway: GatewayId,
    /// The gateway's spool.
    pub epoch: u64,
    /// The batch's number in the spool, from 1, per device.
    pub sequence: u64,
    /// When the gateway put it there.
    pub created_at: Timestamp,
    /// How the device's clock was mapped.
    pub clock: Option<wire::Clock>,
}

/// Packs readings of one device into a batch.
///
/// # Errors
/// [`PayloadError`] names the reading that is another device's or has the wrong shape.
pub fn batch_from_readings(
    head: &BatchHead,
    readings: &[Reading],
) -> Result<wire::Batch, PayloadError> {
    let mut batch = wire::Batch {
        device: head.device.as_str().to_owned(),
        gateway: head.gateway.as_str().to_owned(),
        epoch: head.epoch,
        sequence: head.sequence,
        created_at_us: head.created_at.as_micros(),
        readings: Vec::with_capacity(readings.len()),
        clock: head.clock,
    };
    let mut before = None;
    for (index, reading) in readings.iter().enumerate() {
        fits(head, reading).map_err(|fault| fault.within("readings", index).of("Batch"))?;
        batch.readings.push(pack(head.created_at, before, reading));
        before = Some(reading);
    }
    Ok(batch)
}

fn fits(head: &BatchHead, reading: &Reading) -> Result<(), Fault> {
    if reading.device != head.device {
        let what = format!("{} in a batch of {}", reading.device, head.device);
        return Err(Fault::new("device", what));
    }
    reading.validate().map_err(|error| Fault::new("deltas", error.to_string()))
}

/// Leaves out what is the same as in the reading before.
fn pack(created_at: Timestamp, before: Option<&Reading>, reading: &Reading) -> wire::Reading {
    let shift = shift_of(&reading.samples);
    let differs = |same: fn(&Reading, &Reading) -> bool| !before.is_some_and(|b| same(b, reading));
    wire::Reading {
        channel: u32::from(reading.channel.code()),
        band_epoch: differs(|a, b| a.epoch == b.epoch).then_some(reading.epoch),
        band_sequence: differs(|a, b| a.sequence == b.sequence).then_some(reading.sequence),
        measured_us: differs(|a, b| a.measured_at == b.measured_at)
            .then(|| reading.measured_at.micros_since(created_at)),
        received_us: differs(|a, b| a.received_at == b.received_at)
            .then(|| reading.received_at.micros_since(created_at)),
        period_us: differs(|a, b| a.period_us == b.period_us).then_some(reading.period_us),
        shift,
        deltas: deltas(&reading.samples, reading.channel.components(), shift),
    }
}

/// Low bits that are zero in every sample: a coarse sensor then costs one byte a sample.
fn shift_of(samples: &[i32]) -> u32 {
    let bits = samples.iter().fold(0, |bits, sample| bits | sample);
    if bits == 0 { 0 } else { bits.trailing_zeros() }
}

fn deltas(samples: &[i32], components: usize, shift: u32) -> Vec<i32> {
    let before = |index: usize| {
        index
            .checked_sub(components)
            .and_then(|index| samples.get(index))
            .map_or(0, |it| it >> shift)
    };
    samples
        .iter()
        .enumerate()
        .map(|(index, sample)| (sample >> shift).wrapping_sub(before(index)))
        .collect()
}

/// Unpacks a batch.
///
/// # Errors
/// [`PayloadError`] says what is wrong and in which reading.
pub fn readings_from_batch(batch: &wire::Batch) -> Result<Vec<Reading>, PayloadError> {
    unpack_all(batch).map_err(|fault| fault.of("Batch"))
}

/// Checks a batch with all that is in it.
pub(crate) fn check(batch: &wire::Batch) -> Result<(), Fault> {
    check::gateway("gateway", &batch.gateway)?;
    if batch.sequence == 0 {
        return Err(Fault::new("sequence", "0, where numbers start with 1"));
    }
    if let Some(clock) = &batch.clock
        && !clock.drift_ppm.is_finite()
    {
        return Err(Fault::new("clock.drift_ppm", format!("{} is no number", clock.drift_ppm)));
    }
    unpack_all(batch).map(drop)
}

fn unpack_all(batch: &wire::Batch) -> Result<Vec<Reading>, Fault> {
    let device = DeviceId::new(batch.device.as_str())
        .map_err(|error| Fault::new("device", error.to_string()))?;
    let mut readings: Vec<Reading> = Vec::with_capacity(batch.readings.len());
    for (index, packed) in batch.readings.iter().enumerate() {
        let reading = unpack(&device, batch.created_at_us, readings.last(), packed)
            .map_err(|fault| fault.within("readings", index))?;
        readings.push(reading);
    }
    Ok(readings)
}

fn unpack(
    device: &DeviceId,
    created_at_us: i64,
    before: Option<&Reading>,
    packed: &wire::Reading,
) -> Result<Reading, Fault> {
    let absent = |field| Fault::new(field, "absent, with no reading before it");
    let channel = u8::try_from(packed.channel)
        .ok()
        .and_then(|code| Channel::from_code(code).ok())
        .ok_or_else(|| {
            Fault::new("channel", format!("no channel has the code {}", packed.channel))
        })?;
    let moment = |field, after_us, before: Option<Timestamp>| match after_us {
        Some(after_us) => moment(field, created_at_us, after_us),
        None => before.ok_or_else(|| absent(field)),
    };
    let reading = Reading {
        device: device.clone(),
        channel,
        epoch: packed
            .band_epoch
            .or(before.map(|it| it.epoch))
            .ok_or_else(|| absent("band_epoch"))?,
        sequence: packed
            .band_sequence
            .or(before.map(|it| it.sequence))
            .ok_or_else(|| absent("band_sequence"))?,
        measured_at: moment("measured_us", packed.measured_us, before.map(|it| it.measured_at))?,
        received_at: moment("received_us", packed.received_us, before.map(|it| it.received_at))?,
        period_us: packed
            .period_us
            .or(before.map(|it| it.period_us))
            .ok_or_else(|| absent("period_us"))?,
        samples: samples(&packed.deltas, channel.components(), packed.shift)?,
    };
    reading.validate().map_err(|error| Fault::new("deltas", error.to_string()))?;
    Ok(reading)
}

fn moment(field: &str, created_at_us: i64, after_us: i64) -> Result<Timestamp, Fault> {
    created_at_us.checked_add(after_us).map(Timestamp::from_micros).ok_or_else(|| {
        Fault::new(field, format!("{after_us} us after {created_at_us} is no moment"))
    })
}

fn samples(deltas: &[i32], components: usize, shift: u32) -> Result<Vec<i32>, Fault> {
    if shift > 31 {
        return Err(Fault::new("shift", format!("{shift} of at most 31")));
    }
    let mut sums = vec![0_i32; components];
    deltas
        .iter()
        .enumerate()
        .map(|(index, delta)| {
            let sum = &mut sums[index % components];
            *sum = sum.wrapping_add(*delta);
            let sample = *sum << shift;
            if sample >> shift == *sum {
                Ok(sample)
            } else {
                Err(Fault::new(
                    format!("deltas[{index}]"),
                    format!("{sum} << {shift} is too large"),
                ))
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::Message as _;

    use super::*;

    const NOON: Timestamp = Timestamp::from_seconds(1_700_000_000);

    fn head() -> BatchHead {
        BatchHead {
            device: DeviceId::from_address([0xC0, 0xFF, 0xEE, 0, 0, 1]),
            gateway: GatewayId::new("gw-1").expect("a good word"),
            epoch: 0x1234_5678_9ABC_DEF0,
            sequence: 3600,
            created_at: NOON,
            clock: None,
        }
    }

    fn reading(channel: Channel, period_us: u32, samples: Vec<i32>) -> Reading {
        Reading {
            device: head().device,
            channel,
            epoch: 0xDEAD_BEEF,
            sequence: 7200,
            measured_at: NOON.plus_micros(-1_040_000),
            received_at: NOON.plus_micros(-20_000),
            period_us,
            samples,
        }
    }

    /// A second at the rates and steps of an Empatica E4, with a pulse and a moving arm.
    fn second_of_a_wristband() -> Vec<Reading> {
        let wave = |n: i32, height: f64, hertz: f64, rate: f64| {
            let value = height * (std::f64::consts::TAU * hertz * f64::from(n) / rate).sin();
            #[expect(clippy::cast_possible_truncation, reason = "a wave of thousands")]
            let rounded = value.round() as i32;
            rounded
        };
        let bvp = (0..64).map(|n| wave(n, 6000.0, 1.2, 64.0)).collect();
        let acceleration =
            (0..96).map(|n| 16 * (wave(n, 20.0, 0.5, 96.0) + [4, 10, 60][n as usize % 3]));
        let eda = (0..4).map(|n| 622_764 + n * 1281).collect();
        let temperature = (0..4).map(|n| 3345 + 2 * (n % 2)).collect();
        vec![
            reading(Channel::Bvp, 15_625, bvp),
            reading(Channel::Acceleration, 31_250, acceleration.collect()),
            reading(Channel::Eda, 250_000, eda),
            reading(Channel::SkinTemperature, 250_000, temperature),
        ]
    }

    #[test]
    fn a_second_of_readings_is_small() {
        let readings = second_of_a_wristband();
        let batch = batch_from_readings(&head(), &readings).expect("good readings");
        let bytes = batch.encode_to_vec();
        let raw: usize = readings.iter().map(|reading| reading.samples.len() * 4).sum();
        println!("a second at E4 rates: {} bytes ({raw} as plain integers)", bytes.len());
        assert!((250..=340).contains(&bytes.len()), "{} bytes", bytes.len());
        let batch = wire::Batch::decode(bytes.as_slice()).expect("our own bytes");
        assert_eq!(readings_from_batch(&batch), Ok(readings));
    }

    #[test]
    fn a_coarse_sensor_costs_a_byte_a_sample() {
        let coarse = reading(Channel::Acceleration, 31_250, vec![1024, -512, 64, 1040, -512, 80]);
        let batch = batch_from_readings(&head(), &[coarse]).expect("a good reading");
        assert_eq!(batch.readings[0].shift, 4);
        assert_eq!(batch.readings[0].deltas, [64, -32, 4, 1, 0, 1]);
    }

    #[test]
    fn readings_that_do_not_belong_are_named() {
        let mut stranger = reading(Channel::Eda, 250_000, vec![1]);
        stranger.device = DeviceId::from_address([0; 6]);
        let torn = reading(Channel::Acceleration, 31_250, vec![1]);
        for (wrong, says) in [
            (stranger, "Batch.readings[1].device: 000000000000 in a batch of c0ffee000001"),
            (
                torn,
                "Batch.readings[1].deltas: acceleration: 1 integers do not make whole samples of 3",
            ),
        ] {
            let good = reading(Channel::Eda, 250_000, vec![1]);
            let error = batch_from_readings(&head(), &[good, wrong]).expect_err("wrong");
            assert_eq!(error.to_string(), says);
        }
    }

    #[test]
    fn a_bad_batch_says_what_and_where() {
        let says = |spoil: fn(&mut wire::Batch)| {
            let mut batch = batch_from_readings(&head(), &second_of_a_wristband()).expect("good");
            spoil(&mut batch);
            readings_from_batch(&batch).expect_err("spoilt").to_string()
        };
        assert_eq!(
            says(|batch| batch.readings[2].channel = 300),
            "Batch.readings[2].channel: no channel has the code 300"
        );
        assert_eq!(
            says(|batch| batch.readings[0].band_epoch = None),
            "Batch.readings[0].band_epoch: absent, with no reading before it"
        );
        assert_eq!(
            says(|batch| batch.readings[1].shift = 32),
            "Batch.readings[1].shift: 32 of at most 31"
        );
        assert_eq!(
            says(|batch| batch.readings[3].shift = 31),
            "Batch.readings[3].deltas[0]: 3345 << 31 is too large"
        );
        assert_eq!(
            says(|batch| batch.readings[3].period_us = Some(0)),
            "Batch.readings[3].deltas: skin_temperature: a period of 0 us does not fit"
        );
        assert_eq!(
            says(|batch| batch.created_at_us = i64::MIN),
            "Batch.readings[0].measured_us: -1040000 us after -9223372036854775808 is no moment"
        );
    }

    prop_compose! {
        fn any_reading()(
            channel in prop::sample::select(Channel::ALL.to_vec()),
            epoch: u32,
            sequence in 0_u32..3,
            measured in -4_000_000_000_000_000_i64..4_000_000_000_000_000,
            received in 0_i64..3,
            period in 1_u32..,
            samples in prop::collection::vec(any::<i32>(), 0..20),
            shift in 0_u32..32,
        ) -> Reading {
            let whole = samples.len() - samples.len() % channel.components();
            Reading {
                device: head().device,
                channel,
                epoch: epoch % 3 * 0x5555_5555,
                sequence,
                measured_at: Timestamp::from_micros(measured),
                received_at: Timestamp::from_micros(received),
                period_us: if channel.is_event() { 0 } else { period },
                samples: samples[..whole].iter().map(|sample| sample >> shift << shift).collect(),
            }
        }
    }

    proptest! {
        #[test]
        fn any_readings_come_out_as_they_went_in(
            readings in prop::collection::vec(any_reading(), 0..6),
        ) {
            let batch = batch_from_readings(&head(), &readings).expect("good readings");
            let bytes = batch.encode_to_vec();
            let decoded = wire::Batch::decode(bytes.as_slice()).expect("our own bytes");
            prop_assert_eq!(readings_from_batch(&decoded), Ok(readings));
        }

        #[test]
        fn no_reading_makes_it_panic(
            channel in 0_u32..9,
            created_at_us: i64,
            measured_us: i64,
            period_us: u32,
            shift in 0_u32..40,
            deltas: Vec<i32>,
        ) {
            let packed = wire::Reading {
                channel,
                band_epoch: Some(1),
                band_sequence: Some(1),
                measured_us: Some(measured_us),
                received_us: Some(measured_us),
                period_us: Some(period_us),
                shift,
                deltas,
            };
            let batch = wire::Batch {
                device: "c0ffee000001".to_owned(),
                created_at_us,
                readings: vec![packed],
                ..wire::Batch::default()
            };
            let _answer = readings_from_batch(&batch);
        }
    }
}
