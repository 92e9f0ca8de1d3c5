use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use biosignal::{PersonId, Timestamp};
use store::{Assignment, Person, Store, StoreError, UserId};

use crate::app::{App, lock};
use crate::news::News;

/// Who is who at present, read from the store and kept at hand.
#[derive(Debug, Default)]
pub(crate) struct Directory(Mutex<Arc<Entries>>);

/// What the store said last.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    pub(crate) people: BTreeMap<PersonId, Person>,
    pub(crate) staff: HashMap<UserId, String>,
    pub(crate) assignments: Vec<Assignment>,
}

impl Directory {
    pub(crate) fn entries(&self) -> Arc<Entries> {
        Arc::clone(&lock(&self.0))
    }
}

impl Entries {
    async fn read(store: &Store) -> Result<Self, StoreError> {
        let people = store.people().await?.into_iter();
        let staff = store.users().await?.into_iter();
        Ok(Self {
            people: people.map(|person| (person.id.clone(), person)).collect(),
            staff: staff.map(|user| (user.id, user.name)).collect(),
            assignments: store.assignments().await?,
        })
    }
}

/// Reads people, accounts and assignments anew, and puts them on the board.
///
/// To be called after each change made here, and now and then for those made elsewhere.
pub(crate) async fn refresh(app: &App, now: Timestamp) -> Result<(), StoreError> {
    let entries = Arc::new(Entries::read(&app.store).await?);
    *lock(&app.directory.0) = Arc::clone(&entries);
    let names = entries.people.values().map(|person| (person.id.clone(), person.name.clone()));
    let worn: Vec<_> = entries
        .assignments
        .iter()
        .map(|worn| (worn.device.clone(), worn.person.clone(), worn.from))
        .collect();
    let somebody_left = {
        let mut board = app.board();
        let somebody_left = board.set_people(names.collect());
        board.set_assignments(&worn, now);
        somebody_left
    };
    if somebody_left {
        app.announcer.tell(News::Anew);
    }
    app.assignments_changed.notify_one();
    Ok(())
}
