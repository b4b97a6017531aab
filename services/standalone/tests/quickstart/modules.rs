//! Express, as npm installs it from the lock file beside this: once for each lock file, among the build's products.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use sha2::{Digest as _, Sha256};

/// This test's own folder.
pub(crate) const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/quickstart");

/// The folder for `NODE_PATH`.
pub(crate) fn node_modules() -> PathBuf {
    static INSTALLED: LazyLock<PathBuf> = LazyLock::new(install);
    INSTALLED.join("node_modules")
}

fn install() -> PathBuf {
    let lock = fs::read(Path::new(HERE).join("package-lock.json")).expect("a lock file");
    let products = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = products.join(format!("quickstart-{}", &hex::encode(Sha256::digest(&lock))[..16]));
    if folder.exists() {
        return folder;
    }
    // Complete or not there at all: an installation that is cut short must not be taken for one.
    let draft = tempfile::tempdir_in(products).expect("a folder among the products");
    for name in ["package.json", "package-lock.json"] {
        fs::copy(Path::new(HERE).join(name), draft.path().join(name)).expect("a copy");
    }
    let npm = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(draft.path())
        .output()
        .expect("npm is needed for this test (see `make test`)");
    assert!(npm.status.success(), "npm ci: {}", String::from_utf8_lossy(&npm.stderr));
    let moved = fs::rename(draft.keep(), &folder);
    assert!(moved.is_ok() || folder.exists(), "{}: {moved:?}", folder.display());
    folder
}
