//! A Python environment for the tools of a test, as pip installs it from a file of pinned versions: once for each such file, among
//! the build's products.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest as _, Sha256};

/// The folder of the programs (`python`, and what the requirements bring) of an environment with these requirements.
/// `products` is the test's `CARGO_TARGET_TMPDIR`.
///
/// # Panics
/// When Python with `venv` and `pip` is not there, or a package cannot be installed: the message says which.
#[must_use]
pub fn environment(requirements: &Path, products: &Path) -> PathBuf {
    let pinned = fs::read(requirements).expect("the file of pinned versions");
    let folder = products.join(format!("python-{}", &hex::encode(Sha256::digest(&pinned))[..16]));
    let (programs, complete) = (folder.join("bin"), folder.join("complete"));
    // An environment knows its own place and cannot be moved there when it is complete: a mark says that it is.
    let lock = fs::File::create(folder.with_extension("lock")).expect("a lock beside the environment");
    lock.lock().expect("the lock");
    if complete.exists() {
        return programs;
    }
    let _ = fs::remove_dir_all(&folder);
    run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
    run(Command::new(programs.join("pip"))
        .args(["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"])
        .arg(requirements));
    fs::write(&complete, "").expect("the mark");
    programs
}

fn run(command: &mut Command) {
    let ended = command.output().expect("python3 is needed for this test (see `make test`)");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{command:?}: {said}");
}
