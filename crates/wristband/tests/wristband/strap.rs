//! The heart-rate strap: captured values, and a conversation.

use std::path::Path;

use biosignal::GapCause;
use serde_json::Value;
use wristband::{Event, HeartRateMeasurement, Packet, Profile, decode, uuids};

use crate::stage::Stage;

fn unhex(hex: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex");
    (0..hex.len()).step_by(2).map(byte).collect()
}

#[test]
fn every_captured_value_is_decoded() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/ble/heart_rate_measurement_2a37.json");
    let text = std::fs::read_to_string(&path).expect("the captured payloads");
    let captured: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    for one in &captured {
        let hex = one["hex"].as_str().expect("hex");
        let expected = &one["decoded"];
        let bytes = unhex(hex);
        let Ok(Packet::HeartRate(found)) = decode(uuids::HEART_RATE_MEASUREMENT, &bytes) else {
            panic!("{hex} was refused");
        };
        let optional = |value: &Value| value.as_u64();
        assert_eq!(Some(found.beats_per_minute.into()), expected["hr"].as_u64(), "{hex}");
        assert_eq!(found.contact, expected["contact"].as_bool(), "{hex}");
        assert_eq!(found.energy_kj.map(u64::from), optional(&expected["energy_kj"]), "{hex}");
        let intervals: Vec<_> = found.intervals_1024.iter().map(|one| Value::from(*one)).collect();
        assert_eq!(Some(&intervals), expected["rr_1024"].as_array(), "{hex}");
        let trailing = expected["trailing_bytes"].as_u64();
        assert_eq!(Some(found.trailing_bytes as u64), trailing, "{hex}");
    }
    println!("{} captured and constructed payloads decoded", captured.len());
    assert!(captured.len() >= 20);
}

#[test]
fn torn_and_overlong_values_are_told_apart() {
    let decoded = |hex: &str| HeartRateMeasurement::decode(&unhex(hex));
    let says = |hex: &str| decoded(hex).map_err(|error| error.to_string());
    assert_eq!(says(""), Err("truncated at byte 0, before the flags".to_owned()));
    assert_eq!(says("06"), Err("truncated at byte 1, before the heart rate".to_owned()));
    assert_eq!(says("0780"), Err("truncated at byte 2, before the heart rate".to_owned()));
    assert_eq!(says("0e3c01"), Err("truncated at byte 3, before the energy expended".to_owned()));
    assert_eq!(says(&"00".repeat(513)), Err("513 bytes where 512 would do".to_owned()));
    assert_eq!(decoded("063c010203").map(|value| value.trailing_bytes), Ok(3));
    let full = decoded(&format!("103c{}", "0004".repeat(255)));
    assert_eq!(full.map(|value| value.intervals_1024.len()), Ok(255));
}

/// Payloads of real straps where there are some.
#[test]
fn a_conversation_with_a_strap() {
    let mut stage = Stage::new(Profile::HeartRateStrap);
    let hear = |stage: &mut Stage, at_ms, hex: &str, expected: &[&str]| {
        stage.notify(at_ms, uuids::HEART_RATE_MEASUREMENT, &unhex(hex), expected);
    };
    stage.check(0, Event::Connected, &[]);
    stage.notify(10, uuids::BATTERY_LEVEL, &[90], &["battery 90"]);
    hear(
        &mut stage,
        1000,
        "063c",
        &["contact true", "live 1750000001/1 heart_rate at 1000 ms [6000]"],
    );
    hear(
        &mut stage,
        2000,
        "163cf503",
        &[
            "live 1750000001/2 heart_rate at 2000 ms [6000]",
            "live 1750000001/2 ibi at 2000 ms [0, 989258]",
        ],
    );
    // Two beats, strung onto the one before: 954 and 927 of 1/1024 s.
    hear(
        &mut stage,
        4000,
        "104eba039f03",
        &[
            "live 1750000001/3 heart_rate at 4000 ms [7800]",
            "live 1750000001/3 ibi at 2931641 us [0, 931641, 905273, 905273]",
        ],
    );
    // Off the skin: what it says then counts for nothing.
    hear(&mut stage, 5000, "0448", &["contact false"]);
    hear(&mut stage, 6000, "0400", &[]);
    stage.notify(7000, uuids::BATTERY_LEVEL, &[90], &[]);
    hear(
        &mut stage,
        9000,
        "063c",
        &[
            "contact true",
            "gap 5000 ms to 9000 ms: off_wrist",
            "live 1750000001/4 heart_rate at 9000 ms [6000]",
        ],
    );
    // Torn, or beyond any heart: refused, and nothing else happens.
    hear(&mut stage, 9500, "07", &["rejected: truncated at byte 1, before the heart rate"]);
    hear(&mut stage, 9600, "018080", &["rejected: the heart rate cannot be 32896"]);
    hear(&mut stage, 9700, "103cffff", &["rejected: an interval cannot be 65535"]);
    hear(&mut stage, 9800, "0600", &[]);
    // Silent, then gone, then back.
    stage.check(12_000, Event::Tick, &[]);
    stage.check(15_000, Event::Tick, &["silent since 9800 ms"]);
    stage.check(16_000, Event::Tick, &[]);
    stage.check(
        20_000,
        Event::Disconnected { cause: GapCause::OutOfRange },
        &["gap 10000 ms to 20000 ms: band"],
    );
    stage.check(80_000, Event::Tick, &[]);
    stage.check(90_000, Event::Connected, &[]);
    hear(
        &mut stage,
        91_000,
        "1642a103",
        &[
            "gap 20000 ms to 91000 ms: out_of_range",
            "live 1750000001/5 heart_rate at 91000 ms [6600]",
            "live 1750000001/5 ibi at 91000 ms [0, 907227]",
        ],
    );
    // Killed and restarted: the numbers go on, and the time between has a cause.
    stage.restart();
    stage.check(100_000, Event::Connected, &[]);
    hear(
        &mut stage,
        101_000,
        "063c",
        &[
            "contact true",
            "gap 92000 ms to 101000 ms: gateway",
            "live 1750000001/6 heart_rate at 101000 ms [6000]",
        ],
    );
    assert_eq!(stage.session.cursor().contiguous_through(1_750_000_001), 6);
}
