//! What goes into a body comes out of the radio.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use biosignal::{Channel, Timestamp};
use btleplug::api::Peripheral as _;
use firmware_sim::body::{read_recording, write_person};
use firmware_sim::{BandInfo, Event};
use wristband::{Packet, Profile, StreamPacket, decode, uuids};

use crate::central::{Connected, adapter, find};
use crate::rig::{on_own_bus, start, until};

/// Times and values of a channel.
type Samples = Vec<(i64, Vec<i32>)>;

#[test]
fn a_band_is_found_read_and_listened_to() {
    on_own_bus("play::a_band_is_found_read_and_listened_to", |socket| async move {
        let band = "[[band]]\nname = \"TW-0001\"\nbody = { person = 3 }\nworn_before = \"30s\"\n\
                    clock_drift_ppm = 40.0\nbattery_percent = 61";
        let simulation = start(band, &socket).await;
        let mut events = simulation.events();
        let found = find(&adapter().await, "TW-0001").await;
        let seen = found.properties().await.expect("it is there").expect("and told");
        assert_eq!(Profile::of(&seen.services), Some(Profile::Tidewatch));
        assert!(seen.rssi.is_some_and(|rssi| (-64..=-56).contains(&rssi)), "{:?}", seen.rssi);
        assert_eq!(seen.address.to_string(), simulation.bands()[0].address.to_string());

        let mut band = Connected::streaming(found).await;
        until(&mut events, |event| matches!(event, Event::Streaming { band: 1, .. })).await;
        assert_eq!(band.read(uuids::SERIAL_NUMBER).await, b"TW-0001");
        assert_eq!(band.read(uuids::BATTERY_LEVEL).await, [61]);
        let state = band.state().await;
        assert!(state.streaming && state.on_wrist && state.oldest_sequence == 1, "{state:?}");
        assert!(state.newest_sequence >= 60, "half a minute is in flash: {state:?}");
        let first = band.notification().await;
        assert!(matches!(decode(first.uuid, &first.value), Ok(Packet::State(_))), "{first:?}");

        let begun = Instant::now();
        let live = [band.packet().await, band.packet().await, band.packet().await];
        let (from, to) = (&live[0], &live[2]);
        assert!(live.iter().all(|packet| !packet.replayed && packet.epoch == state.epoch));
        assert_eq!(live.each_ref().map(|packet| packet.sequence - from.sequence), [0, 1, 2]);
        assert!(begun.elapsed().as_millis() > 900, "packets come as they are measured");
        // The clock gains 40 us a second.
        assert_eq!((to.device_time_us - from.device_time_us).abs_diff(1_000_040), 0);

        let refused = band.write(&[9]).await.expect_err("no such command");
        assert!(refused.to_string().contains("ATT error: 0x80"), "{refused}");
        simulation.stop().await.expect("it stops");
    });
}

#[test]
fn every_sample_of_a_recording_comes_out_of_the_flash() {
    on_own_bus("play::every_sample_of_a_recording_comes_out_of_the_flash", |socket| async move {
        let made = tempfile::tempdir().expect("a folder");
        let path = recording(made.path());
        let scenario = format!(
            "[[band]]\nbody = {{ recording = {path:?} }}\nworn_before = \"all\"\n\
             replay_packets_per_s = 5000"
        );
        let simulation = start(&scenario, &socket).await;
        let found = find(&adapter().await, "TW-0001").await;
        let mut band = Connected::streaming(found).await;
        let state = band.state().await;
        let begun = Instant::now();
        let packets = band.replay(state.epoch, 1, state.newest_sequence).await;
        let spent = begun.elapsed();

        let sent = timed(&packets, &simulation.bands()[0]);
        let recorded = recorded(&path);
        println!("{}: {} packets in {spent:.1?}", path.display(), packets.len());
        println!("{:>18} {:>9} {:>9} {:>9}", "channel", "recorded", "sent", "different");
        for (channel, expected) in recorded {
            let got = sent.get(&channel).cloned().unwrap_or_default();
            let different = expected.iter().zip(&got).filter(|(one, other)| one != other).count();
            println!(
                "{:>18} {:>9} {:>9} {different:>9}",
                channel.name(),
                expected.len(),
                got.len()
            );
            assert_eq!(got.len(), expected.len(), "{channel}");
            assert_eq!(different, 0, "{channel}");
        }
        assert_eq!(band.state().await.newest_sequence, state.newest_sequence, "nothing is live");
        simulation.stop().await.expect("it stops");
    });
}

#[test]
fn a_replay_does_not_delay_what_is_live() {
    on_own_bus("play::a_replay_does_not_delay_what_is_live", |socket| async move {
        let band = "[[band]]\nbody = { person = 3 }\nworn_before = \"20min\"";
        let simulation = start(band, &socket).await;
        let mut band = Connected::streaming(find(&adapter().await, "TW-0001").await).await;
        let state = band.state().await;
        let whole = wristband::Command::Replay {
            epoch: state.epoch,
            from: 1,
            through: state.newest_sequence,
        };
        for _ in 0..4 {
            band.command(whole).await.expect("four replays may wait");
        }
        let fifth = band.command(whole).await.expect_err("a fifth may not");
        assert!(fifth.to_string().contains("ATT error: 0x83"), "{fifth}");

        let begun = Instant::now();
        let (mut live, mut replayed, mut latest, mut next) = (0, 0, 0.0_f64, 1);
        while begun.elapsed().as_secs() < 5 {
            let packet = band.packet().await;
            if packet.replayed {
                assert_eq!(packet.sequence, next, "in ascending order");
                next += 1;
                replayed += 1;
            } else {
                live += 1;
                latest = latest.max(behind(&packet, &simulation.bands()[0]));
            }
        }
        println!("{live} live and {replayed} replayed in 5 s; live at most {latest:.3} s old");
        assert!((9..=13).contains(&live), "{live} live packets in 5 s");
        assert!((700..=1_050).contains(&replayed), "{replayed} packets in 5 s at 200/s");
        assert!(latest < 0.25, "a live packet is {latest} s old");
        simulation.stop().await.expect("it stops");
    });
}

/// Seconds from the end of a packet's samples until now.
fn behind(packet: &StreamPacket, band: &BandInfo) -> f64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let end = to_true(packet.end_us(), band);
    now.expect("after 1970").as_secs_f64() - Timestamp::from_micros(end).as_seconds_f64()
}

/// A real recording where the shared data are, else one of a simulated person.
fn recording(folder: &Path) -> PathBuf {
    let real = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data/recordings/stress-predict/S02.zip");
    if real.exists() {
        return real;
    }
    write_person(7, 1, folder).expect("it can be written");
    std::fs::write(folder.join("tags.csv"), "1767254460.25\n").expect("it can be written");
    folder.to_path_buf()
}

/// The band's clock starts half a second before its first sample; drift is 0 here.
fn to_true(device_us: u64, band: &BandInfo) -> i64 {
    band.worn_from_us - 500_000 + i64::try_from(device_us).expect("a time of this century")
}

/// All samples of all packets, at their time in the recording.
fn timed(packets: &BTreeMap<u32, StreamPacket>, band: &BandInfo) -> BTreeMap<Channel, Samples> {
    let shift = band.shift_us.expect("it plays a recording");
    let mut samples: BTreeMap<Channel, Samples> = BTreeMap::new();
    for packet in packets.values() {
        for block in &packet.blocks {
            let first = to_true(packet.device_time_us, band) - shift + i64::from(block.offset_us);
            let values = block.samples.chunks(block.channel.components());
            let of = samples.entry(block.channel).or_default();
            of.extend(values.zip(0_i64..).map(|(sample, index)| match block.channel {
                Channel::Ibi => (first + i64::from(sample[0]), sample[1..].to_vec()),
                Channel::Button => (first + i64::from(sample[0]), Vec::new()),
                _ => (first + index * i64::from(block.period_us), sample.to_vec()),
            }));
        }
    }
    samples
}

fn recorded(path: &Path) -> BTreeMap<Channel, Samples> {
    let recording = read_recording(path).expect("it can be read");
    let mut samples: BTreeMap<Channel, Samples> = BTreeMap::new();
    for track in &recording.tracks {
        let at = |index| track.start.as_micros() + index * i64::from(track.period_us);
        let values = track.samples.chunks(track.channel.components());
        let timed = values.zip(0_i64..).map(|(sample, index)| (at(index), sample.to_vec()));
        samples.insert(track.channel, timed.collect());
    }
    let beats = recording.beats.iter();
    let beats = beats.map(|beat| (beat.at.as_micros(), vec![beat.interval_us])).collect();
    samples.insert(Channel::Ibi, beats);
    let tags = recording.tags.iter().map(|tag| (tag.as_micros(), Vec::new())).collect();
    samples.insert(Channel::Button, tags);
    samples
}
