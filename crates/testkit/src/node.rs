//! Packages for Node.js, as npm installs them from a lock file: once for each lock file, among the build's products.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest as _, Sha256};

/// The folder for `NODE_PATH` with what the `package-lock.json` in `from` names. `products` is the test's
/// `CARGO_TARGET_TMPDIR`.
///
/// # Panics
/// When npm is not there, or a package cannot be installed: the message says which.
#[must_use]
pub fn modules(from: &Path, products: &Path) -> PathBuf {
    let pinned = fs::read(from.join("package-lock.json")).expect("a lock file");
    let folder = products.join(format!("node-{}", &hex::encode(Sha256::digest(&pinned))[..16]));
    if !folder.exists() {
        install(from, products, &folder);
    }
    folder.join("node_modules")
}

fn install(from: &Path, products: &Path, folder: &Path) {
    // Complete or not there at all: an installation that is cut short must not be taken for one.
    let draft = tempfile::tempdir_in(products).expect("a folder among the products");
    for name in ["package.json", "package-lock.json"] {
        fs::copy(from.join(name), draft.path().join(name)).expect("a copy");
    }
    let npm = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(draft.path())
        .output()
        .expect("npm is needed for this test (see `make test`)");
    assert!(npm.status.success(), "npm ci: {}", String::from_utf8_lossy(&npm.stderr));
    let moved = fs::rename(draft.keep(), folder);
    assert!(moved.is_ok() || folder.exists(), "{}: {moved:?}", folder.display());
}
