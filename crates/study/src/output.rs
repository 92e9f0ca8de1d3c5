//! Files that are written at the end of long work.

use std::fs::OpenOptions;
use std::path::Path;

use anyhow::{Context, ensure};

/// Sees to it that a file can be written before the work for it begins. Leaves what is there as
/// it is.
///
/// # Errors
/// Says that the folder is not there, or why the file cannot be written.
pub(crate) fn check(path: &Path) -> anyhow::Result<()> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    if let Some(folder) = folder {
        ensure!(
            folder.is_dir(),
            "cannot write {}: there is no folder {}; nothing was computed yet",
            path.display(),
            folder.display()
        );
    }
    let was_there = path.exists();
    OpenOptions::new().append(true).create(true).open(path).with_context(|| refused(path))?;
    if !was_there {
        std::fs::remove_file(path).with_context(|| refused(path))?;
    }
    Ok(())
}

fn refused(path: &Path) -> String {
    format!("cannot write {}; nothing was computed yet", path.display())
}

/// Writes a file.
///
/// # Errors
/// Names the file that cannot be written.
pub(crate) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_is_said_before_and_nothing_is_left_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let says = |path: &Path| format!("{:#}", check(path).expect_err("it cannot be written"));
        let nowhere = folder.path().join("none").join("x.json");
        assert!(says(&nowhere).contains("there is no folder"), "{}", says(&nowhere));
        assert!(says(folder.path()).contains("cannot write"), "{}", says(folder.path()));
        let (fresh, old) = (folder.path().join("fresh"), folder.path().join("old"));
        std::fs::write(&old, "kept").expect("writable");
        check(&fresh).and_then(|()| check(&old)).expect("both can be written");
        assert!(!fresh.exists());
        assert_eq!(std::fs::read_to_string(&old).expect("there"), "kept");
    }
}
