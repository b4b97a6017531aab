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
    let mut last = None;
    loop {
        // A look that never ends is cut off too.
        match tokio::time::timeout_at(until.into(), look()).await {
            Ok(Ok(seen)) => return seen,
            Ok(Err(seen)) if Instant::now() < until => last = Some(seen),
            Ok(Err(seen)) => panic!("waited {patience:?} for {what}; last seen: {seen:?}"),
            Err(_) => {
                panic!("waited {patience:?} for {what}, in the end for the look itself; last seen: {last:?}")
            }
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
