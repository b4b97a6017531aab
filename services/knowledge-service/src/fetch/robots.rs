//! What each site lets us read. Its robots.txt is fetched like a page, by the same guard, and remembered for an hour.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use common::clock::Clock;
use reqwest::StatusCode;
use reqwest::header::{ACCEPT_ENCODING, LOCATION};
use url::Url;

use super::{Fetching, Problem, failure};
use crate::domain::robots::{READ, Rules};

/// How long an answer counts.
const COUNTS: Duration = Duration::from_hours(1);
/// How often a robots.txt may lead on to another one.
const MOST_REDIRECTS: usize = 5;
/// How much memory the answers may take together, in bytes.
const MOST_MEMORY: usize = 16 << 20;
/// What an answer takes beside its rules, about, in bytes.
const EACH: usize = 256;

/// What is known of sites, by scheme, host and port.
pub(super) struct Robots {
    clock: Clock,
    known: Mutex<HashMap<String, Known>>,
}

#[derive(Clone)]
struct Known {
    rules: Arc<Rules>,
    at: DateTime<Utc>,
}

impl Robots {
    /// Nothing is known.
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, known: Mutex::default() }
    }

    fn get(&self, site: &str) -> Option<Arc<Rules>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.get(site)?;
        (self.clock.now() < found.at + COUNTS).then(|| Arc::clone(&found.rules))
    }

    /// Remembers an answer, and forgets the oldest ones for it.
    fn put(&self, site: String, rules: &Arc<Rules>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(site, Known { rules: Arc::clone(rules), at: self.clock.now() });
        let mut taken: usize = known.values().map(|known| known.rules.bytes() + EACH).sum();
        while taken > MOST_MEMORY
            && let Some(oldest) = known.iter().min_by_key(|(_, known)| known.at).map(|(site, _)| site.clone())
        {
            taken -= known.remove(&oldest).map_or(0, |known| known.rules.bytes() + EACH);
        }
    }
}

impl Fetching {
    /// Does its site let us read this?
    pub(super) async fn allowed_by_robots(&self, url: &Url) -> Result<bool, Problem> {
        let site = url.origin().ascii_serialization();
        if let Some(rules) = self.robots.get(&site) {
            return Ok(rules.allow(url));
        }
        let rules = Arc::new(self.rules(url).await?);
        self.robots.put(site, &rules);
        Ok(rules.allow(url))
    }

    /// Fetches what a site says. One that has nothing to say allows everything; of one that cannot say it now, nothing is read.
    async fn rules(&self, url: &Url) -> Result<Rules, Problem> {
        let mut at = url.join("/robots.txt").map_err(|e| Problem::Unusable(format!("has no site ({e})")))?;
        for _ in 0..=MOST_REDIRECTS {
            self.check(&at)
                .map_err(|why| Problem::Unusable(format!("has a robots.txt at {at}, which {why}")))?;
            let request = self.client.get(at.clone()).header(ACCEPT_ENCODING, "identity");
            let response = request.send().await.map_err(|error| failure(&error.without_url()))?;
            match response.status() {
                status if status.is_success() => return start(response).await.map(|file| Rules::read(&file)),
                status if status.is_redirection() => {
                    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
                    match location.and_then(|location| at.join(location).ok()) {
                        Some(next) => at = next,
                        None => return Ok(Rules::default()),
                    }
                }
                status if status.is_client_error() => return Ok(Rules::default()),
                status => return Err(away(url, status)),
            }
        }
        Ok(Rules::default())
    }
}

fn away(url: &Url, status: StatusCode) -> Problem {
    let host = url.host_str().unwrap_or_default();
    Problem::Away(format!("was not read: the robots.txt of {host}, which may forbid it, answered {status}"))
}

/// As much of the body as counts.
async fn start(mut response: reqwest::Response) -> Result<Vec<u8>, Problem> {
    let mut file = Vec::new();
    while file.len() < READ {
        let Some(chunk) = response.chunk().await.map_err(|error| failure(&error.without_url()))? else {
            break;
        };
        file.extend_from_slice(&chunk);
    }
    file.truncate(READ);
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(count: usize) -> Arc<Rules> {
        let lines: String = (0..count).map(|n| format!("Disallow: /{n}\n")).collect();
        Arc::new(Rules::read(format!("User-agent: *\n{lines}").as_bytes()))
    }

    #[test]
    fn an_answer_counts_for_an_hour() {
        let robots = Robots::new(Clock::system());
        robots.put("https://a.example".to_owned(), &rules(1));
        robots.clock.advance(COUNTS - Duration::from_secs(1));
        assert!(robots.get("https://a.example").is_some() && robots.get("https://b.example").is_none());
        robots.clock.advance(Duration::from_secs(2));
        assert!(robots.get("https://a.example").is_none());
    }

    #[test]
    fn the_oldest_answers_make_room_for_new_ones() {
        let robots = Robots::new(Clock::system());
        let large = rules(20_000);
        for n in 0..100 {
            robots.clock.advance(Duration::from_secs(1));
            robots.put(format!("https://{n}.example"), &large);
        }
        let known = robots.known.lock().unwrap();
        assert!(known.len() > 5 && known.len() * large.bytes() <= MOST_MEMORY, "{}", known.len());
        assert!(known.contains_key("https://99.example") && !known.contains_key("https://0.example"));
    }
}
