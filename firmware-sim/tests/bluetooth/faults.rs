//! Faults, each on the radio as BlueZ shows it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use biosignal::Channel;
use btleplug::api::{Central as _, CentralEvent, Manager as _, Peripheral as _, ScanFilter};
use btleplug::platform::{Adapter, Manager};
use firmware_sim::Event;
use futures::StreamExt;
use tokio::time::{sleep, timeout};
use wristband::{HeartRateMeasurement, Packet, StreamPacket, decode, uuids};

use crate::central::{Connected, adapter, find};
use crate::rig::{PATIENCE, apply, on_own_bus, start, until};

const ONE: &str = "[[band]]\nbody = { person = 3 }\nworn_before = \"10s\"\n";

async fn streaming(adapter: &Adapter, name: &str) -> Connected {
    Connected::streaming(find(adapter, name).await).await
}

async fn until_disconnected(band: &Connected) {
    let gone = async {
        while band.peripheral.is_connected().await.unwrap_or(false) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, gone).await.expect("the link ends");
}

fn samples(packet: &StreamPacket, channel: Channel) -> Vec<i32> {
    let mut blocks = packet.blocks.iter();
    blocks
        .find(|block| block.channel == channel)
        .map(|block| block.samples.clone())
        .unwrap_or_default()
}

#[test]
fn a_band_that_vanishes_is_lost_and_comes_back_with_all_its_packets() {
    let name = "faults::a_band_that_vanishes_is_lost_and_comes_back_with_all_its_packets";
    on_own_bus(name, |socket| async move {
        let other = "[[band]]\nbody = { person = 4 }\n";
        let simulation = start(&format!("{ONE}{other}"), &socket).await;
        let adapter = adapter().await;
        let mut central_events = adapter.events().await.expect("events");
        let mut band = streaming(&adapter, "TW-0001").await;
        let mut unharmed = streaming(&adapter, "TW-0002").await;
        let before = band.packet().await;

        apply(&simulation, r#"{"band":1,"do":"vanish"}"#).await;
        let id = band.peripheral.id();
        let lost = async {
            while let Some(event) = central_events.next().await {
                if matches!(&event, CentralEvent::DeviceDisconnected(of) if *of == id) {
                    break;
                }
            }
        };
        timeout(PATIENCE, lost).await.expect("the loss is told");
        // A call to connect hangs until the band is back.
        let again = band.peripheral.clone();
        let connecting = tokio::spawn(async move { again.connect().await });
        sleep(Duration::from_millis(700)).await;
        assert!(!connecting.is_finished());
        apply(&simulation, r#"{"band":1,"do":"return"}"#).await;
        connecting.await.expect("it ends").expect("it connects");
        drop(band);

        let mut band = streaming(&adapter, "TW-0001").await;
        let live = band.packet().await;
        assert!(live.sequence > before.sequence + 1, "time went on without us");
        let kept = band.replay(live.epoch, before.sequence + 1, live.sequence - 1).await;
        assert!(kept.values().all(|packet| packet.replayed && !packet.blocks.is_empty()));
        let first = unharmed.packet().await.sequence;
        for step in 1..8 {
            assert_eq!(unharmed.packet().await.sequence, first + step, "the other did not notice");
        }
        simulation.stop().await.expect("it stops");
    });
}

#[test]
fn a_dropped_link_comes_back_and_a_reboot_begins_an_epoch() {
    let name = "faults::a_dropped_link_comes_back_and_a_reboot_begins_an_epoch";
    on_own_bus(name, |socket| async move {
        let simulation = start(ONE, &socket).await;
        let adapter = adapter().await;
        let band = streaming(&adapter, "TW-0001").await;
        apply(&simulation, r#"{"band":1,"do":"drop_link"}"#).await;
        until_disconnected(&band).await;
        let mut band = streaming(&adapter, "TW-0001").await;
        let before = band.packet().await;
        assert_eq!(band.state().await.earlier, []);

        apply(&simulation, r#"{"band":1,"do":"reboot"}"#).await;
        until_disconnected(&band).await;
        let mut band = streaming(&adapter, "TW-0001").await;
        let after = band.packet().await;
        assert_eq!((after.epoch, after.sequence <= 3), (before.epoch + 1, true), "{after:?}");
        assert!(after.device_time_us < 3_000_000, "the clock begins anew");
        let earlier = band.state().await.earlier;
        assert_eq!((earlier.len(), earlier[0].epoch), (1, before.epoch));
        let kept = band.replay(before.epoch, 1, earlier[0].newest_sequence).await;
        assert_eq!(kept[&before.sequence].blocks, before.blocks, "flash survives a reboot");
        simulation.stop().await.expect("it stops");
    });
}

#[test]
fn garbage_is_not_a_packet_and_ends_by_itself() {
    on_own_bus("faults::garbage_is_not_a_packet_and_ends_by_itself", |socket| async move {
        let simulation = start(ONE, &socket).await;
        let mut band = streaming(&adapter().await, "TW-0001").await;
        let before = band.packet().await;
        apply(&simulation, r#"{"band":1,"do":"garbage","for":"2s"}"#).await;
        let (mut refused, mut sane) = (0, None);
        while sane.is_none() {
            let value = band.notification().await;
            match decode(value.uuid, &value.value) {
                Ok(Packet::Stream(packet)) if refused > 0 => sane = Some(packet),
                Ok(_) => {}
                Err(_) => refused += 1,
            }
        }
        assert!(refused >= 3, "{refused} packets were garbage");
        let after = sane.expect("the loop ends with one");
        let kept = band.replay(after.epoch, before.sequence + 1, after.sequence - 1).await;
        assert!(kept.len() >= refused, "flash has them as they were measured");
        simulation.stop().await.expect("it stops");
    });
}

#[test]
fn a_frozen_band_repeats_itself_and_one_on_the_table_says_so() {
    let name = "faults::a_frozen_band_repeats_itself_and_one_on_the_table_says_so";
    on_own_bus(name, |socket| async move {
        let simulation = start(ONE, &socket).await;
        let mut band = streaming(&adapter().await, "TW-0001").await;
        let values = |packet: &StreamPacket| {
            samples(packet, Channel::Bvp).into_iter().collect::<BTreeSet<_>>().len()
        };
        assert!(values(&band.packet().await) > 8, "a pulse moves");
        apply(&simulation, r#"{"band":1,"do":"freeze"}"#).await;
        band.packet().await;
        let frozen = [band.packet().await, band.packet().await];
        assert!(frozen.iter().all(|packet| values(packet) == 1), "{frozen:?}");
        assert_eq!(samples(&frozen[0], Channel::Eda), samples(&frozen[1], Channel::Eda));
        assert_eq!(samples(&frozen[0], Channel::Ibi), Vec::<i32>::new());
        apply(&simulation, r#"{"band":1,"do":"thaw"}"#).await;
        apply(&simulation, r#"{"band":1,"do":"off_wrist"}"#).await;
        let told = loop {
            let value = band.notification().await;
            match decode(value.uuid, &value.value) {
                Ok(Packet::State(state)) if !state.on_wrist => break state,
                _ => {}
            }
        };
        assert!(told.streaming, "packets go on");
        let table = band.packet().await;
        assert!(samples(&table, Channel::Eda).iter().all(|value| *value < 50_000), "{table:?}");
        assert!(values(&table) > 8, "a sensor on the table is noisy, not frozen");
        apply(&simulation, r#"{"band":1,"do":"button"}"#).await;
        while samples(&band.packet().await, Channel::Button).is_empty() {}
        simulation.stop().await.expect("it stops");
    });
}

#[test]
fn lost_and_swapped_notifications_show_in_the_numbers() {
    on_own_bus("faults::lost_and_swapped_notifications_show_in_the_numbers", |socket| async move {
        let simulation = start(&format!("{ONE}loss = 0.3\nreorder = 0.3\n"), &socket).await;
        let mut band = streaming(&adapter().await, "TW-0001").await;
        let mut numbers = Vec::new();
        for _ in 0..12 {
            numbers.push(band.packet().await.sequence);
        }
        let swapped = numbers.windows(2).any(|pair| pair[1] < pair[0]);
        let highest = numbers.iter().max().expect("some came");
        let lowest = numbers.iter().min().expect("some came");
        let all = (highest - lowest + 1) as usize;
        println!("{numbers:?}");
        assert!(swapped, "none overtook another");
        assert!(all > numbers.len(), "none was lost");
        simulation.stop().await.expect("it stops");
    });
}

#[test]
fn a_link_too_many_is_refused_and_slow_services_are_waited_for() {
    let name = "faults::a_link_too_many_is_refused_and_slow_services_are_waited_for";
    on_own_bus(name, |socket| async move {
        let bands = format!("radio = {{ slots = 1 }}\n{ONE}{ONE}");
        let simulation = start(&bands, &socket).await;
        let adapter = adapter().await;
        let first = streaming(&adapter, "TW-0001").await;
        let second = find(&adapter, "TW-0002").await;
        let full = second.connect().await.expect_err("there is one slot").to_string();
        assert!(full.contains("concurrent-connection-limit"), "{full}");
        first.peripheral.disconnect().await.expect("it disconnects");

        apply(&simulation, r#"{"do":"resolve_after","after":"2s"}"#).await;
        let begun = Instant::now();
        second.connect().await.expect("the slot is free");
        assert!(begun.elapsed() >= Duration::from_secs(2), "{:?}", begun.elapsed());
        second.discover_services().await.expect("they are resolved");
        assert!(second.characteristics().iter().any(|it| it.uuid == uuids::STREAM));
        simulation.stop().await.expect("it stops");
    });
}

#[test]
fn the_adapter_and_bluetoothd_go_and_come_back() {
    on_own_bus("faults::the_adapter_and_bluetoothd_go_and_come_back", |socket| async move {
        let simulation = start(ONE, &socket).await;
        let mut events = simulation.events();
        let manager = Manager::new().await.expect("the bus is there");
        let adapter = adapter().await;
        let mut band = streaming(&adapter, "TW-0001").await;
        let before = band.packet().await;

        apply(&simulation, r#"{"do":"adapter_off","for":"1s"}"#).await;
        assert!(manager.adapters().await.expect("bluetoothd answers").is_empty());
        assert!(band.peripheral.is_connected().await.is_err(), "its object is gone");
        until(
            &mut events,
            |event| matches!(event, Event::Done { what, .. } if what == "AdapterOn"),
        )
        .await;
        assert_eq!(manager.adapters().await.expect("bluetoothd answers").len(), 1);
        let mut band = streaming(&adapter, "TW-0001").await;
        assert!(band.packet().await.sequence > before.sequence);

        apply(&simulation, r#"{"do":"bluetoothd_restart","for":"500ms"}"#).await;
        assert!(manager.adapters().await.is_err(), "nobody answers");
        let back = async {
            while manager.adapters().await.is_err() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, back).await.expect("bluetoothd comes back");
        assert!(adapter.peripherals().await.expect("it answers").is_empty(), "all is forgotten");
        let mut band = streaming(&adapter, "TW-0001").await;
        assert_eq!(band.packet().await.epoch, before.epoch, "the band knows nothing of it");
        simulation.stop().await.expect("it stops");
    });
}

#[test]
fn a_strap_tells_heart_rate_beats_and_contact() {
    on_own_bus("faults::a_strap_tells_heart_rate_beats_and_contact", |socket| async move {
        let simulation = start("[[strap]]\nbody = { person = 5 }\n", &socket).await;
        let found = find(&adapter().await, "HR-0001").await;
        let mut strap = Connected::to(found, &[uuids::HEART_RATE_MEASUREMENT]).await;
        let (mut beats, mut rate) = (0, 0);
        while beats < 5 || rate == 0 {
            let measurement = measured(&mut strap).await;
            assert_eq!(measurement.contact, Some(true));
            beats += measurement.intervals_1024.len();
            rate = measurement.beats_per_minute;
        }
        assert!((40..=190).contains(&rate), "{rate} beats/min");
        apply(&simulation, r#"{"band":1,"do":"off_wrist"}"#).await;
        while measured(&mut strap).await.contact != Some(false) {}
        assert_eq!(measured(&mut strap).await.beats_per_minute, 0);
        simulation.stop().await.expect("it stops");
    });
}

async fn measured(strap: &mut Connected) -> HeartRateMeasurement {
    let value = strap.notification().await;
    match decode(value.uuid, &value.value) {
        Ok(Packet::HeartRate(measurement)) => measurement,
        other => panic!("{other:?} from a strap"),
    }
}

#[test]
fn a_client_that_dies_leaves_the_link_but_not_the_stream() {
    let name = "faults::a_client_that_dies_leaves_the_link_but_not_the_stream";
    on_own_bus(name, |socket| async move {
        let simulation = start(ONE, &socket).await;
        // A central of its own process: this test again, which is killed.
        let mut events = simulation.events();
        let mut child = tokio::process::Command::new(std::env::current_exe().expect("this test"))
            .args(["faults::listen_until_killed", "--exact", "--ignored"])
            .kill_on_drop(true)
            .spawn()
            .expect("it runs");
        until(&mut events, |event| matches!(event, Event::Streaming { .. })).await;
        child.kill().await.expect("it is killed");

        let adapter = adapter().await;
        let band = find(&adapter, "TW-0001").await;
        assert!(band.is_connected().await.expect("it is there"), "the link outlives its maker");
        let mut band = Connected::to(band, &[uuids::STREAM]).await;
        let state = band.state().await;
        let kept = band.replay(state.epoch, 1, state.newest_sequence).await;
        assert_eq!(kept.len(), state.newest_sequence as usize);
        simulation.stop().await.expect("it stops");
    });
}

#[test]
#[ignore = "the part of the test above that is killed"]
fn listen_until_killed() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let adapter = adapter().await;
        adapter.start_scan(ScanFilter::default()).await.expect("it scans");
        let mut band = streaming(&adapter, "TW-0001").await;
        loop {
            band.packet().await;
        }
    });
}
