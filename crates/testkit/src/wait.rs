//! Waiting for a state. There is no sleeping for a while and hoping; and a wait that ends in vain says what it saw last.

use std::fmt::Debug;
use std::future::Future;
use std::time::{Duration, Instant};

/// Asks `look` again and again until it answers `Ok`, at most for `patience`.
///
/// # Panics
/// When the time is up: with `what` was waited for and what was seen last.
pub async fn eventually<T, S, F, Fut>(what: &str, patience: Duration, mut look: F) -> T
where
    S: Debug,
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, S>>,
{
    let until = Instant::now() + patience;
    loop {
        match look().await {
            Ok(seen) => return seen,
            Err(last) if Instant::now() >= until => {
                panic!("waited {patience:?} for {what}; last seen: {last:?}")
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}
