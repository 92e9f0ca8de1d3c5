//! Whatever a radio brings: decoding it never panics, what decodes encodes to what decodes to
//! the same, and a session neither panics nor grows.
#![no_main]

use arbitrary::Arbitrary;
use biosignal::{Channel, DeviceId, GapCause, Timestamp};
use libfuzzer_sys::fuzz_target;
use uuid::Uuid;
use wristband::{
    Action, BandState, Block, EarlierEpoch, Event, Packet, Profile, Session, StreamPacket, decode,
    uuids,
};

const CHARACTERISTICS: [Uuid; 5] = [
    uuids::STREAM,
    uuids::STATE,
    uuids::HEART_RATE_MEASUREMENT,
    uuids::BATTERY_LEVEL,
    uuids::SERVICE,
];
/// The longest cursor, bytes.
const CURSOR_BYTES: usize = 20_000;

#[derive(Arbitrary, Debug)]
struct Script {
    strap: bool,
    steps: Vec<(Step, i32)>,
}

#[derive(Arbitrary, Debug)]
enum Step {
    Bytes { characteristic: u8, bytes: Vec<u8> },
    Stream { epoch: u8, sequence: u16, device_time_ms: u32, replayed: bool, blocks: Vec<Samples> },
    State { epoch: u8, newest: u16, oldest: u16, device_time_ms: u32, earlier: Vec<Earlier> },
    Connected,
    Disconnected,
    Tick,
    Restart,
}

#[derive(Arbitrary, Debug)]
struct Samples {
    channel: u8,
    offset_us: u32,
    period_us: u32,
    samples: Vec<i32>,
}

#[derive(Arbitrary, Debug)]
struct Earlier {
    epoch: u8,
    oldest: u16,
    newest: u16,
    end_ms: u32,
    utc_offset_us: Option<i64>,
}

fuzz_target!(|script: Script| {
    let profile = if script.strap { Profile::HeartRateStrap } else { Profile::Tidewatch };
    let device = || DeviceId::from_address([1; 6]);
    let mut session = Session::new(device(), profile, None);
    let mut now = Timestamp::from_seconds(1_700_000_000);
    for (step, later_ms) in script.steps {
        now = now.plus_micros(i64::from(later_ms) * 1000);
        let value;
        let event = match step {
            Step::Connected => Event::Connected,
            Step::Disconnected => Event::Disconnected { cause: GapCause::Adapter },
            Step::Tick => Event::Tick,
            Step::Restart => {
                session = Session::new(device(), profile, Some(session.cursor()));
                continue;
            }
            Step::Bytes { .. } | Step::Stream { .. } | Step::State { .. } => {
                let Some((characteristic, bytes)) = encoded(step) else { continue };
                round_trip(characteristic, &bytes);
                value = bytes;
                Event::Notified { characteristic, bytes: &value }
            }
        };
        for action in session.handle(now, event) {
            if let Action::Reading { reading, .. } = action {
                reading.validate().expect("a session hands out whole readings");
            }
        }
    }
    let kept = serde_json::to_vec(&session.cursor()).expect("plain values").len();
    assert!(kept < CURSOR_BYTES, "the cursor grew to {kept} bytes");
});

/// What a value decodes to, encoded again, is the same once more.
fn round_trip(characteristic: Uuid, bytes: &[u8]) {
    let Ok(packet) = decode(characteristic, bytes) else { return };
    let again = match &packet {
        Packet::Stream(stream) => stream.encode().ok(),
        Packet::State(state) => Some(state.encode()),
        Packet::HeartRate(measurement) if measurement.trailing_bytes == 0 => {
            Some(measurement.encode())
        }
        Packet::HeartRate(_) | Packet::Battery(_) => None,
    };
    if let Some(again) = again {
        assert_eq!(decode(characteristic, &again).as_ref(), Ok(&packet));
    }
}

fn encoded(step: Step) -> Option<(Uuid, Vec<u8>)> {
    match step {
        Step::Bytes { characteristic, bytes } => {
            Some((CHARACTERISTICS[usize::from(characteristic) % CHARACTERISTICS.len()], bytes))
        }
        Step::Stream { epoch, sequence, device_time_ms, replayed, blocks } => {
            let packet = StreamPacket {
                epoch: epoch.into(),
                sequence: sequence.into(),
                device_time_us: u64::from(device_time_ms) * 1000,
                replayed,
                blocks: blocks.into_iter().map(Samples::block).collect(),
            };
            packet.encode().ok().map(|bytes| (uuids::STREAM, bytes))
        }
        Step::State { epoch, newest, oldest, device_time_ms, earlier } => {
            let state = BandState {
                epoch: epoch.into(),
                newest_sequence: newest.into(),
                oldest_sequence: oldest.into(),
                device_time_us: u64::from(device_time_ms) * 1000,
                battery_percent: epoch,
                streaming: newest % 2 == 0,
                on_wrist: newest % 3 == 0,
                earlier: earlier.into_iter().map(Earlier::epoch).collect(),
            };
            Some((uuids::STATE, state.encode()))
        }
        Step::Connected | Step::Disconnected | Step::Tick | Step::Restart => None,
    }
}

impl Samples {
    fn block(self) -> Block {
        let channel = Channel::ALL[usize::from(self.channel) % Channel::ALL.len()];
        let Self { offset_us, mut samples, .. } = self;
        samples.truncate(samples.len() / channel.components() * channel.components());
        let period_us = if channel.is_event() { 0 } else { self.period_us };
        Block { channel, offset_us, period_us, samples }
    }
}

impl Earlier {
    fn epoch(self) -> EarlierEpoch {
        EarlierEpoch {
            epoch: self.epoch.into(),
            oldest_sequence: self.oldest.into(),
            newest_sequence: self.newest.into(),
            end_us: u64::from(self.end_ms) * 1000,
            utc_offset_us: self.utc_offset_us,
        }
    }
}
