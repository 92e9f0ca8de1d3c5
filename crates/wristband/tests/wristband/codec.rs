use biosignal::{Channel, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use uuid::Uuid;
use wristband::{
    BandState, Block, Command, DecodeError, EarlierEpoch, HeartRateMeasurement, MAX_PACKET_BYTES,
    Packet, StreamPacket, decode, packets, uuids,
};

use crate::page;

/// The same cases each time, unless `PROPTEST_RNG_SEED` asks for others.
pub(crate) fn cases(cases: u32) -> ProptestConfig {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let rng_seed = match config.rng_seed {
        RngSeed::Random => RngSeed::Fixed(2),
        fixed @ RngSeed::Fixed(_) => fixed,
    };
    ProptestConfig { rng_seed, ..config }
}

const CHARACTERISTICS: [Uuid; 5] = [
    uuids::STREAM,
    uuids::STATE,
    uuids::HEART_RATE_MEASUREMENT,
    uuids::BATTERY_LEVEL,
    uuids::SERVICE,
];

fn sample() -> impl Strategy<Value = i32> {
    prop_oneof![any::<i32>(), -2000..2000_i32, (-100..100_i32).prop_map(|coarse| coarse << 4)]
}

fn block(channel: Channel, samples: usize) -> impl Strategy<Value = Block> {
    let integers = samples * channel.components();
    let period = if channel.is_event() { 0..1 } else { 1..u32::MAX };
    (any::<u32>(), period, prop::collection::vec(sample(), integers)).prop_map(
        move |(offset_us, period_us, samples)| Block { channel, offset_us, period_us, samples },
    )
}

/// Blocks of different channels, each with up to `samples` samples.
fn blocks(samples: usize) -> impl Strategy<Value = Vec<Block>> {
    prop::sample::subsequence(Channel::ALL.to_vec(), 0..=4).prop_flat_map(move |channels| {
        let one = move |channel| (1..=samples).prop_flat_map(move |n| block(channel, n));
        channels.into_iter().map(one).collect::<Vec<_>>()
    })
}

pub(crate) fn stream() -> impl Strategy<Value = StreamPacket> {
    (any::<u32>(), 1_u32.., 0..1_u64 << 53, any::<bool>(), blocks(3)).prop_map(
        |(epoch, sequence, device_time_us, replayed, blocks)| StreamPacket {
            epoch,
            sequence,
            device_time_us,
            replayed,
            blocks,
        },
    )
}

fn held() -> impl Strategy<Value = (u32, u32)> {
    (0..u32::MAX).prop_flat_map(|newest| (1..=newest + 1, Just(newest)))
}

fn earlier() -> impl Strategy<Value = EarlierEpoch> {
    (any::<u32>(), held(), 0..1_u64 << 53, prop::option::of(0..=1_i64 << 53)).prop_map(
        |(epoch, (oldest_sequence, newest_sequence), end_us, utc_offset_us)| EarlierEpoch {
            epoch,
            oldest_sequence,
            newest_sequence,
            end_us,
            utc_offset_us,
        },
    )
}

pub(crate) fn state() -> impl Strategy<Value = BandState> {
    let doing = (any::<u32>(), 0..=100_u8, any::<bool>(), any::<bool>());
    let earlier = prop::collection::vec(earlier(), 0..=7);
    (doing, held(), 0..1_u64 << 53, earlier).prop_map(|(doing, held, device_time_us, earlier)| {
        let (epoch, battery_percent, streaming, on_wrist) = doing;
        let (oldest_sequence, newest_sequence) = held;
        BandState {
            epoch,
            newest_sequence,
            oldest_sequence,
            device_time_us,
            battery_percent,
            streaming,
            on_wrist,
            earlier,
        }
    })
}

fn command() -> impl Strategy<Value = Command> {
    let replay = (any::<u32>(), 1..=u32::MAX).prop_flat_map(|(epoch, through)| {
        (1..=through).prop_map(move |from| Command::Replay { epoch, from, through })
    });
    let set_time =
        any::<i64>().prop_map(|micros| Command::SetTime { utc: Timestamp::from_micros(micros) });
    prop_oneof![
        set_time,
        replay,
        prop::sample::select(vec![Command::Start, Command::Stop, Command::Identify]),
    ]
}

pub(crate) fn measurement() -> impl Strategy<Value = HeartRateMeasurement> {
    let contact = prop::option::of(any::<bool>());
    let intervals = prop::collection::vec(any::<u16>(), 0..9);
    (any::<u16>(), contact, prop::option::of(any::<u16>()), intervals).prop_map(
        |(beats_per_minute, contact, energy_kj, intervals_1024)| HeartRateMeasurement {
            beats_per_minute,
            contact,
            energy_kj,
            intervals_1024,
            trailing_bytes: 0,
        },
    )
}

/// Puts the right check sum under any bytes, so that what is behind it is reached.
fn summed(mut bytes: Vec<u8>) -> Vec<u8> {
    loop {
        match decode(uuids::STREAM, &bytes) {
            Err(DecodeError::CheckSum { expected, .. }) => {
                let end = bytes.len() - 2;
                bytes[end..].copy_from_slice(&expected.to_le_bytes());
            }
            _ => return bytes,
        }
    }
}

proptest! {
    #![proptest_config(cases(4096))]

    #[test]
    fn no_bytes_make_the_codec_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        for characteristic in CHARACTERISTICS {
            let _ = decode(characteristic, &bytes);
        }
        let _ = Command::decode(&bytes);
    }

    #[test]
    fn no_bytes_with_a_right_check_sum_make_the_codec_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..240),
        epochs in 0..8_u8,
    ) {
        let mut framed = vec![1, 0];
        framed.extend(&bytes);
        if let Some(count) = framed.get_mut(18) {
            *count = epochs;
        }
        if let Ok(Packet::Stream(packet)) = decode(uuids::STREAM, &summed(framed.clone())) {
            prop_assert_eq!(decode(uuids::STREAM, &packet.encode()?), Ok(Packet::Stream(packet)));
        }
        let _ = decode(uuids::STATE, &summed(framed));
    }

    #[test]
    fn a_torn_or_bent_packet_is_refused(packet in stream(), cut in 0..243_usize, bit in 0..1944_usize) {
        let bytes = packet.encode()?;
        let torn = &bytes[..cut.min(bytes.len() - 1)];
        prop_assert!(StreamPacket::decode(torn).is_err());
        let mut bent = bytes.clone();
        bent[bit / 8 % bytes.len()] ^= 1 << (bit % 8);
        let refused = matches!(StreamPacket::decode(&bent), Err(DecodeError::CheckSum { .. }));
        prop_assert!(refused);
    }

    #[test]
    fn every_packet_comes_back(
        stream in stream(),
        state in state(),
        command in command(),
        measurement in measurement(),
    ) {
        let bytes = stream.encode()?;
        prop_assert_eq!(decode(uuids::STREAM, &bytes), Ok(Packet::Stream(stream)));
        prop_assert!(state.encode().len() <= MAX_PACKET_BYTES);
        prop_assert_eq!(decode(uuids::STATE, &state.encode()), Ok(Packet::State(state)));
        prop_assert_eq!(Command::decode(&command.encode()), Ok(command));
        let bytes = measurement.encode();
        prop_assert_eq!(decode(uuids::HEART_RATE_MEASUREMENT, &bytes), Ok(Packet::HeartRate(measurement)));
    }
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn what_is_split_fits_and_is_whole(blocks in blocks(200), newest in 0..1_000_000_u32) {
        let mut sequence = newest;
        let packed = packets(3, &mut sequence, 1_000_000, blocks.clone());
        let numbers: Vec<_> = packed.iter().map(|packet| packet.sequence).collect();
        prop_assert_eq!(numbers, (newest + 1..=sequence).collect::<Vec<_>>());
        for packet in &packed {
            prop_assert!(packet.encode()?.len() <= MAX_PACKET_BYTES);
        }
        for block in blocks {
            let parts: Vec<_> = packed
                .iter()
                .flat_map(|packet| &packet.blocks)
                .filter(|part| part.channel == block.channel)
                .collect();
            let samples: Vec<_> = parts.iter().flat_map(|part| part.samples.clone()).collect();
            prop_assert_eq!(&samples, &block.samples);
            let mut offset_us = block.offset_us;
            for part in parts {
                prop_assert_eq!(part.offset_us, offset_us);
                let length = u32::try_from(part.len()).unwrap().saturating_mul(part.period_us);
                offset_us = offset_us.saturating_add(length);
            }
        }
    }
}

/// Half a second at the rates of an E4, as alive as it gets.
#[test]
fn half_a_second_fits_one_packet() {
    let wave = |n: i32, rate: f64, height: f64| -> Vec<i32> {
        #[expect(clippy::cast_possible_truncation, reason = "a test signal")]
        let at = |i: i32| (height * (f64::from(i) / rate).sin()) as i32;
        (0..n).map(at).collect()
    };
    let block = |channel, period_us, samples| Block { channel, offset_us: 0, period_us, samples };
    let blocks = vec![
        block(Channel::Bvp, 15_625, wave(32, 6.0, 9_000.0)),
        block(Channel::Acceleration, 31_250, wave(48, 2.0, 60.0).iter().map(|g| g << 4).collect()),
        block(Channel::Eda, 250_000, vec![622_764, 624_045]),
        block(Channel::SkinTemperature, 250_000, vec![3_377, 3_379]),
        block(Channel::HeartRate, 1_000_000, vec![7_812]),
        block(Channel::Ibi, 0, vec![187_500, 812_500]),
    ];
    let packed = packets(1, &mut 0, 0, blocks);
    let length = packed[0].encode().unwrap().len();
    println!("half a second of six channels: {} packet, {length} bytes", packed.len());
    assert_eq!(packed.len(), 1);
}

#[test]
fn what_is_wrong_with_a_packet_is_said() {
    let refused = |bend: fn(&mut Vec<u8>)| {
        let mut bytes = page::example("stream");
        bend(&mut bytes);
        StreamPacket::decode(&summed(bytes)).map_err(|error| error.to_string())
    };
    let check = |bend, what: &str| assert_eq!(refused(bend), Err(what.to_owned()));
    check(|bytes| bytes[0] = 2, "format version 2");
    check(|bytes| bytes[1] = 0x80, "the flags cannot be 128");
    check(|bytes| bytes[6..10].fill(0), "the sequence number cannot be 0");
    check(|bytes| bytes[18] = 5, "truncated at byte 71, before a channel code");
    check(|bytes| bytes[18] = 3, "71 bytes where 60 would do");
    check(|bytes| bytes[19] = 9, "unknown channel: code 9");
    check(|bytes| bytes[20] = 32, "a shift cannot be 32");
    check(|bytes| bytes[24] = 100, "a sample count cannot be 100");
    check(|bytes| bytes.resize(300, 0), "300 bytes where 244 would do");
    check(|bytes| bytes.truncate(1), "truncated at byte 1, before the check sum");
    assert_eq!(
        decode(uuids::SERVICE, &[]).map_err(|error| error.to_string()),
        Err(format!("characteristic {} is in no profile", uuids::SERVICE))
    );
    assert_eq!(
        decode(uuids::BATTERY_LEVEL, &[101]).map_err(|error| error.to_string()),
        Err("the battery level cannot be 101".to_owned())
    );
}

#[test]
fn a_packet_that_nobody_could_read_is_not_written() {
    let with = |change: fn(&mut StreamPacket)| {
        let mut packet = page::stream();
        change(&mut packet);
        packet.encode().map_err(|error| error.to_string())
    };
    let check = |change, what: &str| assert_eq!(with(change), Err(what.to_owned()));
    check(
        |packet| packet.blocks[0].samples.resize(400, 0),
        "469 bytes where a packet has at most 244",
    );
    check(|packet| packet.blocks[1].samples.truncate(4), "a sample count cannot be 4");
    check(|packet| packet.blocks[0].period_us = 0, "a period cannot be 0");
    check(|packet| packet.blocks[1] = packet.blocks[0].clone(), "bvp comes twice");
    check(
        |packet| packet.device_time_us = u64::MAX,
        "the device time cannot be 18446744073709551615",
    );
}
