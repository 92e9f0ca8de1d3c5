use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use biosignal::Timestamp;

use crate::database::Database;
use crate::error::StoreError;

/// The house's memory. Clones share it; it closes with the last one.
///
/// Several processes may have the same folder open at the same time.
#[derive(Clone, Debug)]
pub struct Store {
    /// All but names.
    pub(crate) house: Database,
    /// Names of people and accounts.
    pub(crate) identities: Database,
}

impl Store {
    /// Opens the store in a folder, and makes both where they are not there. It blocks, for
    /// a moment.
    ///
    /// # Errors
    /// [`StoreError`] names the file: it cannot be made or used, is damaged, or a newer
    /// Tidewatch made it.
    pub fn open(data_dir: &Path) -> Result<Self, StoreError> {
        make_folder(data_dir)?;
        let house = data_dir.join("tidewatch.sqlite");
        let identities = data_dir.join("identities.sqlite");
        make_private(&house)?;
        make_private(&identities)?;
        Ok(Self {
            house: Database::open(house, &[include_str!("../schema/house-1.sql")])?,
            identities: Database::open(identities, &[include_str!("../schema/identities-1.sql")])?,
        })
    }
}

fn make_folder(path: &Path) -> Result<(), StoreError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| StoreError::Folder { path: path.to_owned(), source })
}

/// Only its owner may read the file; SQLite gives the files beside it the same rights.
fn make_private(file: &Path) -> Result<(), StoreError> {
    let refused = |source| StoreError::Folder { path: file.to_owned(), source };
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(file)
        .and_then(|_| fs::set_permissions(file, Permissions::from_mode(0o600)))
        .map_err(refused)
}

/// The present, for what the store dates itself.
pub(crate) fn now() -> Timestamp {
    let since =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
