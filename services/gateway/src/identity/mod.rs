//! Who is asking: passwords, tokens, keys, and the credential of a request.

pub(crate) mod cache;
pub(crate) mod credential;
pub(crate) mod firebase;
pub(crate) mod firebase_keys;
pub(crate) mod of_app;
pub(crate) mod one_time;
pub(crate) mod passwords;
pub(crate) mod session;
pub(crate) mod tokens;
