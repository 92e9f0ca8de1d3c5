use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use biosignal::PersonId;
use store::{Assignment, Person, Store, StoreError, UserId};

use crate::lock::lock;

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

    /// Reads people, accounts and assignments anew.
    pub(crate) async fn read(&self, store: &Store) -> Result<Arc<Entries>, StoreError> {
        let entries = Arc::new(Entries::read(store).await?);
        *lock(&self.0) = Arc::clone(&entries);
        Ok(entries)
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
