//! Between the vocabulary's readings and a batch as it travels.

use biosignal::{Channel, DeviceId, GatewayId, Reading, Timestamp};

use crate::check::{self, Fault};
use crate::message::PayloadError;
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
        measured_us: reading.measured_at.micros_since(created_at),
        received_us: differs(|a, b| a.received_at == b.received_at)
            .then(|| reading.received_at.micros_since(created_at)),
        period_us: reading.period_us,
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
    let received_at = match (packed.received_us, before) {
        (Some(received_us), _) => moment("received_us", created_at_us, received_us)?,
        (None, Some(before)) => before.received_at,
        (None, None) => return Err(absent("received_us")),
    };
    let reading = Reading {
        device: device.clone(),
        channel,
        epoch: packed
            .band_epoch
            .or(before.map(|before| before.epoch))
            .ok_or_else(|| absent("band_epoch"))?,
        sequence: packed
            .band_sequence
            .or(before.map(|before| before.sequence))
            .ok_or_else(|| absent("band_sequence"))?,
        measured_at: moment("measured_us", created_at_us, packed.measured_us)?,
        received_at,
        period_us: packed.period_us,
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
