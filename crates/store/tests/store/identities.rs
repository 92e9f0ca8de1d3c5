//! People, who wears what, accounts, sessions, and the audit log.

use store::{Of, Refusal, Role, Scan, Store, StoreError, Wearing};

use crate::world::{at, batch, block_on, device, everything, folder, open, person};

async fn two_people(store: &Store) -> (biosignal::PersonId, biosignal::PersonId) {
    let ada = store.create_person("Ada", vec!["quiet room".to_owned()]).await.unwrap();
    let bo = store.create_person("Bo", vec![]).await.unwrap();
    assert_ne!(ada.id, bo.id);
    (ada.id, bo.id)
}

#[test]
fn a_person_has_a_random_pseudonym_and_a_plan_that_can_change() {
    let folder = folder();
    let store = open(folder.path());
    block_on(async {
        let (ada, bo) = two_people(&store).await;
        let plan = vec!["weighted blanket".to_owned(), "music".to_owned()];
        store.update_person(&ada, "Zoe", plan.clone()).await.unwrap();
        let people = open(folder.path()).people().await.unwrap();
        let names: Vec<_> = people.iter().map(|it| (&it.id, it.name.as_str())).collect();
        assert_eq!(names, [(&bo, "Bo"), (&ada, "Zoe")]);
        assert_eq!(people[1].strategies, plan);
        let error = store.update_person(&person("nobody"), "X", vec![]).await.unwrap_err();
        assert_eq!(error.to_string(), "there is no person \"nobody\"");
    });
}

#[test]
fn a_band_has_one_wearer_and_a_wearer_one_band() {
    let folder = folder();
    let store = open(folder.path());
    block_on(async {
        let (ada, bo) = two_people(&store).await;
        let wearing = |number, person: Option<&biosignal::PersonId>, second| Wearing {
            device: device(number),
            person: person.cloned(),
            from: at(second),
        };
        let assign = async |number, person, second| {
            store.assign(&device(number), person, at(second), "u1").await.unwrap()
        };
        assert_eq!(assign(1, Some(&ada), 0).await, [wearing(1, Some(&ada), 0)]);
        assert_eq!(assign(1, Some(&ada), 5).await, []);
        assert_eq!(assign(2, Some(&bo), 5).await, [wearing(2, Some(&bo), 5)]);
        // Ada takes Bo's band: hers is free, and Bo has none.
        assert_eq!(
            assign(2, Some(&ada), 10).await,
            [wearing(1, None, 10), wearing(2, Some(&ada), 10)]
        );
        assert_eq!(assign(1, None, 11).await, []);
        let open_ones = store.assignments().await.unwrap();
        assert_eq!(open_ones.len(), 1);
        assert_eq!((&open_ones[0].person, open_ones[0].from), (&ada, at(10)));
        let wearer = async |number, second| {
            let found = store.assignment_at(&device(number), at(second)).await.unwrap();
            found.map(|it| it.person)
        };
        assert_eq!(wearer(1, 9).await.as_ref(), Some(&ada));
        assert_eq!(wearer(1, 10).await, None);
        assert_eq!(wearer(2, 9).await.as_ref(), Some(&bo));
        assert_eq!(wearer(2, 10).await.as_ref(), Some(&ada));
        assert_eq!(assign(2, None, 20).await, [wearing(2, None, 20)]);
        assert_eq!(store.assignments_of_person(&ada).await.unwrap().len(), 2);
    });
}

#[test]
fn an_assignment_of_nobody_or_before_the_last_is_refused() {
    let folder = folder();
    let store = open(folder.path());
    block_on(async {
        let (ada, bo) = two_people(&store).await;
        store.assign(&device(1), Some(&ada), at(10), "u1").await.unwrap();
        let error = store.assign(&device(1), Some(&bo), at(9), "u1").await.unwrap_err();
        assert!(matches!(error, StoreError::Refused(Refusal::Unfit { what: "assignment", .. })));
        let error = store.assign(&device(1), Some(&person("x")), at(20), "u1").await.unwrap_err();
        assert!(matches!(error, StoreError::Refused(Refusal::Unknown { kind: "person", .. })));
        assert_eq!(store.assignments().await.unwrap()[0].person, ada);
    });
}

#[test]
fn a_persons_readings_are_those_of_the_bands_they_wore() {
    let folder = folder();
    let store = open(folder.path());
    block_on(async {
        let (ada, bo) = two_people(&store).await;
        for band in [1, 2] {
            let batches = (1..30).map(|number| batch(&device(band), "gw-1", 1, number));
            store.append(batches.collect()).await.unwrap();
        }
        store.assign(&device(1), Some(&ada), at(5), "u1").await.unwrap();
        store.assign(&device(2), Some(&ada), at(10), "u1").await.unwrap();
        store.assign(&device(1), Some(&bo), at(20), "u1").await.unwrap();
        let scan = Scan { until: at(12), ..everything(Of::Person(ada)) };
        let found = store.scan(scan).await.unwrap();
        let mut worn: Vec<_> = found.iter().map(|it| (it.sequence, it.device.clone())).collect();
        worn.dedup();
        let expected: Vec<_> =
            (5..12).map(|second| (second, device(if second < 10 { 1 } else { 2 }))).collect();
        assert_eq!(worn, expected);
    });
}

#[test]
fn the_first_account_is_made_once_and_a_name_is_taken_in_any_case() {
    let folder = folder();
    let store = open(folder.path());
    block_on(async {
        assert!(!store.has_users().await.unwrap());
        let (one, two) = tokio::join!(
            store.create_first_user("sam", "$1"),
            store.create_first_user("kim", "$2")
        );
        assert_eq!([one.unwrap(), two.unwrap()].iter().flatten().count(), 1);
        let carer = store.create_user("Lee", "$3", Role::Carer).await.unwrap();
        let error = store.create_user("LEE", "$4", Role::Manager).await.unwrap_err();
        assert_eq!(error.to_string(), "there is a user \"LEE\" already");
        assert_eq!(store.user_by_name("lee").await.unwrap(), Some(carer.clone()));
        assert_eq!(store.user(&carer.id).await.unwrap(), Some(carer));
        assert_eq!(store.users().await.unwrap().len(), 2);
    });
}

#[test]
fn a_session_ends_by_sign_out_or_by_time() {
    let folder = folder();
    let store = open(folder.path());
    block_on(async {
        let user = store.create_user("Lee", "$3", Role::Support).await.unwrap();
        for token in [1, 2, 3] {
            let until = at(100 * i64::from(token));
            store.create_session([token; 32], &user.id, at(0), until).await.unwrap();
        }
        let found = store.session([1; 32], at(99)).await.unwrap().expect("signed in");
        assert_eq!(found.user, user);
        assert_eq!(store.session([1; 32], at(100)).await.unwrap(), None);
        assert_eq!(store.session([9; 32], at(0)).await.unwrap(), None);
        assert!(store.delete_session([3; 32]).await.unwrap());
        assert!(!store.delete_session([3; 32]).await.unwrap());
        assert_eq!(store.session([3; 32], at(0)).await.unwrap(), None);
        assert_eq!(store.expire_sessions(at(150)).await.unwrap(), 1);
        assert!(store.session([2; 32], at(150)).await.unwrap().is_some());
    });
}

#[test]
fn an_audit_entry_that_was_changed_or_taken_out_shows() {
    let folder = folder();
    let store = open(folder.path());
    let tamper = |sql: &str| {
        let file = rusqlite::Connection::open(folder.path().join("tidewatch.sqlite")).unwrap();
        assert_eq!(file.execute(sql, []).unwrap(), 1, "{sql}");
    };
    block_on(async {
        for number in 1..=9 {
            let place = store.audit("u1", "looked at", &format!("p{number}")).await.unwrap();
            assert_eq!(place, number);
        }
        let check = async || store.check_audit().await.unwrap();
        assert_eq!((check().await.entries, check().await.broken_at), (9, None));
        tamper("UPDATE audit SET subject = 'p0' WHERE sequence = 6");
        assert_eq!(check().await.broken_at, Some(6));
        tamper("UPDATE audit SET subject = 'p6' WHERE sequence = 6");
        assert_eq!(check().await.broken_at, None);
        tamper("DELETE FROM audit WHERE sequence = 3");
        assert_eq!(check().await.broken_at, Some(4));
        let log = store.audit_log(6, 2).await.unwrap();
        assert_eq!(log.iter().map(|it| it.sequence).collect::<Vec<_>>(), [7, 8]);
        assert_eq!((log[0].actor.as_str(), log[0].subject.as_str()), ("u1", "p7"));
    });
}
