//! What npm brings for the programs of this test.

use std::path::{Path, PathBuf};

/// This test's own folder.
pub(crate) const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/quickstart");

/// The folder for `NODE_PATH`.
pub(crate) fn node_modules() -> PathBuf {
    testkit::node::modules(Path::new(HERE), Path::new(env!("CARGO_TARGET_TMPDIR")))
}
