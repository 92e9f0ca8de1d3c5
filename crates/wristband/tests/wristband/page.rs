//! What `PROFILE.md` shows is what the code does.

use biosignal::{Channel, Timestamp};
use wristband::{BandState, Block, Command, EarlierEpoch, StreamPacket, uuids};

const PAGE: &str = include_str!("../../PROFILE.md");

/// The bytes of an example: hex words up to the first that is none, line by line.
pub(crate) fn example(name: &str) -> Vec<u8> {
    let text = PAGE.split(&format!("```{name}\n")).nth(1).expect("the page has the example");
    let text = text.split("```").next().expect("and it ends");
    let is_byte = |word: &&str| word.len() == 2 && u8::from_str_radix(word, 16).is_ok();
    text.lines()
        .flat_map(|line| line.split_whitespace().take_while(is_byte))
        .map(|word| u8::from_str_radix(word, 16).expect("checked above"))
        .collect()
}

pub(crate) fn stream() -> StreamPacket {
    let block = |channel, period_us, samples: &[i32]| Block {
        channel,
        offset_us: 0,
        period_us,
        samples: samples.to_vec(),
    };
    StreamPacket {
        epoch: 7,
        sequence: 1025,
        device_time_us: 512_500_000,
        replayed: false,
        blocks: vec![
            block(Channel::Bvp, 15_625, &[-1200, -1135, -900, 250]),
            block(Channel::Acceleration, 31_250, &[32, 160, -1024, 48, 160, -1008]),
            block(Channel::Eda, 250_000, &[622_764, 624_045]),
            block(Channel::Ibi, 0, &[187_500, 812_500]),
        ],
    }
}

pub(crate) fn state() -> BandState {
    BandState {
        epoch: 7,
        newest_sequence: 1025,
        oldest_sequence: 1,
        device_time_us: 513_000_250,
        battery_percent: 83,
        streaming: true,
        on_wrist: true,
        earlier: vec![EarlierEpoch {
            epoch: 6,
            oldest_sequence: 88_000,
            newest_sequence: 95_200,
            end_us: 47_600_500_000,
            utc_offset_us: Some(1_750_000_000_000_000),
        }],
    }
}

#[test]
fn the_examples_are_what_the_code_writes_and_reads() {
    assert_eq!(StreamPacket::decode(&example("stream")), Ok(stream()));
    assert_eq!(stream().encode(), Ok(example("stream")));
    assert_eq!(BandState::decode(&example("state")), Ok(state()));
    assert_eq!(state().encode(), example("state"));
    let commands = [
        ("replay", Command::Replay { epoch: 6, from: 95_001, through: 95_200 }),
        ("set_time", Command::SetTime { utc: Timestamp::from_seconds(1_750_047_700) }),
    ];
    for (name, command) in commands {
        assert_eq!(Command::decode(&example(name)), Ok(command));
        assert_eq!(command.encode(), example(name));
    }
}

#[test]
fn the_page_names_our_identities_and_every_channel() {
    for uuid in [uuids::SERVICE, uuids::STREAM, uuids::CONTROL, uuids::STATE, uuids::BATTERY_LEVEL]
    {
        assert!(PAGE.contains(&format!("`{uuid}`")), "{uuid} is not on the page");
    }
    let rows = PAGE.split("| Code | Channel |").nth(1).expect("the table of channels");
    for channel in Channel::ALL {
        let row = format!("\n| {} | ", channel.code());
        assert!(rows.contains(&row), "{channel} is not in the table");
    }
}
