//! The guard before every address that a tenant gives: private, loopback, link-local and other special networks are
//! refused, at the moment of dialling and on what the name resolves to then, so that a name that changes its mind gains
//! nothing. Redirects are not followed. `ECHO_EGRESS_ALLOW` opens networks; beside the sandbox carrier loopback is open.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Which networks may be dialled beside the public ones.
#[derive(Clone, Debug, Default)]
pub struct EgressPolicy {
    allowed: Arc<Vec<IpNet>>,
}

/// An address that must not be dialled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Neither http nor https, or without a host.
    #[error("`{0}` is not an http or https address with a host")]
    NotHttp(String),
    /// http where only https is allowed.
    #[error(
        "must start with https:// (http is only for addresses, not names, in networks that the operator has opened)"
    )]
    NotHttps,
    /// A special network.
    #[error("{0} is in a private, loopback or otherwise special network, which the operator has not opened")]
    Special(IpAddr),
    /// A name that stands for such an address. Which one it is, is nobody's business outside.
    #[error(
        "stands for an address in a private, loopback or otherwise special network, which the operator has not opened"
    )]
    SpecialName,
}

/// Where clouds tell a machine its credentials. No setting opens them.
const METADATA: [IpAddr; 3] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

impl EgressPolicy {
    /// The public networks and `allowed`.
    #[must_use]
    pub fn new(allowed: Vec<IpNet>) -> Self {
        Self { allowed: Arc::new(allowed) }
    }

    /// The same, with this machine itself opened: beside the sandbox carrier, for trying things out.
    #[must_use]
    pub fn with_loopback(&self) -> Self {
        let mut allowed = self.allowed.as_ref().clone();
        allowed.push(IpNet::from(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        allowed.push(IpNet::from(IpAddr::V6(Ipv6Addr::LOCALHOST)));
        Self::new(allowed)
    }

    /// True when the operator has opened a network with this address.
    #[must_use]
    pub fn opened(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        !METADATA.contains(&address) && self.allowed.iter().any(|net| net.contains(&address))
    }

    /// True when this address may be dialled.
    #[must_use]
    pub fn permits(&self, address: IpAddr) -> bool {
        self.opened(address) || !is_special(address)
    }

    /// Checks what can be checked before dialling: scheme, host, and the address where the host is one.
    ///
    /// # Errors
    /// Why the address must not be used.
    pub fn check(&self, url: &Url) -> Result<(), Refused> {
        let plain = url.scheme() == "http";
        match literal(url)? {
            Some(ip) if !self.permits(ip) => Err(Refused::Special(ip)),
            Some(ip) if plain && !self.opened(ip) => Err(Refused::NotHttps),
            // What a name stands for is only known when it is dialled, and the client does not tell http from https then.
            None if plain => Err(Refused::NotHttps),
            _ => Ok(()),
        }
    }

    /// The same for a page that is only read, where http is as good as https: nothing of ours is told there. What a name
    /// stands for is checked when it is dialled, by [`EgressPolicy::client`].
    ///
    /// # Errors
    /// Why the address must not be used.
    pub fn check_page(&self, url: &Url) -> Result<(), Refused> {
        match literal(url)? {
            Some(ip) if !self.permits(ip) => Err(Refused::Special(ip)),
            _ => Ok(()),
        }
    }

    /// A client that dials what this policy permits, follows no redirect and uses no proxy.
    ///
    /// # Errors
    /// When the TLS library cannot be set up.
    pub fn client(&self, connect: Duration, user_agent: &str) -> Result<reqwest::Client, reqwest::Error> {
        reqwest::Client::builder()
            .dns_resolver(Arc::new(GuardedDns(self.clone())))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(connect)
            .pool_max_idle_per_host(8)
            .user_agent(user_agent)
            .build()
    }
}

/// The address that stands in a URL over http or https; `None`: a name does.
fn literal(url: &Url) -> Result<Option<IpAddr>, Refused> {
    let not_http = || Refused::NotHttp(url.to_string());
    if !matches!(url.scheme(), "http" | "https") {
        return Err(not_http());
    }
    match url.host().ok_or_else(not_http)? {
        Host::Ipv4(ip) => Ok(Some(IpAddr::V4(ip))),
        Host::Ipv6(ip) => Ok(Some(IpAddr::V6(ip))),
        Host::Domain(name) if is_this_machine(name) => Ok(Some(IpAddr::V4(Ipv4Addr::LOCALHOST))),
        Host::Domain(_) => Ok(None),
    }
}

/// `localhost` and the names under it stand for this machine, whatever a resolver makes of them (RFC 6761).
fn is_this_machine(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name == "localhost" || name.ends_with(".localhost")
}

struct GuardedDns(EgressPolicy);

impl Resolve for GuardedDns {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.0.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let permitted: Vec<SocketAddr> =
                found.iter().copied().filter(|a| policy.permits(a.ip())).collect();
            match (permitted.is_empty(), found.first()) {
                (true, Some(_)) => Err(Refused::SpecialName.into()),
                _ => Ok(Box::new(permitted.into_iter()) as Addrs),
            }
        })
    }
}

/// Networks that are not the public internet (IANA's special-purpose registries), and IPv4 wrapped in IPv6.
fn is_special(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_special_v4(v4),
        IpAddr::V6(v6) => {
            let s = v6.segments();
            let embedded = match s {
                [0x64, 0xff9b, 0, 0, 0, 0, hi, lo] | [0x2002, hi, lo, ..] => Some((hi, lo)),
                [0x64, 0xff9b, 1, ..] => return true, // local-use NAT64, RFC 8215
                _ => None,
            };
            let wrapped = embedded.is_some_and(|(hi, lo)| {
                let [a, b] = hi.to_be_bytes();
                let [c, d] = lo.to_be_bytes();
                is_special_v4(Ipv4Addr::new(a, b, c, d))
            });
            let global_unicast = s[0] & 0xe000 == 0x2000 || s[0] == 0x64;
            wrapped || !global_unicast || matches!(s, [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..])
        }
    }
}

fn is_special_v4(v4: Ipv4Addr) -> bool {
    let [a, b, c, _] = v4.octets();
    v4.is_private()
        || v4.is_loopback()
        || v4.is_link_local()
        || v4.is_multicast()
        || v4.is_broadcast()
        || v4.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 198 && (18..20).contains(&b))
        || (a, b, c) == (192, 0, 0)
        || (a, b, c) == (192, 88, 99)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(policy: &EgressPolicy, url: &str) -> Result<(), Refused> {
        policy.check(&Url::parse(url).unwrap())
    }

    #[test]
    fn special_networks_are_refused_however_they_are_written() {
        let policy = EgressPolicy::default();
        for url in [
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://[::1]/",
            "https://10.0.0.1/",
            "https://169.254.169.254/",
            "https://[::ffff:192.168.1.1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[2002:7f00:1::]/",
            "https://100.64.0.1/",
            "https://[fc00::1]/",
            "https://[fe80::1]/",
            "https://localhost/",
            "https://localhost./",
            "https://any.localhost/",
            "https://0.0.0.0/",
        ] {
            assert!(matches!(check(&policy, url), Err(Refused::Special(_))), "{url}");
        }
        assert_eq!(check(&policy, "https://93.184.216.34/"), Ok(()));
        assert_eq!(check(&policy, "https://[2606:2800:220:1::1]/"), Ok(()));
        assert_eq!(check(&policy, "https://example.com/hook"), Ok(()));
    }

    #[test]
    fn what_tells_a_machine_its_credentials_is_opened_by_nothing() {
        let open = EgressPolicy::new(vec!["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()]);
        assert!(open.permits("10.0.0.1".parse().unwrap()));
        for metadata in ["169.254.169.254", "::ffff:169.254.169.254", "100.100.100.200", "fd00:ec2::254"] {
            assert!(!open.permits(metadata.parse().unwrap()), "{metadata}");
        }
    }

    #[test]
    fn plain_http_is_only_for_networks_that_the_operator_opened() {
        let closed = EgressPolicy::default();
        assert_eq!(check(&closed, "http://example.com/"), Err(Refused::NotHttps));
        let open = EgressPolicy::new(vec!["127.0.0.0/8".parse().unwrap()]);
        assert_eq!(check(&open, "http://127.0.0.1:9000/hook"), Ok(()));
        assert_eq!(check(&open, "http://localhost:9000/hook"), Ok(()));
        assert_eq!(check(&open, "http://example.com/"), Err(Refused::NotHttps));
        assert!(matches!(check(&open, "http://10.0.0.1/"), Err(Refused::Special(_))));
        assert!(matches!(check(&open, "ftp://127.0.0.1/"), Err(Refused::NotHttp(_))));
    }

    #[test]
    fn a_page_may_be_read_over_plain_http_but_in_no_special_network() {
        let check = |policy: &EgressPolicy, url: &str| policy.check_page(&Url::parse(url).unwrap());
        let closed = EgressPolicy::default();
        for url in ["http://example.com/", "https://example.com/", "http://93.184.216.34:8080/a"] {
            assert_eq!(check(&closed, url), Ok(()), "{url}");
        }
        for url in [
            "http://127.0.0.1/",
            "http://[::1]/",
            "http://0x7f000001/",
            "http://localhost/",
            "http://10.1.2.3/",
        ] {
            assert!(matches!(check(&closed, url), Err(Refused::Special(_))), "{url}");
        }
        for url in ["ftp://example.com/", "file:///etc/passwd", "data:text/plain,hi"] {
            assert!(matches!(check(&closed, url), Err(Refused::NotHttp(_))), "{url}");
        }
        let open = EgressPolicy::new(vec!["127.0.0.1/32".parse().unwrap()]);
        assert_eq!(check(&open, "http://localhost:8080/"), Ok(()));
        assert!(matches!(check(&open, "http://127.0.0.2/"), Err(Refused::Special(_))));
    }

    #[tokio::test]
    async fn a_name_that_resolves_to_a_special_address_is_refused_when_it_is_dialled() {
        let client = EgressPolicy::default().client(Duration::from_secs(1), "test").unwrap();
        let error = client.get("https://localhost:1/").send().await.unwrap_err();
        assert!(format!("{error:?}").contains("Special"), "{error:?}");
    }
}
