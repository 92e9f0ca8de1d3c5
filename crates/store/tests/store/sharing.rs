//! Several handles and several processes on the same files.

use std::collections::BTreeSet;

use store::{Appended, Of, Role};

use crate::world::{
    Process, alert, asked, at, batch, block_on, device, everything, folder, gateway, open, say,
};

#[test]
fn two_handles_write_and_each_sees_what_the_other_wrote() {
    let folder = folder();
    let (one, two) = (open(folder.path()), open(folder.path()));
    block_on(async {
        for number in 1..=20 {
            let same = || vec![batch(&device(1), "gw-1", 1, number)];
            let (left, right) = tokio::join!(one.append(same()), two.append(same()));
            let both: BTreeSet<_> =
                [left.unwrap()[0], right.unwrap()[0]].map(|it| it == Appended::New).into();
            assert_eq!(both.len(), 2, "one is new, the other a duplicate");
        }
        let seen = two.acknowledgements(&gateway("gw-1")).await.unwrap();
        assert_eq!(seen[0].contiguous_through, 20);
        assert_eq!(one.scan(everything(Of::Device(device(1)))).await.unwrap().len(), 40);
    });
}

const ALERTS: u64 = 40;

/// Writes batches as its own gateway, and says of every alert whether it was the first to go.
#[test]
#[ignore = "runs as a process of two_processes_agree_who_goes"]
fn child_goes() {
    let Some((store, name)) = asked() else { return };
    block_on(async {
        let user = store.user_by_name(&name).await.unwrap().expect("made before");
        for number in 1..=ALERTS {
            store.append(vec![batch(&device(1), &name, name.len() as u64, number)]).await.unwrap();
            let gone = store.acknowledge(&number.to_string(), &user.id, at(30)).await.unwrap();
            say((number, gone.won));
        }
    });
}

#[test]
fn two_processes_agree_who_goes() {
    let folder = folder();
    let store = open(folder.path());
    block_on(async {
        for number in 1..=ALERTS {
            store.raise(alert(&number.to_string())).await.unwrap();
        }
        for name in ["sam", "alice"] {
            store.create_user(name, "$", Role::Carer).await.unwrap();
        }
    });
    let mut tablets =
        ["sam", "alice"].map(|name| Process::start("sharing::child_goes", folder.path(), name));
    let mut won = Vec::new();
    for tablet in &mut tablets {
        while let Some(said) = tablet.hear() {
            won.extend(said.strip_suffix(", true)").map(str::to_owned));
        }
    }
    let alerts: BTreeSet<_> = won.iter().collect();
    assert_eq!((won.len() as u64, alerts.len() as u64), (ALERTS, ALERTS), "{won:?}");
    block_on(async {
        assert_eq!(store.last_event().await.unwrap(), 2 * ALERTS);
        for name in ["sam", "alice"] {
            let acks = store.acknowledgements(&gateway(name)).await.unwrap();
            assert_eq!(acks[0].contiguous_through, ALERTS);
        }
        let kept = store.scan(everything(Of::Device(device(1)))).await.unwrap();
        assert_eq!(kept.len() as u64, 2 * ALERTS);
    });
}
