//! Connection overrides: what a callback URL's fragment tells Twilio about time limits and retries
//! (Twilio's docs, usage/webhooks/webhooks-connection-overrides). The fragment is neither sent nor signed.

use std::fmt;

/// The fragment for callback URLs of a replicated service, `#` included: two more attempts, also after a 5xx answer
/// or a read timeout, which is 4 s so that a dead replica costs the caller little silence.
pub const CALLBACK_FRAGMENT: &str = "#rc=2&rp=5xx,ct,rt&rt=4000";

/// Time limits and retries of one webhook. Times are in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionOverrides {
    /// `ct`: to connect, 100 to 10 000.
    pub connect_timeout_ms: u32,
    /// `rt`: to read the answer, 100 to 15 000.
    pub read_timeout_ms: u32,
    /// `tt`: everything together, 100 to 15 000.
    pub total_timeout_ms: u32,
    /// `rc`: attempts after the first, 0 to 5.
    pub retry_count: u8,
    /// `rp`: what is worth another attempt.
    pub retry_on: RetryOn,
}

/// The kinds of failure that are retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryOn {
    /// `4xx` answers.
    pub client_error: bool,
    /// `5xx` answers.
    pub server_error: bool,
    /// `ct`: no connection, TLS failures included.
    pub connect: bool,
    /// `rt`: no answer in time.
    pub read: bool,
}

impl ConnectionOverrides {
    /// What holds without a fragment: one more attempt, and only when no connection came about.
    pub const DEFAULT: Self = Self {
        connect_timeout_ms: 5_000,
        read_timeout_ms: 15_000,
        total_timeout_ms: 15_000,
        retry_count: 1,
        retry_on: RetryOn { client_error: false, server_error: false, connect: true, read: false },
    };

    /// What [`CALLBACK_FRAGMENT`] says.
    pub const CALLBACK: Self = Self {
        read_timeout_ms: 4_000,
        retry_count: 2,
        retry_on: RetryOn { client_error: false, server_error: true, connect: true, read: true },
        ..Self::DEFAULT
    };

    /// Reads a fragment, with or without `#`. What is unknown, malformed or out of range keeps its default.
    #[must_use]
    pub fn parse(fragment: &str) -> Self {
        let mut found = Self::DEFAULT;
        for (name, value) in
            fragment.trim_start_matches('#').split('&').filter_map(|pair| pair.split_once('='))
        {
            match name {
                "ct" => set(&mut found.connect_timeout_ms, value, 100, 10_000),
                "rt" => set(&mut found.read_timeout_ms, value, 100, 15_000),
                "tt" => set(&mut found.total_timeout_ms, value, 100, 15_000),
                "rc" => set(&mut found.retry_count, value, 0, 5),
                "rp" => found.retry_on = RetryOn::parse(value).unwrap_or(found.retry_on),
                _ => {}
            }
        }
        found
    }

    /// Splits a callback URL into the URL that is requested (and signed) and its overrides.
    #[must_use]
    pub fn split(url: &str) -> (&str, Self) {
        match url.split_once('#') {
            Some((url, fragment)) => (url, Self::parse(fragment)),
            None => (url, Self::DEFAULT),
        }
    }
}

fn set<T: std::str::FromStr + PartialOrd>(field: &mut T, value: &str, min: T, max: T) {
    if let Some(number) = value.parse::<T>().ok().filter(|number| *number >= min && *number <= max) {
        *field = number;
    }
}

impl RetryOn {
    fn parse(list: &str) -> Option<Self> {
        let mut found = Self { client_error: false, server_error: false, connect: false, read: false };
        for word in list.split(',').map(str::trim) {
            match word {
                "4xx" => found.client_error = true,
                "5xx" => found.server_error = true,
                "ct" => found.connect = true,
                "rt" => found.read = true,
                "all" => found = Self { client_error: true, server_error: true, connect: true, read: true },
                _ => return None,
            }
        }
        Some(found)
    }
}

impl fmt::Display for ConnectionOverrides {
    /// The fragment, with `#`, naming only what differs from the default; empty when nothing does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let default = Self::DEFAULT;
        let mut parts = Vec::new();
        if self.retry_count != default.retry_count {
            parts.push(format!("rc={}", self.retry_count));
        }
        if self.retry_on != default.retry_on {
            parts.push(format!("rp={}", self.retry_on));
        }
        for (name, own, usual) in [
            ("ct", self.connect_timeout_ms, default.connect_timeout_ms),
            ("rt", self.read_timeout_ms, default.read_timeout_ms),
            ("tt", self.total_timeout_ms, default.total_timeout_ms),
        ] {
            if own != usual {
                parts.push(format!("{name}={own}"));
            }
        }
        if parts.is_empty() { Ok(()) } else { write!(f, "#{}", parts.join("&")) }
    }
}

impl fmt::Display for RetryOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words =
            [(self.client_error, "4xx"), (self.server_error, "5xx"), (self.connect, "ct"), (self.read, "rt")];
        let named: Vec<&str> = words.iter().filter(|(on, _)| *on).map(|(_, word)| *word).collect();
        f.write_str(&named.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constant_fragment_and_the_constant_value_say_the_same() {
        assert_eq!(ConnectionOverrides::CALLBACK.to_string(), CALLBACK_FRAGMENT);
        assert_eq!(ConnectionOverrides::parse(CALLBACK_FRAGMENT), ConnectionOverrides::CALLBACK);
    }

    #[test]
    fn the_fragment_is_cut_from_the_url() {
        let (url, overrides) = ConnectionOverrides::split("https://example.com/v?x=1#rc=0&ct=1000");
        assert_eq!(url, "https://example.com/v?x=1");
        assert_eq!((overrides.retry_count, overrides.connect_timeout_ms), (0, 1_000));
        assert_eq!(ConnectionOverrides::split("https://example.com/").1, ConnectionOverrides::DEFAULT);
    }

    #[test]
    fn nonsense_and_values_out_of_range_keep_the_default() {
        let found = ConnectionOverrides::parse("#rc=9&ct=1&rt=15001&tt=abc&rp=6xx&e=ashburn&sni=n&x");
        assert_eq!(found, ConnectionOverrides::DEFAULT);
    }

    #[test]
    fn all_means_every_kind_of_failure() {
        let on = ConnectionOverrides::parse("rp=all").retry_on;
        assert!(on.client_error && on.server_error && on.connect && on.read);
    }
}
