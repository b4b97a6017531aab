//! Keys and the few things done with them: sealing what must be kept secret in a table, hashing what is only compared,
//! and making what must not be guessed.

mod file;
mod keyring;
mod seal;

pub use file::kept_secret;
pub use keyring::{Key, KeyRing, Keys};
pub use seal::{SealError, open, seal};

use sha2::{Digest as _, Sha256};

/// Lower-case hex of SHA-256.
#[must_use]
pub fn sha256_hex(data: &[u8]) -> String {
    hex::encode(Sha256::digest(data))
}

/// `N` bytes from the operating system.
///
/// # Errors
/// When the operating system has none to give.
pub fn random<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// Compares in a time that does not depend on where the first difference is.
#[must_use]
pub fn same(a: &[u8], b: &[u8]) -> bool {
    use subtle::ConstantTimeEq as _;
    a.ct_eq(b).into()
}
