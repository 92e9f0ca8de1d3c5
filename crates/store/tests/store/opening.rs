//! Folders and files that are new, old, damaged, or not to be written.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::{fs, thread};

use store::{Of, Store, StoreError};

use crate::world::{batch, block_on, device, everything, folder, open, person};

fn refused(folder: &Path) -> StoreError {
    Store::open(folder).expect_err("must be refused")
}

#[test]
fn a_folder_that_cannot_be_used_is_named() {
    let folder = folder();
    let file = folder.path().join("data");
    fs::write(&file, "not a folder").unwrap();
    let error = refused(&file);
    assert!(matches!(error, StoreError::Folder { .. }), "{error:?}");
    assert!(error.to_string().starts_with(&format!("{}: ", file.display())), "{error}");
    // Nobody can make a file here, root neither.
    let error = refused(Path::new("/proc/self"));
    assert!(error.to_string().starts_with("/proc/self/tidewatch.sqlite: "), "{error}");
}

#[test]
fn a_damaged_file_is_named_and_left_as_it_is() {
    let folder = folder();
    let file = folder.path().join("tidewatch.sqlite");
    let noise = "no database at all, ".repeat(500);
    fs::write(&file, &noise).unwrap();
    let error = refused(folder.path());
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    assert!(error.to_string().contains("tidewatch.sqlite: damaged: "), "{error}");
    assert_eq!(fs::read_to_string(&file).unwrap(), noise);
}

#[test]
fn a_file_of_a_newer_version_is_left_alone() {
    let folder = folder();
    drop(open(folder.path()));
    let file = folder.path().join("identities.sqlite");
    let newer = rusqlite::Connection::open(&file).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    let error = refused(folder.path());
    assert!(matches!(error, StoreError::Newer { found: 99, known: 1, .. }), "{error:?}");
    let version: i64 = newer.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 99);
}

#[test]
fn many_may_open_a_new_folder_at_once() {
    let folder = folder();
    let stores: Vec<Store> = thread::scope(|scope| {
        let openers: Vec<_> = (0..8).map(|_| scope.spawn(|| open(folder.path()))).collect();
        openers.into_iter().map(|opener| opener.join().unwrap()).collect()
    });
    for (store, number) in stores.iter().zip(1..) {
        block_on(store.append(vec![batch(&device(1), "gw-1", 1, number)])).unwrap();
    }
    let kept = block_on(stores[0].scan(everything(Of::Device(device(1))))).unwrap();
    assert_eq!(kept.len(), 16);
}

const NAME: &str = "Adaeze Quillfeather";

#[test]
fn names_are_in_a_file_of_their_own_that_its_owner_alone_can_read() {
    let folder = folder();
    let store = open(folder.path());
    block_on(async {
        let ada = store.create_person(NAME, vec![]).await.unwrap();
        store.assign(&device(1), Some(&ada.id), ada.created_at, "u1").await.unwrap();
        store.audit("u1", "assigned", ada.id.as_str()).await.unwrap();
        assert_eq!(store.person(&person("nobody")).await.unwrap(), None);
    });
    let mut holding_the_name = Vec::new();
    for file in fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{name}");
        let bytes = fs::read(file.path()).unwrap();
        if bytes.windows(NAME.len()).any(|window| window == NAME.as_bytes()) {
            holding_the_name.push(name);
        }
    }
    assert!(!holding_the_name.is_empty(), "the name is kept somewhere");
    assert!(
        holding_the_name.iter().all(|name| name.starts_with("identities")),
        "{holding_the_name:?}"
    );
}
