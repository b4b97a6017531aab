//! Argon2id with bounded appetite: 19 MiB and about twenty milliseconds a hash, off the async threads, a few at a time.

use std::sync::Arc;

use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use common::crypto::random;
use tokio::sync::Semaphore;

use crate::domain::person::Password;

/// Hashes at the same time.
const AT_WORK: usize = 2;
/// Hashes at work or waiting; one more is sent away.
const ADMITTED: usize = 52;

/// Why there is no answer about a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HashError {
    /// Too many are waiting; try again in a moment.
    Busy,
    /// Something broke.
    Failed(String),
}

/// Hashes and checks passwords. Cloning shares the bounds.
#[derive(Clone)]
pub(crate) struct Passwords {
    hasher: Argon2<'static>,
    admitted: Arc<Semaphore>,
    at_work: Arc<Semaphore>,
}

impl Passwords {
    /// OWASP's smallest recommended parameters: m = 19456 KiB, t = 2, p = 1.
    pub(crate) fn new() -> Result<Self, String> {
        let params = Params::new(19_456, 2, 1, None).map_err(|e| e.to_string())?;
        Ok(Self {
            hasher: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            admitted: Arc::new(Semaphore::new(ADMITTED)),
            at_work: Arc::new(Semaphore::new(AT_WORK)),
        })
    }

    /// The hash of a password as PHC text, with a salt of its own.
    pub(crate) async fn hash(&self, password: &Password) -> Result<String, HashError> {
        let (hasher, password) = (self.hasher.clone(), password.clone());
        self.run(move || hashed(&hasher, &password)).await?
    }

    /// Whether this is the password behind `stored`. Without a stored hash the answer is no, after the same work: from
    /// how long it takes nobody learns whether there is such a user.
    pub(crate) async fn verify(
        &self,
        password: &Password,
        stored: Option<String>,
    ) -> Result<bool, HashError> {
        let (hasher, password) = (self.hasher.clone(), password.clone());
        self.run(move || match stored {
            Some(stored) => Ok(hasher.verify_password(password.reveal().as_bytes(), stored.as_str()).is_ok()),
            None => hashed(&hasher, &password).map(|_| false),
        })
        .await?
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashError> {
        let admitted = Arc::clone(&self.admitted).try_acquire_owned().map_err(|_| HashError::Busy)?;
        let closed = |_| HashError::Failed("closed".to_owned());
        let at_work = Arc::clone(&self.at_work).acquire_owned().await.map_err(closed)?;
        let task = tokio::task::spawn_blocking(move || {
            // Held by the work itself: a caller who goes away frees nothing that is still in use.
            let _permits = (admitted, at_work);
            work()
        });
        task.await.map_err(|e| HashError::Failed(e.to_string()))
    }
}

fn hashed(hasher: &Argon2<'_>, password: &Password) -> Result<String, HashError> {
    let salt = random::<16>().map_err(|e| HashError::Failed(e.to_string()))?;
    hasher
        .hash_password_with_salt(password.reveal().as_bytes(), &salt)
        .map(|hash| hash.to_string())
        .map_err(|e| HashError::Failed(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::parse(text).unwrap()
    }

    #[tokio::test]
    async fn a_hash_names_its_parameters_and_fits_its_password_only() {
        let passwords = Passwords::new().unwrap();
        let hash = passwords.hash(&password("YourPassword123!")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_eq!(passwords.verify(&password("YourPassword123!"), Some(hash.clone())).await, Ok(true));
        assert_eq!(passwords.verify(&password("YourPassword123?"), Some(hash)).await, Ok(false));
        assert_eq!(passwords.verify(&password("YourPassword123!"), None).await, Ok(false));
    }

    #[tokio::test]
    async fn too_many_at_once_are_sent_away() {
        let passwords = Passwords::new().unwrap();
        let _all = Arc::clone(&passwords.admitted).try_acquire_many_owned(52).unwrap();
        assert_eq!(passwords.hash(&password("YourPassword123!")).await, Err(HashError::Busy));
    }
}
