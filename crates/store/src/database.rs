//! One SQLite file behind an async face: a thread that writes, and a few that read.
//!
//! Several processes may have the same file open. Every write takes the file's write
//! lock first and is on the disk before its caller hears of it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use crate::error::{Acted, Fault, StoreError};

/// Threads that read: one long query must not keep a tablet waiting.
const READERS: usize = 3;

/// Acts that wait for a thread. When full, whoever asks waits: the pace is the disk's.
const QUEUE: usize = 64;

/// How long to wait for another process that writes.
const PATIENCE: Duration = Duration::from_secs(15);

/// Statements that a connection keeps prepared.
const PREPARED: usize = 64;

type Act = Box<dyn FnOnce(&mut Connection) + Send>;

/// An open file. Clones share its threads, which end with the last clone.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    file: Arc<Path>,
    writer: mpsc::Sender<Act>,
    readers: mpsc::Sender<Act>,
}

impl Database {
    /// Opens a file, makes it where it is not there, and brings its schema up to date:
    /// `migrations` are all there ever were, oldest first.
    pub(crate) fn open(file: PathBuf, migrations: &[&str]) -> Result<Self, StoreError> {
        let opened = |fault: Fault| fault.in_file(&file);
        let mut writer = connect(&file).map_err(|error| opened(error.into()))?;
        migrate(&file, &mut writer, migrations)?;
        let readers = (0..READERS)
            .map(|_| {
                connect(&file)
                    .and_then(|it| it.pragma_update(None, "query_only", true).map(|()| it))
            })
            .collect::<rusqlite::Result<Vec<_>>>()
            .map_err(|error| opened(error.into()))?;
        let writer = serve(&file, "writer", vec![writer])?;
        let readers = serve(&file, "reader", readers)?;
        Ok(Self { file: file.into(), writer, readers })
    }

    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Does an act in one transaction. `Ok` means that it is on the disk; after an error
    /// nothing of it is.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Transaction<'_>) -> Acted<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.ask(&self.writer, TransactionBehavior::Immediate, act).await
    }

    /// Asks, with all answers from one moment.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Transaction<'_>) -> Acted<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.ask(&self.readers, TransactionBehavior::Deferred, act).await
    }

    async fn ask<T: Send + 'static>(
        &self,
        threads: &mpsc::Sender<Act>,
        behaviour: TransactionBehavior,
        act: impl FnOnce(&Transaction<'_>) -> Acted<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let act: Act = Box::new(move |connection| {
            // Nobody may wait any longer; a write is done all the same.
            let _ = reply.send(transact(connection, behaviour, act));
        });
        let stopped = || StoreError::Stopped { file: self.file.to_path_buf() };
        threads.send(act).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?.map_err(|fault| fault.in_file(&self.file))
    }
}

fn transact<T>(
    connection: &mut Connection,
    behaviour: TransactionBehavior,
    act: impl FnOnce(&Transaction<'_>) -> Acted<T>,
) -> Acted<T> {
    let transaction = connection.transaction_with_behavior(behaviour)?;
    let done = act(&transaction)?;
    transaction.commit()?;
    Ok(done)
}

fn connect(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(PREPARED);
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Each device adds to its own places in the indices: room for those of a thousand, and
    // several transactions that touch them before they are written there.
    connection.pragma_update(None, "cache_size", -(64 << 10))?;
    connection.pragma_update(None, "wal_autocheckpoint", 8000)?;
    // After a burst the log shrinks again.
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    Ok(connection)
}

fn migrate(
    file: &Path,
    connection: &mut Connection,
    migrations: &[&str],
) -> Result<(), StoreError> {
    let known = migrations.len();
    let migrated = transact(connection, TransactionBehavior::Immediate, |transaction| {
        let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let found = usize::try_from(found).unwrap_or(usize::MAX);
        for migration in migrations.get(found..).unwrap_or_default() {
            transaction.execute_batch(migration)?;
        }
        transaction.pragma_update(None, "user_version", known.max(found).to_string())?;
        Ok(found)
    });
    match migrated.map_err(|fault| fault.in_file(file))? {
        found if found > known => Err(StoreError::Newer { file: file.to_owned(), found, known }),
        _ => Ok(()),
    }
}

/// Starts a thread for each connection; they take what comes in turn.
fn serve(
    file: &Path,
    role: &str,
    connections: Vec<Connection>,
) -> Result<mpsc::Sender<Act>, StoreError> {
    let (sender, receiver) = mpsc::channel::<Act>(QUEUE);
    let receiver = Arc::new(Mutex::new(receiver));
    for mut connection in connections {
        let receiver = Arc::clone(&receiver);
        thread::Builder::new()
            .name(format!("store {role}"))
            .spawn(move || {
                while let Some(act) = next(&receiver) {
                    act(&mut connection)
                }
            })
            .map_err(|source| StoreError::Folder { path: file.to_owned(), source })?;
    }
    Ok(sender)
}

fn next(receiver: &Mutex<mpsc::Receiver<Act>>) -> Option<Act> {
    receiver.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv()
}
