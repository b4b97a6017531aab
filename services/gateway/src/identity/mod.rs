//! Who is asking: passwords, tokens, keys, and the credential of a request.

pub(crate) mod credential;
pub(crate) mod key_cache;
pub(crate) mod passwords;
pub(crate) mod tokens;
