//! Programs that Cargo builds beside the workspace, because what they depend on has no place in it: once for each, among the
//! build's products.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The program `name` of the package in `from`, which has a lock file of its own. `products` is the test's `CARGO_TARGET_TMPDIR`.
///
/// # Panics
/// When it cannot be built: the message says why.
#[must_use]
pub fn program(from: &Path, name: &str, products: &Path) -> PathBuf {
    let target = products.join(name);
    let cargo = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--target-dir"])
        .arg(&target)
        .current_dir(from)
        .output()
        .expect("cargo");
    assert!(cargo.status.success(), "{name}: {}", String::from_utf8_lossy(&cargo.stderr));
    target.join("debug").join(name)
}
