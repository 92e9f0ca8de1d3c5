use std::io;
use std::path::{Path, PathBuf};

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder cannot be made or used.
    #[error("{}: {source}", path.display())]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file cannot be read or written now: the disk is full or read-only, or
    /// somebody else holds it too long. Nothing of the act was kept; try it again later.
    #[error("{}: {source}", file.display())]
    Unavailable {
        /// The file.
        file: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The file holds what cannot be.
    #[error("{}: damaged: {what}", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What was found.
        what: String,
    },
    /// A newer Tidewatch made the file.
    #[error("{}: has schema {found}, and this version knows {known}", file.display())]
    Newer {
        /// The file.
        file: PathBuf,
        /// The file's schema.
        found: usize,
        /// The newest schema that is known here.
        known: usize,
    },
    /// What was asked for cannot be done, now or later.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store has stopped working after an earlier error.
    #[error("{}: the store has stopped", file.display())]
    Stopped {
        /// The file.
        file: PathBuf,
    },
}

/// Why something cannot be done: it does not fit what is kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such thing.
    #[error("there is no {kind} {id:?}")]
    Unknown {
        /// What was looked for.
        kind: &'static str,
        /// By which id.
        id: String,
    },
    /// There is one already.
    #[error("there is a {kind} {id:?} already")]
    Taken {
        /// What there is.
        kind: &'static str,
        /// By which id.
        id: String,
    },
    /// A value is out of its range.
    #[error("{what}: {why}")]
    Unfit {
        /// Which value.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
}

/// What ends an act on a database; the database adds which file it was.
#[derive(Debug)]
pub(crate) enum Fault {
    Sqlite(rusqlite::Error),
    Damaged(String),
    Refused(Refusal),
}

/// What an act on a database comes to.
pub(crate) type Acted<T> = Result<T, Fault>;

impl Fault {
    pub(crate) fn unknown(kind: &'static str, id: impl ToString) -> Self {
        Self::Refused(Refusal::Unknown { kind, id: id.to_string() })
    }

    pub(crate) fn unfit(what: &'static str, why: impl Into<String>) -> Self {
        Self::Refused(Refusal::Unfit { what, why: why.into() })
    }

    pub(crate) fn in_file(self, file: &Path) -> StoreError {
        let file = file.to_owned();
        match self {
            Self::Sqlite(source) if is_damage(&source) => {
                StoreError::Damaged { file, what: source.to_string() }
            }
            Self::Sqlite(source) => StoreError::Unavailable { file, source },
            Self::Damaged(what) => StoreError::Damaged { file, what },
            Self::Refused(refusal) => StoreError::Refused(refusal),
        }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    match error {
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::InvalidColumnType(..) => true,
        other => matches!(other.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase)),
    }
}
