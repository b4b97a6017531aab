//! A secret that is made once and kept in a file for its user only. It is there whole or not at all, also when the process is
//! killed while writing.

use std::io::{ErrorKind, Result, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::private;

/// The text in `file`, which is taken away from other users if it was open to them; where there is none, what `make` gives is
/// written there (mode 0600, its folder 0700).
///
/// # Errors
/// When the file cannot be read, made or written.
pub fn kept_secret(file: &Path, make: impl FnOnce() -> Result<String>) -> Result<String> {
    private::tighten(file);
    match std::fs::read_to_string(file) {
        Err(e) if e.kind() == ErrorKind::NotFound => {}
        other => return other,
    }
    let text = make()?;
    let folder = file.parent().unwrap_or_else(|| Path::new("."));
    private::folder(folder)?;
    let draft = file.with_extension(format!("draft-{}", std::process::id()));
    let mut out =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    out.write_all(text.as_bytes())?;
    out.sync_all()?;
    std::fs::rename(&draft, file)?;
    std::fs::File::open(folder)?.sync_all()?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_others_could_read_is_taken_away_from_them() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, "first").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(kept_secret(&file, || Ok("second".to_owned())).unwrap(), "first");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_secret_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep").join("secret");
        assert_eq!(kept_secret(&file, || Ok("first".to_owned())).unwrap(), "first");
        assert_eq!(kept_secret(&file, || Ok("second".to_owned())).unwrap(), "first");
    }
}
