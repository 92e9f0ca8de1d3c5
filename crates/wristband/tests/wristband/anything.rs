//! Whatever well-formed or broken values come, in whatever order: a session neither panics nor grows.

use biosignal::GapCause;
use proptest::prelude::*;
use uuid::Uuid;
use wristband::{Event, Profile, Session, uuids};

use crate::codec::{cases, measurement, state, stream};
use crate::stage::{at, device};

#[derive(Clone, Debug)]
enum Thing {
    Value(Uuid, Vec<u8>),
    Connected,
    Disconnected,
    Tick,
    Restart,
}

fn thing() -> impl Strategy<Value = Thing> {
    let epoch = prop::option::of(0..3_u32);
    let stream = (stream(), epoch.clone(), prop::option::of(1..50_u32)).prop_map(
        |(mut packet, epoch, sequence)| {
            packet.epoch = epoch.unwrap_or(packet.epoch);
            packet.sequence = sequence.unwrap_or(packet.sequence);
            Thing::Value(uuids::STREAM, packet.encode().expect("it fits"))
        },
    );
    let state = (state(), epoch).prop_map(|(mut state, epoch)| {
        state.epoch = epoch.unwrap_or(state.epoch);
        Thing::Value(uuids::STATE, state.encode())
    });
    let measurement =
        measurement().prop_map(|value| Thing::Value(uuids::HEART_RATE_MEASUREMENT, value.encode()));
    let noise = prop::collection::vec(any::<u8>(), 0..30)
        .prop_map(|bytes| Thing::Value(uuids::STREAM, bytes));
    let others = vec![Thing::Connected, Thing::Disconnected, Thing::Tick, Thing::Restart];
    prop_oneof![8 => stream, 4 => state, 2 => measurement, 1 => noise, 4 => prop::sample::select(others)]
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn a_session_survives_anything(
        things in prop::collection::vec((thing(), -1000..100_000_i64), 0..80),
        profile in prop::sample::select(vec![Profile::Tidewatch, Profile::HeartRateStrap]),
    ) {
        let mut session = Session::new(device(), profile, None);
        let mut now_ms = 0;
        for (thing, later_ms) in things {
            now_ms += later_ms;
            let event = match &thing {
                Thing::Value(characteristic, bytes) => {
                    Event::Notified { characteristic: *characteristic, bytes }
                }
                Thing::Connected => Event::Connected,
                Thing::Disconnected => Event::Disconnected { cause: GapCause::Adapter },
                Thing::Tick => Event::Tick,
                Thing::Restart => {
                    session = Session::new(device(), profile, Some(session.cursor()));
                    continue;
                }
            };
            session.handle(at(now_ms), event);
        }
        let kept = serde_json::to_vec(&session.cursor())?.len();
        prop_assert!(kept < 20_000, "the cursor grew to {kept} bytes");
    }
}
