//! Alerts in the order of the server.

use store::{AlertEventKind as Kind, AlertLevel, AlertState, Outcome, Role, Store, UserId};

use crate::world::{alert, at, block_on, folder, open, person};

async fn two_carers(store: &Store) -> (UserId, UserId) {
    let sam = store.create_user("Sam", "$1", Role::Carer).await.unwrap();
    let ali = store.create_user("Ali", "$2", Role::Carer).await.unwrap();
    (sam.id, ali.id)
}

#[test]
fn an_alert_goes_its_way_and_every_step_has_its_place() {
    let folder = folder();
    let store = open(folder.path());
    block_on(async {
        let (sam, _) = two_carers(&store).await;
        let raised = store.raise(alert("a")).await.unwrap().expect("new");
        assert_eq!(raised.alert.record, alert("a"));
        assert_eq!(store.raise(alert("a")).await.unwrap(), None);
        let reasons = alert("a").reasons;
        let up = store.escalate("a", AlertLevel::High, at(20), reasons.clone(), 0.9).await.unwrap();
        assert_eq!(up.expect("higher").alert.record.level, AlertLevel::High);
        let again = store.escalate("a", AlertLevel::Rising, at(21), reasons, 0.5).await.unwrap();
        assert_eq!(again, None);
        store.acknowledge("a", &sam, at(30)).await.unwrap();
        store.end("a", at(40)).await.unwrap().expect("not yet over");
        assert_eq!(store.end("a", at(41)).await.unwrap(), None);
        assert_eq!(store.open_alerts().await.unwrap().len(), 1);
        let note = Some("sat with her".to_owned());
        let resolved =
            store.resolve("a", &sam, Outcome::Calmed, note.clone(), at(50)).await.unwrap();
        assert_eq!((resolved.state, &resolved.note), (AlertState::Resolved, &note));
        assert_eq!(store.open_alerts().await.unwrap(), []);
        assert_eq!(store.alerts_of_person(&alert("a").person).await.unwrap(), [resolved]);
        assert_eq!(store.alerts_of_person(&person("nobody")).await.unwrap(), []);
        let events = open(folder.path()).events_since(0).await.unwrap();
        let kinds: Vec<_> = events.iter().map(|it| (it.sequence, it.kind)).collect();
        assert_eq!(
            kinds,
            [
                (1, Kind::Raised),
                (2, Kind::Escalated),
                (3, Kind::Acknowledged),
                (4, Kind::Ended),
                (5, Kind::Resolved),
            ]
        );
        assert_eq!((events[2].by.as_ref(), events[2].at), (Some(&sam), at(30)));
        assert_eq!(store.events_since(4).await.unwrap(), events[4..]);
        assert_eq!(store.last_event().await.unwrap(), 5);
    });
}

#[test]
fn the_first_who_goes_wins_whatever_the_tablets_clock_says() {
    let folder = folder();
    let store = open(folder.path());
    block_on(async {
        let (sam, ali) = two_carers(&store).await;
        store.raise(alert("a")).await.unwrap();
        let first = store.acknowledge("a", &sam, at(30)).await.unwrap();
        let second = store.acknowledge("a", &ali, at(29)).await.unwrap();
        assert!(first.won && !second.won);
        assert_eq!((second.by, second.at), (Some(sam.clone()), Some(at(30))));
        // Sam's tablet, unsure whether it was heard, says so again: nothing changes.
        let repeated = store.acknowledge("a", &sam, at(35)).await.unwrap();
        assert_eq!((repeated.won, repeated.at), (true, Some(at(30))));
        assert_eq!(store.last_event().await.unwrap(), 2);
    });
}

#[test]
fn the_first_outcome_stands() {
    let folder = folder();
    let store = open(folder.path());
    block_on(async {
        let (sam, ali) = two_carers(&store).await;
        store.raise(alert("a")).await.unwrap();
        store.resolve("a", &sam, Outcome::Incident, None, at(50)).await.unwrap();
        let second = store.resolve("a", &ali, Outcome::Device, None, at(51)).await.unwrap();
        assert_eq!((second.outcome, second.resolved_by), (Some(Outcome::Incident), Some(sam)));
        let late = store.acknowledge("a", &ali, at(60)).await.unwrap();
        assert_eq!((late.won, late.by), (false, None));
        assert_eq!(store.alert("a").await.unwrap().expect("kept").state, AlertState::Resolved);
        let error = store.acknowledge("b", &ali, at(60)).await.unwrap_err();
        assert_eq!(error.to_string(), "there is no alert \"b\"");
        assert_eq!(store.alert("b").await.unwrap(), None);
    });
}
