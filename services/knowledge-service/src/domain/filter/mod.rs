//! What of a model's words may be shown. A model that was talked into something by a document must not draw images, write HTML, link
//! to strangers, cite what is not there, or tell what it was told: its words go through here, a character at a time, so that it
//! does not matter in which pieces they come. What comes out goes through unchanged.

mod addresses;
mod brackets;
mod canary;

use addresses::Addresses;
use brackets::Brackets;
use canary::Canary;

/// What an answer may name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Allowed {
    /// `[1]` to this one.
    pub(crate) sources: usize,
    /// In lower case. Links lead to these only.
    pub(crate) hosts: Vec<String>,
}

/// The answer repeats what nobody outside may know: it is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leak;

/// Filters one answer.
pub(crate) struct Filter {
    heard: Canary,
    brackets: Brackets,
    addresses: Addresses,
    /// What was harmless in pieces may have been put together by what was left out.
    said: Canary,
}

impl Filter {
    pub(crate) fn new(allowed: &Allowed, canary: &str) -> Self {
        Self {
            heard: Canary::new(canary),
            brackets: Brackets::new(allowed.clone()),
            addresses: Addresses::new(allowed.hosts.clone()),
            said: Canary::new(canary),
        }
    }

    /// The next piece: what may be shown now.
    pub(crate) fn push(&mut self, piece: &str) -> Result<String, Leak> {
        let heard = self.heard.push(piece)?;
        self.show(&heard)
    }

    /// The end: what was still held back.
    pub(crate) fn finish(mut self) -> Result<String, Leak> {
        let heard = self.heard.rest();
        let mut shown = self.show(&heard)?;
        let rest = self.brackets.rest();
        let mut last = self.addresses.push(&rest);
        last.push_str(&self.addresses.rest());
        shown.push_str(&self.said.push(&last)?);
        shown.push_str(&self.said.rest());
        Ok(shown)
    }

    fn show(&mut self, text: &str) -> Result<String, Leak> {
        let text = self.brackets.push(text);
        self.said.push(&self.addresses.push(&text))
    }
}

/// Whether a link may lead there: to a host that is allowed, and nowhere by way of it.
fn is_allowed(url: &str, hosts: &[String]) -> bool {
    let lower = url.to_lowercase();
    let Some(rest) = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://")) else {
        return false;
    };
    if rest.contains("://") {
        return false;
    }
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let bare = authority.trim_end_matches(|c: char| !c.is_alphanumeric());
    let host = match bare.rsplit_once(':') {
        Some((host, port)) if port.chars().all(|c| c.is_ascii_digit()) => host,
        _ => bare,
    };
    hosts.iter().any(|allowed| allowed == host)
}

/// The host of an address, in lower case.
pub(crate) fn host(url: &str) -> Option<String> {
    let lower = url.to_lowercase();
    let rest = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"))?;
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host = authority.split(':').next()?;
    (!host.is_empty() && !authority.contains('@')).then(|| host.to_owned())
}

#[cfg(test)]
mod tests;
