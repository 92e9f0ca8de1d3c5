//! Processes that are killed, and disks that are full: what was acknowledged stays.

use std::path::Path;

use store::{Of, StoreError};

use crate::world::{
    Process, asked, batch, block_on, device, everything, folder, gateway, open, say,
};

/// Appends one batch after the other, and says each number when the store has acknowledged it.
#[test]
#[ignore = "runs as a process of the tests below"]
fn child_appends() {
    let Some((store, first)) = asked() else { return };
    let first: u64 = first.parse().expect("a number");
    block_on(async {
        for number in first..5000 {
            match store.append(vec![batch(&device(1), "gw-1", 1, number)]).await {
                Ok(_) => say(number),
                Err(error @ StoreError::Unavailable { .. }) => {
                    // It goes on saying so, and what there is can still be read.
                    let again = store.append(vec![batch(&device(1), "gw-1", 1, number)]).await;
                    assert!(matches!(again, Err(StoreError::Unavailable { .. })), "{again:?}");
                    let there = store.batches(&device(1), 1, 1..=number).await.unwrap();
                    assert_eq!(there.len() as u64, number - 1);
                    return say(error.to_string());
                }
                Err(error) => panic!("{error:?}"),
            }
        }
    });
}

fn stored_through(folder: &Path) -> u64 {
    let store = open(folder);
    let acks = block_on(store.acknowledgements(&gateway("gw-1"))).unwrap();
    assert_eq!(acks[0].missing, []);
    let kept = block_on(store.scan(everything(Of::Device(device(1))))).unwrap();
    assert_eq!(kept.len() as u64, 2 * acks[0].contiguous_through);
    acks[0].contiguous_through
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let folder = folder();
    let mut next = 1;
    for until in [3, 40, 17] {
        let mut process = Process::start("death::child_appends", folder.path(), &next.to_string());
        let mut acknowledged = 0;
        for _ in 0..until {
            acknowledged = process.hear().expect("it goes on until killed").parse().unwrap();
        }
        process.child.kill().unwrap();
        while let Some(said) = process.hear() {
            acknowledged = said.parse().unwrap();
        }
        let stored = stored_through(folder.path());
        // One more may have been committed that nobody heard of.
        assert!((acknowledged..=acknowledged + 1).contains(&stored), "{acknowledged} of {stored}");
        next = stored + 1;
    }
    let file = rusqlite::Connection::open(folder.path().join("tidewatch.sqlite")).unwrap();
    let verdict: String = file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
}

#[test]
fn a_full_disk_is_said_and_what_was_acknowledged_stays() {
    let folder = folder();
    drop(open(folder.path()));
    let mut process = Process::start_limited(3000, "death::child_appends", folder.path(), "1");
    let mut acknowledged: u64 = 0;
    let mut complaint = None;
    while let Some(said) = process.hear() {
        match said.parse() {
            Ok(number) => acknowledged = number,
            Err(_) => complaint = Some(said),
        }
    }
    assert!(process.child.wait().unwrap().success());
    let complaint = complaint.expect("the disk was full before 5000 batches");
    assert!(complaint.contains("tidewatch.sqlite: "), "{complaint}");
    assert!(acknowledged > 10, "{acknowledged}");
    assert_eq!(stored_through(folder.path()), acknowledged);
    // With room again it goes on.
    let store = open(folder.path());
    block_on(store.append(vec![batch(&device(1), "gw-1", 1, acknowledged + 1)])).unwrap();
    assert_eq!(stored_through(folder.path()), acknowledged + 1);
}
