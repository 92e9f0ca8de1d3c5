//! The gateway against bands that are simulated down to D-Bus: real btleplug, a real
//! broker, the gateway as a process of its own that can be killed.
#![expect(clippy::unwrap_used, reason = "what a test sets up works, or the test has failed")]

mod house;
mod process;
mod record;

use std::time::Duration;

use biosignal::DeviceId;
use bus::wire::device_status::Link;
use house::House;
use record::Record;

const SOON: Duration = Duration::from_secs(10);
const WHILE: Duration = Duration::from_secs(30);

fn connected(record: &Record, device: &DeviceId) -> bool {
    record.link(device) == Link::Connected && record.last_live_ms.contains_key(device)
}

fn bands(count: u64) -> String {
    (1..=count).map(|person| format!("[[band]]\nbody = {{ person = {person} }}\n")).collect()
}

fn percentile(values: &mut [i64], percent: usize) -> i64 {
    values.sort_unstable();
    values[(values.len() - 1) * percent / 100]
}

#[tokio::test]
async fn eight_bands_are_read_live_at_little_cost() {
    let mut house = House::new(&bands(8), "{}").await;
    let all: Vec<DeviceId> = (1..=8).map(|number| house.band(number)).collect();
    house
        .until("all eight live", WHILE, |record| all.iter().all(|band| connected(record, band)))
        .await;
    let (before, _) = house.gateway().as_ref().unwrap().usage();
    record::lock(&house.record).latencies_ms.clear();
    let seconds = 20;
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let (after, memory_mib) = house.gateway().as_ref().unwrap().usage();
    let mut late: Vec<i64> =
        house.look(|record| record.latencies_ms.values().flatten().copied().collect());
    let expected = 8 * 2 * usize::try_from(seconds).unwrap();
    let cpu = (after - before) / seconds as f64 * 100.0;
    println!(
        "{} packets of 8 bands, sample to broker: p50 {} ms, p95 {} ms, p99 {} ms; \
         {cpu:.1} % of a core, {memory_mib} MiB",
        late.len(),
        percentile(&mut late, 50),
        percentile(&mut late, 95),
        percentile(&mut late, 99),
    );
    assert!(late.len() >= expected - 16, "{} of {expected} packets", late.len());
    assert!(percentile(&mut late, 95) < 1000, "p95 {} ms", percentile(&mut late, 95));
    assert!(cpu < 50.0, "{cpu} % of a core");
    for number in 1..=8 {
        house.complete(number, SOON).await;
    }
}

#[tokio::test]
async fn a_killed_gateway_neither_loses_nor_doubles_a_packet() {
    // Twenty minutes in flash, sent slowly enough that the gateway dies in the middle.
    let mut house = House::new(
        "[[band]]\nbody = { person = 1 }\nworn_before = \"20min\"\nreplay_packets_per_s = 150\n\
         [[band]]\nbody = { person = 2 }\n",
        "{}",
    )
    .await;
    let band = house.band(1);
    for _ in 0..3 {
        let before = house.look(|record| record.backlog_batches);
        house
            .until("backlog comes", WHILE, |record| {
                record.backlog_batches >= before + 4 && connected(record, &band)
            })
            .await;
        house.kill_gateway().await;
        house
            .until("the last will", SOON, |record| {
                record.gateway.as_ref().is_some_and(|status| !status.up)
            })
            .await;
        record::lock(&house.record).last_live_ms.clear();
        house.start_gateway();
    }
    house.until("live again", WHILE, |record| connected(record, &band)).await;
    house.complete(1, 2 * WHILE).await;
    house.complete(2, 2 * WHILE).await;
    house
        .until("the spool is let go of", SOON, |record| {
            record.gateway.as_ref().is_some_and(|status| status.up && status.spool_depth < 20)
        })
        .await;

    let (epoch, newest) = house.look(|record| record.newest(&band));
    println!("band epoch {epoch}: {newest} packets, none missing, none doubled");
    assert!(newest > 2400, "20 minutes were in flash: {newest} packets");
    assert!(house.gateway().take().unwrap().stop().await, "it stops in good order");
    house
        .until("it lets go of its bands", SOON, |record| {
            record.link(&band) == Link::Released
                && record.gateway.as_ref().is_some_and(|status| !status.up)
        })
        .await;
}

/// Whatever band 1 does, band 2 goes on, and the card of band 1 says what is the matter.
#[tokio::test]
async fn one_bands_trouble_is_told_and_is_its_own() {
    let house = House::new(&bands(2), "{}").await;
    let (one, two) = (house.band(1), house.band(2));
    let both = |record: &Record| connected(record, &one) && connected(record, &two);
    house.until("both live", WHILE, both).await;
    record::lock(&house.record).longest_wait_ms.clear();

    for (trouble, link, cause, cure) in [
        ("vanish", Link::OutOfRange, "out_of_range", Some("return")),
        ("garbage", Link::Garbage, "band", Some("sane")),
        ("drop_link", Link::OutOfRange, "out_of_range", None),
        ("reboot", Link::OutOfRange, "out_of_range", None),
    ] {
        house.apply(&format!(r#"{{"band":1,"do":"{trouble}"}}"#)).await;
        let told = house
            .until(trouble, SOON, |record| {
                record.statuses.get(&one).is_some_and(|statuses| {
                    let (_, status) = statuses.last().unwrap();
                    status.link() == link && status.cause == cause
                })
            })
            .await;
        println!("{trouble}: told after {told:?}");
        record::lock(&house.record).last_live_ms.remove(&one);
        if let Some(cure) = cure {
            house.apply(&format!(r#"{{"band":1,"do":"{cure}"}}"#)).await;
        }
        let back = house.until("it is back", WHILE, both).await;
        println!("{trouble}: live again after {back:?}");
    }
    let longest = house.look(|record| record.longest_wait_ms[&two]);
    println!("longest wait for the other band: {longest} ms");
    assert!(longest < 2500, "the other band waited for {longest} ms");
    house.complete(2, SOON).await;
    // What the first band measured meanwhile is in its flash, garbage sent or not.
    house.complete(1, WHILE).await;
}

#[tokio::test]
async fn an_adapter_that_goes_and_a_daemon_that_restarts_lose_nothing() {
    let house = House::new(&bands(2), "{}").await;
    let (one, two) = (house.band(1), house.band(2));
    let both = |record: &Record| connected(record, &one) && connected(record, &two);
    house.until("both live", WHILE, both).await;

    house.apply(r#"{"do":"adapter_off"}"#).await;
    let down = |record: &Record| {
        [&one, &two].iter().all(|band| record.link(band) == Link::AdapterDown)
            && record.gateway.as_ref().is_some_and(|status| status.adapter == "missing")
    };
    let told = house.until("the adapter is told of", SOON, down).await;
    println!("adapter gone: told after {told:?}");
    house.apply(r#"{"do":"adapter_on"}"#).await;
    record::lock(&house.record).last_live_ms.clear();
    house.until("both are back", WHILE, both).await;

    record::lock(&house.record).last_live_ms.clear();
    house.apply(r#"{"do":"bluetoothd_restart","for":"4s"}"#).await;
    house.until("the adapter is told of", SOON, down).await;
    record::lock(&house.record).last_live_ms.clear();
    let back = house.until("both are back", WHILE, both).await;
    println!("bluetoothd away for 4 s: live again after {back:?}");
    house.complete(1, WHILE).await;
    house.complete(2, WHILE).await;
}

/// The one band is away, so that the radio hears nothing, as with an adapter that is stuck.
#[tokio::test]
async fn a_radio_that_hears_nothing_is_helped_and_works_again() {
    let house = House::new(&bands(1), r#"{"radio_silence":"2s"}"#).await;
    let band = house.band(1);
    house.until("live", WHILE, |record| connected(record, &band)).await;
    house.apply(r#"{"band":1,"do":"vanish"}"#).await;
    let stuck =
        |record: &Record| record.gateway.as_ref().is_some_and(|status| status.adapter == "stuck");
    let cycled = house.until("the adapter is switched off and on", SOON, stuck).await;
    println!("power cycle {cycled:?} after the last band vanished");
    record::lock(&house.record).last_live_ms.clear();
    house.apply(r#"{"band":1,"do":"return"}"#).await;
    house.until("live again", WHILE, |record| connected(record, &band)).await;
    house.complete(1, WHILE).await;
}

#[tokio::test]
async fn a_bus_that_is_replaced_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("bus");
    let mut house = House::at(&bands(1), "{}", Some(&socket)).await;
    let band = house.band(1);
    house.until("live", WHILE, |record| connected(record, &band)).await;
    house.replace_simulation(&bands(1), &socket).await;
    let down = |record: &Record| record.link(&band) == Link::AdapterDown;
    house.until("the adapter is told of", SOON, down).await;
    record::lock(&house.record).last_live_ms.clear();
    house.until("live again", WHILE, |record| connected(record, &band)).await;
}

#[tokio::test]
async fn the_band_too_many_is_refused_visibly() {
    let house = House::new(&format!("[radio]\nslots = 1\n{}", bands(2)), "{}").await;
    let (one, two) = (house.band(1), house.band(2));
    let refused = |record: &Record| {
        let links = [record.link(&one), record.link(&two)];
        links.contains(&Link::Connected) && links.contains(&Link::NoSlot)
    };
    house.until("one is connected, one is refused", WHILE, refused).await;
    house.apply(r#"{"do":"slots","slots":2}"#).await;
    let both = |record: &Record| connected(record, &one) && connected(record, &two);
    house.until("both are connected", WHILE, both).await;
}

#[tokio::test]
async fn a_strap_is_read_and_what_it_cannot_keep_is_a_gap() {
    let house = House::new("[[strap]]\nbody = { person = 5 }\n", "{}").await;
    let strap = house.band(1);
    let readings = |record: &Record| -> usize {
        let of_strap = record.readings.iter().filter(|((of, _), _)| *of == strap);
        of_strap.map(|(_, readings)| readings.len()).sum()
    };
    house.until("heart rate comes", WHILE, |record| readings(record) >= 5).await;
    house.apply(r#"{"band":1,"do":"vanish","for":"6s"}"#).await;
    house.until("it is gone", SOON, |record| record.link(&strap) == Link::OutOfRange).await;
    let before = house.look(readings);
    house.until("it is back", WHILE, |record| readings(record) >= before + 5).await;
    let told = |record: &Record| {
        record
            .gaps
            .iter()
            .any(|gap| gap.cause == "out_of_range" && gap.until_us - gap.from_us >= 4_000_000)
    };
    house.until("the gap is told", SOON, told).await;
}
