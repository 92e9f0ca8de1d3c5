//! What the detector decided, and where it stood.

use store::{DecisionKind, Of, Snapshot, StoredAlert, StoredAssessment};

use crate::world::{at, block_on, device, folder, open, person};

fn assessment(second: i64) -> StoredAssessment {
    StoredAssessment {
        device: device(1),
        person: person("p1"),
        at: at(second),
        decided_at: at(second + 2),
        payload: format!("assessment {second}").into_bytes(),
    }
}

fn turn(what: &str, second: i64) -> StoredAlert {
    StoredAlert {
        id: "0192".to_owned(),
        device: device(1),
        person: person("p1"),
        at: at(second),
        decided_at: at(second + 2),
        payload: what.as_bytes().to_vec(),
    }
}

fn snapshot(second: i64) -> Snapshot {
    Snapshot {
        bytes: vec![u8::try_from(second).unwrap(); 9],
        at: at(second),
        version: "1".to_owned(),
    }
}

#[test]
fn decisions_wait_in_order_until_they_are_published() {
    let folder = folder();
    let store = open(folder.path());
    let me = person("p1");
    block_on(async {
        assert_eq!(store.latest_snapshot(&me).await.unwrap(), None);
        store
            .save_decision(&me, snapshot(10), vec![assessment(10)], vec![turn("raised", 10)])
            .await
            .unwrap();
        // Told again after a crash before the caller heard: kept once.
        store
            .save_decision(
                &me,
                snapshot(20),
                vec![assessment(10), assessment(20)],
                vec![turn("ended", 20)],
            )
            .await
            .unwrap();
        let waiting = store.decisions_unpublished().await.unwrap();
        let told: Vec<_> = waiting.iter().map(|it| (it.kind, it.payload.as_slice())).collect();
        assert_eq!(
            told,
            [
                (DecisionKind::Assessment, b"assessment 10".as_slice()),
                (DecisionKind::Alert, b"raised"),
                (DecisionKind::Assessment, b"assessment 20"),
                (DecisionKind::Alert, b"ended"),
            ]
        );
        let published = waiting[..3].iter().map(|it| it.sequence).collect();
        store.mark_published(published).await.unwrap();
        assert_eq!(open(folder.path()).decisions_unpublished().await.unwrap(), waiting[3..]);
        assert_eq!(store.latest_snapshot(&me).await.unwrap(), Some(snapshot(20)));
        assert_eq!(store.latest_snapshot(&person("p2")).await.unwrap(), None);
    });
}

#[test]
fn assessments_are_found_by_person_and_by_device() {
    let folder = folder();
    let store = open(folder.path());
    let me = person("p1");
    let elsewhere = StoredAssessment { device: device(2), ..assessment(30) };
    block_on(async {
        let all = vec![assessment(10), assessment(20), elsewhere.clone()];
        store.save_decision(&me, snapshot(30), all.clone(), vec![]).await.unwrap();
        let of = Of::Person(me);
        assert_eq!(store.assessments(&of, at(10), at(31)).await.unwrap(), all);
        assert_eq!(store.assessments(&of, at(11), at(30)).await.unwrap(), all[1..2]);
        assert_eq!(store.assessments_of(&device(2)).await.unwrap(), [elsewhere]);
    });
}
