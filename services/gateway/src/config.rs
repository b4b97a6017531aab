//! The gateway's settings.

use std::path::PathBuf;
use std::time::Duration;

use common::config::{ConfigError, Settings};
use ipnet::IpNet;
use url::Url;

use crate::domain::app_limits::{AppLimits, Pair};
use crate::domain::firebase::is_project;

/// Where Google publishes the keys that ID tokens of Firebase are signed with, as a JWK set.
const GOOGLE: &str =
    "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com";

/// What the gateway is told by its operator.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// How the world reaches the API, without a slash at the end.
    pub(crate) public_url: String,
    /// How the carrier reaches the voice paths, without a slash at the end.
    pub(crate) voice_url: String,
    /// Networks whose `X-Forwarded-For` is believed.
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// False: nothing is limited.
    pub(crate) limited: bool,
    /// Requests per minute and key.
    pub(crate) per_key: u32,
    /// Requests per minute and address on `/auth/*`.
    pub(crate) per_address: u32,
    /// What may be asked of apps.
    pub(crate) per_app: AppLimits,
    /// How long a body may take to arrive.
    pub(crate) body_deadline: Duration,
    /// Bridges that voice paths are forwarded to; none: they are not.
    pub(crate) bridges: Vec<Url>,
    /// Whose ID tokens are accepted at apps; none: nobody's.
    pub(crate) firebase: Option<FirebaseConfig>,
}

/// A Firebase project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FirebaseConfig {
    /// Its id.
    pub(crate) project: String,
    /// Where its keys are.
    pub(crate) keys: KeysAt,
}

/// Where a JWK set is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeysAt {
    /// Somewhere else.
    Address(Url),
    /// On this machine.
    File(PathBuf),
}

impl Config {
    /// Reads `ECHO_*` settings.
    ///
    /// # Errors
    /// Which one is wrong.
    pub(crate) fn load(settings: &Settings) -> Result<Self, ConfigError> {
        let address = settings.get("ECHO_HTTP_ADDR", "127.0.0.1:8080".to_owned())?;
        let public_url: Url = match settings.optional("ECHO_PUBLIC_URL")? {
            Some(url) => url,
            None => format!("http://{address}").parse().map_err(|e| {
                ConfigError::new(
                    "ECHO_HTTP_ADDR",
                    format!("`{address}` gives no address for ECHO_PUBLIC_URL: {e}"),
                )
            })?,
        };
        let voice_url: Url = settings.optional("ECHO_VOICE_URL")?.unwrap_or_else(|| public_url.clone());
        let limits = settings.get("ECHO_RATE_LIMITS", "on".to_owned())?;
        if !matches!(limits.as_str(), "on" | "off") {
            return Err(ConfigError::new("ECHO_RATE_LIMITS", "must be `on` (the default) or `off`"));
        }
        if limits == "off" {
            tracing::warn!(
                "ECHO_RATE_LIMITS=off: NOTHING IS LIMITED. For benchmarks only; never in production"
            );
        }
        Ok(Self {
            public_url: public_url.as_str().trim_end_matches('/').to_owned(),
            voice_url: voice_url.as_str().trim_end_matches('/').to_owned(),
            trusted_proxies: settings.list("ECHO_TRUSTED_PROXIES")?,
            limited: limits == "on",
            per_key: settings.get("ECHO_RATE_LIMIT_KEY", 3000)?,
            per_address: settings.get("ECHO_RATE_LIMIT_AUTH", 60)?,
            per_app: app_limits(settings)?,
            body_deadline: Duration::from_millis(settings.get("ECHO_BODY_DEADLINE_MS", 15_000)?),
            bridges: settings.list("ECHO_BRIDGE_URLS")?,
            firebase: firebase(settings)?,
        })
    }
}

/// Whose ID tokens are accepted at apps.
fn firebase(settings: &Settings) -> Result<Option<FirebaseConfig>, ConfigError> {
    let keys = keys_at(&settings.get("ECHO_FIREBASE_KEYS", GOOGLE.to_owned())?)?;
    let Some(project) = settings.optional::<String>("ECHO_FIREBASE_PROJECT_ID")? else { return Ok(None) };
    if !is_project(&project) {
        let problem = format!("`{project}` is no id of a Firebase project, such as my-project-1234");
        return Err(ConfigError::new("ECHO_FIREBASE_PROJECT_ID", problem));
    }
    Ok(Some(FirebaseConfig { project, keys }))
}

/// What has a scheme is an address; everything else is the path of a file.
fn keys_at(text: &str) -> Result<KeysAt, ConfigError> {
    if !text.contains("://") {
        return Ok(KeysAt::File(text.into()));
    }
    let wrong =
        |e| ConfigError::new("ECHO_FIREBASE_KEYS", format!("`{text}` is neither an address nor a path: {e}"));
    Ok(KeysAt::Address(text.parse().map_err(wrong)?))
}

/// What may be asked of apps.
fn app_limits(settings: &Settings) -> Result<AppLimits, ConfigError> {
    let pair = |address, app, usual: (u32, u32)| -> Result<Pair, ConfigError> {
        Ok(Pair { per_address: settings.get(address, usual.0)?, per_app: settings.get(app, usual.1)? })
    };
    Ok(AppLimits {
        query: pair("ECHO_RATE_LIMIT_QUERY", "ECHO_RATE_LIMIT_QUERY_APP", (60, 1000))?,
        ingest: pair("ECHO_RATE_LIMIT_INGEST", "ECHO_RATE_LIMIT_INGEST_APP", (10, 100))?,
        handover: pair("ECHO_RATE_LIMIT_HANDOVER", "ECHO_RATE_LIMIT_HANDOVER_APP", (5, 60))?,
        rest: settings.get("ECHO_RATE_LIMIT_APP", 120)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fact_3_2_the_limits_of_apps_are_the_documented_ones() {
        let limits = super::app_limits(&Settings::from_pairs([("", "")])).unwrap();
        let pair = |pair: Pair| (pair.per_address, pair.per_app);
        assert_eq!((pair(limits.query), pair(limits.ingest)), ((60, 1000), (10, 100)));
        assert_eq!(pair(limits.handover), (5, 60));
    }

    fn firebase(pairs: &[(&str, &str)]) -> Result<Option<FirebaseConfig>, ConfigError> {
        super::firebase(&Settings::from_pairs(pairs.iter().copied()))
    }

    #[test]
    fn firebase_is_off_until_its_project_is_named_and_its_keys_are_googles_unless_others_are() {
        assert_eq!(firebase(&[]).unwrap(), None);
        assert_eq!(firebase(&[("ECHO_FIREBASE_KEYS", "/etc/echo/keys.json")]).unwrap(), None);
        let (project, keys) = ("ECHO_FIREBASE_PROJECT_ID", "ECHO_FIREBASE_KEYS");
        let set = firebase(&[(project, "my-project")]).unwrap().unwrap();
        assert_eq!(
            set,
            FirebaseConfig {
                project: "my-project".to_owned(),
                keys: KeysAt::Address(GOOGLE.parse().unwrap())
            }
        );
        let set = firebase(&[(project, "my-project"), (keys, "keys.json")]).unwrap().unwrap();
        assert_eq!(set.keys, KeysAt::File("keys.json".into()));
        assert_eq!(firebase(&[(project, "my project")]).unwrap_err().name, project);
        assert_eq!(firebase(&[(project, "my-project"), (keys, "https://")]).unwrap_err().name, keys);
    }
}
