//! Fixed windows of one minute: per key on everything that needs one, per client address on `/auth/*` and for keys that are
//! wrong, per client address on what is asked of apps. Counted by each replica for itself.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::{HttpMessage as _, HttpRequest};
use common::clock::Clock;
use ipnet::IpNet;

use crate::config::Config;
use crate::domain::app_limits::{AppLimits, Asking};
use crate::domain::window::{Quota, Windows};
use crate::error::ApiError;
use crate::identity::credential::Subject;

/// Counts requests. Cloning shares the counters.
#[derive(Clone)]
pub(crate) struct Limits(Arc<Inner>);

struct Inner {
    limited: bool,
    per_key: u32,
    per_address: u32,
    per_app: AppLimits,
    trusted: Vec<IpNet>,
    clock: Clock,
    subjects: Mutex<Windows<Subject>>,
    addresses: Mutex<Windows<IpAddr>>,
    wrong_keys: Mutex<Windows<IpAddr>>,
    asking: Mutex<Windows<(Asking, IpAddr)>>,
}

/// What limits all but apps are called.
const DEFAULT: &str = "default";

/// What is left of the windows that a request was counted in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Quotas(pub(crate) Vec<Quota>);

impl Limits {
    /// As the settings say.
    pub(crate) fn new(config: &Config, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            limited: config.limited,
            per_key: config.per_key,
            per_address: config.per_address,
            per_app: config.per_app,
            trusted: config.trusted_proxies.clone(),
            clock,
            subjects: Mutex::default(),
            addresses: Mutex::default(),
            wrong_keys: Mutex::default(),
            asking: Mutex::default(),
        }))
    }

    /// Counts a request of a key or a user.
    ///
    /// # Errors
    /// 429 when no more fit into this minute.
    pub(crate) fn count_subject(&self, request: &HttpRequest, subject: Subject) -> Result<(), ApiError> {
        self.count(request, &self.0.subjects, (DEFAULT, subject), self.0.per_key)
    }

    /// Counts a request of a client address.
    ///
    /// # Errors
    /// 429 when no more fit into this minute.
    pub(crate) fn count_address(&self, request: &HttpRequest) -> Result<(), ApiError> {
        let Some(address) = self.address(request) else { return Ok(()) };
        self.count(request, &self.0.addresses, (DEFAULT, address), self.0.per_address)
    }

    /// Counts a wrong key of a client address. Right ones pass all the same: others may sit behind that address.
    ///
    /// # Errors
    /// 429 when no more fit into this minute.
    pub(crate) fn count_wrong_key(&self, request: &HttpRequest) -> Result<(), ApiError> {
        let Some(address) = self.address(request) else { return Ok(()) };
        self.count(request, &self.0.wrong_keys, (DEFAULT, address), self.0.per_address)
    }

    /// Counts something that a client address asks of apps.
    ///
    /// # Errors
    /// 429 when no more fit into this minute.
    pub(crate) fn count_asking(&self, request: &HttpRequest, asking: Asking) -> Result<(), ApiError> {
        let Some(address) = self.address(request) else { return Ok(()) };
        let limit = self.0.per_app.per_address(asking);
        self.count(request, &self.0.asking, (asking.name(), (asking, address)), limit)
    }

    /// How often an app may be asked in an hour, if that is limited.
    pub(crate) fn per_app(&self, asking: Asking) -> Option<u32> {
        if self.0.limited { self.0.per_app.per_app(asking) } else { None }
    }

    /// Heeds what is left of a window; it is told in the answer.
    ///
    /// # Errors
    /// 429 when nothing was.
    pub(crate) fn heed(request: &HttpRequest, quota: Quota) -> Result<(), ApiError> {
        let mut extensions = request.extensions_mut();
        match extensions.get_mut::<Quotas>() {
            Some(Quotas(known)) => {
                known.retain(|other| other.name != quota.name);
                known.push(quota);
            }
            None => drop(extensions.insert(Quotas(vec![quota]))),
        }
        if quota.exceeded { Err(ApiError::rate_limited(quota.reset)) } else { Ok(()) }
    }

    /// The address that a request comes from.
    pub(crate) fn client(&self, request: &HttpRequest) -> Option<IpAddr> {
        let peer = request.peer_addr()?;
        let forwarded = request.headers().get_all("x-forwarded-for").filter_map(|v| v.to_str().ok());
        let entries: Vec<&str> = forwarded.flat_map(|v| v.split(',')).map(str::trim).collect();
        Some(client(peer.ip(), &entries, &self.0.trusted))
    }

    /// Whom a request is counted for.
    fn address(&self, request: &HttpRequest) -> Option<IpAddr> {
        self.client(request).map(network)
    }

    fn count<K: std::hash::Hash + Eq>(
        &self,
        request: &HttpRequest,
        windows: &Mutex<Windows<K>>,
        (name, key): (&'static str, K),
        limit: u32,
    ) -> Result<(), ApiError> {
        if !self.0.limited {
            return Ok(());
        }
        let now = self.0.clock.now().timestamp();
        let quota = windows.lock().unwrap_or_else(PoisonError::into_inner).count(name, key, limit, now);
        Self::heed(request, quota)
    }
}

/// The client's address: the peer's, and behind trusted proxies what the last one that is not trusted was seen as. Read
/// from the right: what stands further left was written by whoever it claims to name.
fn client(peer: IpAddr, forwarded: &[&str], trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    let mut address = peer.to_canonical();
    for entry in forwarded.iter().rev() {
        if !is_trusted(&address) {
            break;
        }
        let Some(seen) = parse(entry) else { break };
        address = seen;
    }
    address
}

/// An entry of `X-Forwarded-For`, with or without a port.
fn parse(entry: &str) -> Option<IpAddr> {
    let bare = entry.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse().ok().or_else(|| entry.parse::<SocketAddr>().ok().map(|s| s.ip()))?;
    Some(address.to_canonical())
}

/// Whom an address stands for: an IPv6 user has a whole /64.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) >> 64 << 64).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn forwarded_addresses_are_believed_only_as_far_as_proxies_are_trusted() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let entries = ["1.1.1.1", "2.2.2.2", "10.0.0.2"];
        assert_eq!(client(ip("9.9.9.9"), &entries, &trusted), ip("9.9.9.9"));
        assert_eq!(client(ip("10.0.0.1"), &entries, &trusted), ip("2.2.2.2"));
        assert_eq!(client(ip("10.0.0.1"), &[], &trusted), ip("10.0.0.1"));
        assert_eq!(client(ip("10.0.0.1"), &["2.2.2.2", "junk"], &trusted), ip("10.0.0.1"));
        assert_eq!(client(ip("::ffff:10.0.0.1"), &["2.2.2.2:443"], &trusted), ip("2.2.2.2"));
        assert_eq!(client(ip("10.0.0.1"), &["[2001:db8::1]:443"], &trusted), ip("2001:db8::1"));
        assert_eq!(client(ip("10.0.0.1"), &entries, &[]), ip("10.0.0.1"));
    }

    #[test]
    fn an_ipv6_user_counts_once_with_all_addresses_of_the_network() {
        assert_eq!(network(ip("2001:db8:1:2:3::4")), network(ip("2001:db8:1:2::9")));
        assert_ne!(network(ip("2001:db8:1:2::")), network(ip("2001:db8:1:3::")));
    }
}
