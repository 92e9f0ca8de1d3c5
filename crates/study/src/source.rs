//! Where recordings come from: an E4 export, as a zip archive or unpacked.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use biosignal::recording::{FILES, Recording};

/// Reads an E4 recording from a zip archive or a folder.
pub(crate) fn recording(path: &Path) -> anyhow::Result<Recording> {
    let read = if path.is_dir() {
        Recording::from_files(&files_of(path)?)
    } else {
        let archive = std::fs::read(path)
            .with_context(|| format!("cannot read the recording {}", path.display()))?;
        Recording::from_zip(&archive)
    };
    read.with_context(|| format!("recording {}", path.display()))
}

fn files_of(folder: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    for name in FILES {
        let path = folder.join(name);
        if path.exists() {
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            files.insert(name.to_owned(), text);
        }
    }
    Ok(files)
}
