use rusqlite::Connection;

/// Raised when the tables change; a spool of another version is not opened.
const VERSION: i64 = 1;

const TABLES: &str = "
    CREATE TABLE spool (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        epoch INTEGER NOT NULL          -- random, as the 64 bits of a signed number
    );
    CREATE TABLE bands (
        device TEXT PRIMARY KEY,
        profile TEXT NOT NULL,
        cursor BLOB                     -- of the session, as of the newest batch
    );
    CREATE TABLE numbers (
        device TEXT PRIMARY KEY,
        newest INTEGER NOT NULL         -- the last number given, kept when its batch is gone
    );
    CREATE TABLE batches (
        device TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        body BLOB NOT NULL,             -- the batch without epoch and sequence
        UNIQUE (device, sequence)
    );
    CREATE TABLE gaps (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        gap TEXT NOT NULL               -- JSON
    );
";

/// Makes the file durable and its owner alone, and the tables where there are none.
pub(super) fn prepare(connection: &mut Connection, new_epoch: u64) -> rusqlite::Result<()> {
    // A second gateway on the same folder would give the same numbers to other batches.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match version {
        VERSION => {}
        0 => {
            transaction.execute_batch(TABLES)?;
            transaction.execute(
                "INSERT INTO spool (only, epoch) VALUES (1, ?1)",
                [new_epoch.cast_signed()],
            )?;
            transaction.pragma_update(None, "user_version", VERSION)?;
        }
        other => return Err(of_another_version(other)),
    }
    transaction.commit()
}

fn of_another_version(found: i64) -> rusqlite::Error {
    let says = format!("the spool's format is {found}, this gateway reads {VERSION}");
    rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_MISMATCH),
        Some(says),
    )
}
