//! One request into a user's system while a phone call runs: sent once and not repeated. How many there may be at a
//! time is bounded, for the process and for each owner, so that one slow tool holds up only the calls of its own agent.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::answer::explain;
use super::request::{Signed, read};
use crate::app::App;
use crate::config::Config;
use crate::domain::call_now::{READ, Told};
use crate::domain::owner::Owner;

/// The places for such requests in this process.
pub(crate) struct Places {
    most: usize,
    per_owner: usize,
    taken: Arc<Mutex<HashMap<Owner, usize>>>,
}

/// A place that is taken until it is dropped.
pub(crate) struct Place {
    taken: Arc<Mutex<HashMap<Owner, usize>>>,
    owner: Owner,
}

impl Places {
    /// All free.
    pub(crate) fn new(config: &Config) -> Self {
        Self { most: config.now_concurrency, per_owner: config.now_per_owner, taken: Arc::default() }
    }

    /// Takes a place for `owner`; `None` when there is none free.
    pub(crate) fn take(&self, owner: &Owner) -> Option<Place> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.get(owner).copied().unwrap_or_default();
        if own >= self.per_owner || taken.values().sum::<usize>() >= self.most {
            return None;
        }
        taken.insert(owner.clone(), own + 1);
        Some(Place { taken: Arc::clone(&self.taken), owner: owner.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.owner) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.owner);
            }
        }
    }
}

/// Sends it and reads the whole answer. The status stands in `seen` as soon as it has come, also when this is cut off.
pub(crate) async fn ask(app: &App, signed: &Signed<'_>, seen: &mut Option<u16>) -> Told {
    let request = match signed.request(&app.sending.client, &app.platform.egress) {
        Ok(request) => request,
        Err(problem) => return Told::unreachable(format!("not sent: the address {problem}")),
    };
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_connect() => return Told::unreachable(explain(&error.without_url())),
        // It may have arrived: the connection was there.
        Err(error) => return Told::lost(explain(&error.without_url())),
    };
    let status = response.status().as_u16();
    *seen = Some(status);
    if !response.status().is_success() {
        return Told::refused(status);
    }
    match read(&mut response, READ + 1).await {
        Ok(body) if body.len() > READ => Told::too_large(status),
        Ok(body) => Told::answered(status, body),
        Err(error) => {
            Told::unreadable(status, format!("the answer broke off: {}", explain(&error.without_url())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::ids::BusinessId;

    #[test]
    fn neither_one_owner_nor_all_together_get_more_places_than_there_are() {
        let settings = common::config::Settings::from_pairs([
            ("ECHO_CALL_NOW_CONCURRENCY", "3"),
            ("ECHO_CALL_NOW_OWNER_CONCURRENCY", "2"),
        ]);
        let places = Places::new(&Config::read(&settings).unwrap());
        let owner = |id| Owner::parse(BusinessId::new(), id).unwrap();
        let (first, second) = (owner("a"), owner("b"));
        let mut held = vec![places.take(&first).unwrap(), places.take(&first).unwrap()];
        assert!(places.take(&first).is_none());
        held.push(places.take(&second).unwrap());
        assert!(places.take(&second).is_none());
        held.clear();
        assert!(places.take(&first).is_some());
        assert!(places.taken.lock().unwrap().is_empty());
    }
}
