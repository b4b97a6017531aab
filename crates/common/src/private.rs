//! Files and folders for the user of this process only: they hold keys, and what people said on the phone.

use std::fs::{DirBuilder, OpenOptions, Permissions, metadata, set_permissions};
use std::io::{ErrorKind, Result};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// What others than the user may do with it.
const OTHERS: u32 = 0o077;
/// That the folder is open is said once: all services of a process have the same one.
static SAID: AtomicBool = AtomicBool::new(false);

/// Makes a folder (mode 0700) where there is none. One that is there and open to others is left as it is, as it may be more
/// than ours, and said.
///
/// # Errors
/// When it cannot be made.
pub(crate) fn folder(folder: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    if let Some(mode) = open_to_others(folder)
        && !SAID.swap(true, Ordering::Relaxed)
    {
        tracing::warn!(
            folder = %folder.display(),
            mode = format!("{mode:o}"),
            "other users of this machine may enter the folder of Echo's data; chmod 700 keeps them out"
        );
    }
    Ok(())
}

/// Makes an empty file (mode 0600) where there is none, and takes one that is there away from others.
///
/// # Errors
/// When it cannot be made.
pub(crate) fn file(file: &Path) -> Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {
            tighten(file);
            Ok(())
        }
        made => made.map(drop),
    }
}

/// Takes a file that is open to others away from them (mode 0600), and says so. Where there is none, nothing happens.
pub(crate) fn tighten(file: &Path) {
    let Some(mode) = open_to_others(file) else { return };
    let tightened = set_permissions(file, Permissions::from_mode(0o600));
    let (file, mode) = (file.display(), format!("{mode:o}"));
    match tightened {
        Ok(()) => tracing::warn!(%file, mode, "others could read or write this file; now only its user can"),
        Err(error) => tracing::warn!(%file, mode, %error, "others may read or write this file"),
    }
}

/// Its mode, if it is there and others than its user may do anything with it.
fn open_to_others(path: &Path) -> Option<u32> {
    let mode = metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & OTHERS != 0).then_some(mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_made_is_for_its_user_only() {
        let home = tempfile::tempdir().unwrap();
        let (inner, made) = (home.path().join("a/b"), home.path().join("file"));
        folder(&inner).unwrap();
        file(&made).unwrap();
        assert_eq!((mode(&inner), mode(&made)), (0o700, 0o600));
    }

    #[test]
    fn a_file_that_others_could_read_is_taken_away_from_them_and_keeps_its_text() {
        let home = tempfile::tempdir().unwrap();
        let there = home.path().join("file");
        std::fs::write(&there, "kept").unwrap();
        set_permissions(&there, Permissions::from_mode(0o644)).unwrap();
        file(&there).unwrap();
        assert_eq!((mode(&there), std::fs::read_to_string(&there).unwrap().as_str()), (0o600, "kept"));
        tighten(&home.path().join("none"));
    }

    #[test]
    fn a_folder_that_others_may_enter_stays_as_it_is() {
        let home = tempfile::tempdir().unwrap();
        set_permissions(home.path(), Permissions::from_mode(0o755)).unwrap();
        folder(home.path()).unwrap();
        assert_eq!((mode(home.path()), open_to_others(home.path())), (0o755, Some(0o755)));
    }
}
