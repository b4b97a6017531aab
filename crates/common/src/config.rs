//! Settings: `ECHO_*` variables, then a TOML file, then documented defaults. The one place that reads the environment.
//!
//! A service asks for its settings by name when it is built ([`Settings::get`]); what was asked for, with its value and
//! where it came from, is what `--print-config` shows, secrets masked.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

/// A setting that is wrong or missing. The text names it and says what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {problem}")]
pub struct ConfigError {
    /// The setting.
    pub name: String,
    /// What is wrong with it and what would be right.
    pub problem: String,
}

impl ConfigError {
    /// `name` is wrong because of `problem`.
    pub fn new(name: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { name: name.into(), problem: problem.into() }
    }
}

/// A value that must not be seen: prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value, for the one place that uses it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[derive(Clone)]
struct Asked {
    shown: String,
    source: &'static str,
}

/// The merged settings.
#[derive(Default)]
pub struct Settings {
    environment: BTreeMap<String, String>,
    file: BTreeMap<String, String>,
    /// What the program itself has settled, by name.
    settled: BTreeMap<&'static str, String>,
    rehearsal: bool,
    asked: Mutex<BTreeMap<&'static str, Asked>>,
}

/// Variables that are read beside `ECHO_*`.
const OTHERS: [&str; 4] = ["OPENAI_API_KEY", "OPENAI_BASE_URL", "XDG_DATA_HOME", "HOME"];

impl Settings {
    /// The environment, and `file` below it.
    ///
    /// # Errors
    /// When the file cannot be read or is no TOML of plain values.
    #[expect(clippy::disallowed_methods, reason = "this is the place that may")]
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let environment = std::env::vars()
            .filter(|(k, _)| k.starts_with("ECHO_") || OTHERS.contains(&k.as_str()))
            .collect();
        let file = file.map_or_else(|| Ok(BTreeMap::new()), read_file)?;
        Ok(Self { environment, file, ..Self::default() })
    }

    /// Settings from pairs, as if they came from the environment. For tests and for programs that start Echo inside.
    pub fn from_pairs<K: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        let environment = pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
        Self { environment, ..Self::default() }
    }

    /// Fixes a setting to what it turned out to be, such as the port that was really bound.
    pub fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.settled.insert(name, value.into());
    }

    /// The same, only to be looked at: who makes something for the first start leaves it now.
    #[must_use]
    pub fn rehearsing(self) -> Self {
        Self { rehearsal: true, ..self }
    }

    /// Whether nothing is to be made, opened or started with these settings.
    #[must_use]
    pub const fn is_rehearsal(&self) -> bool {
        self.rehearsal
    }

    fn raw(&self, name: &str) -> Option<(&str, &'static str)> {
        let found = self.environment.get(name).map(|v| (v, "environment"));
        let found = found.or_else(|| self.file.get(name).map(|v| (v, "file")));
        let source = found.map_or("default", |(_, source)| source);
        let found = self.settled.get(name).map(|v| (v, source)).or(found);
        found.map(|(v, source)| (v.trim(), source)).filter(|(v, _)| !v.is_empty())
    }

    fn note(&self, name: &'static str, shown: String, source: &'static str) {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(name, Asked { shown, source });
    }

    /// The setting, or its default.
    ///
    /// # Errors
    /// When the value is not of its type.
    pub fn get<T: FromStr<Err: fmt::Display> + fmt::Display>(
        &self,
        name: &'static str,
        default: T,
    ) -> Result<T, ConfigError> {
        match self.optional(name)? {
            Some(value) => Ok(value),
            None => {
                self.note(name, default.to_string(), "default");
                Ok(default)
            }
        }
    }

    /// The setting, if it is given.
    ///
    /// # Errors
    /// When the value is not of its type.
    pub fn optional<T: FromStr<Err: fmt::Display> + fmt::Display>(
        &self,
        name: &'static str,
    ) -> Result<Option<T>, ConfigError> {
        let Some((text, source)) = self.raw(name) else {
            self.note(name, String::new(), "default");
            return Ok(None);
        };
        let value: T =
            text.parse().map_err(|e| ConfigError::new(name, format!("`{text}` cannot be used: {e}")))?;
        self.note(name, value.to_string(), source);
        Ok(Some(value))
    }

    /// A secret, if it is given.
    #[must_use]
    pub fn secret(&self, name: &'static str) -> Option<Secret> {
        let raw = self.raw(name);
        self.note(
            name,
            raw.map_or_else(String::new, |_| "***".to_owned()),
            raw.map_or("default", |(_, s)| s),
        );
        raw.map(|(text, _)| Secret::new(text))
    }

    /// A comma-separated list; empty when it is not given.
    ///
    /// # Errors
    /// When an item is not of its type.
    pub fn list<T: FromStr<Err: fmt::Display>>(&self, name: &'static str) -> Result<Vec<T>, ConfigError> {
        let (text, source) = self.raw(name).unwrap_or(("", "default"));
        self.note(name, text.to_owned(), source);
        text.split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(|item| {
                item.parse().map_err(|e| ConfigError::new(name, format!("`{item}` cannot be used: {e}")))
            })
            .collect()
    }

    /// Where files are kept: `ECHO_DATA_DIR`, else `$XDG_DATA_HOME/echo`, else `~/.local/share/echo`.
    ///
    /// # Errors
    /// When none of the three can be made out.
    pub fn data_dir(&self) -> Result<PathBuf, ConfigError> {
        let home = || self.raw("HOME").map(|(home, _)| format!("{home}/.local/share"));
        let share = self.raw("XDG_DATA_HOME").map(|(dir, _)| dir.to_owned()).or_else(home);
        match (self.raw("ECHO_DATA_DIR"), share) {
            (Some((dir, source)), _) => {
                self.note("ECHO_DATA_DIR", dir.to_owned(), source);
                Ok(PathBuf::from(dir))
            }
            (None, Some(share)) => {
                let dir = Path::new(&share).join("echo");
                self.note("ECHO_DATA_DIR", dir.display().to_string(), "default");
                Ok(dir)
            }
            (None, None) => {
                Err(ConfigError::new("ECHO_DATA_DIR", "set it to a folder that Echo may write to"))
            }
        }
    }

    /// Every setting that was asked for, with its value and where it came from; secrets masked.
    #[must_use]
    pub fn printed(&self) -> String {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().fold(String::new(), |mut out, (name, asked)| {
            let _ = writeln!(out, "{name} = \"{}\"  # {}", asked.shown, asked.source);
            out
        })
    }
}

/// A TOML file of `ECHO_NAME = value` lines.
fn read_file(path: &Path) -> Result<BTreeMap<String, String>, ConfigError> {
    let problem = |e: String| ConfigError::new("--config", format!("{}: {e}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| problem(e.to_string()))?;
    let table: toml::Table = text.parse().map_err(|e: toml::de::Error| problem(e.to_string()))?;
    table
        .into_iter()
        .map(|(name, value)| match value {
            toml::Value::String(text) => Ok((name, text)),
            toml::Value::Table(_) | toml::Value::Array(_) | toml::Value::Datetime(_) => Err(problem(
                format!("{name}: give a text, a number or true/false (lists: one text with commas)"),
            )),
            plain => Ok((name, plain.to_string())),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_value_is_named_with_its_setting() {
        let settings = Settings::from_pairs([("ECHO_HTTP_ADDR", "here")]);
        let error = settings.optional::<std::net::SocketAddr>("ECHO_HTTP_ADDR").unwrap_err();
        assert!(error.to_string().starts_with("ECHO_HTTP_ADDR: `here` cannot be used"), "{error}");
    }

    #[test]
    fn the_environment_wins_over_the_file_and_the_file_over_the_default() {
        let mut settings = Settings::from_pairs([("ECHO_A", "1")]);
        settings.file = BTreeMap::from([("ECHO_A".into(), "2".into()), ("ECHO_B".into(), "3".into())]);
        assert_eq!(settings.get("ECHO_A", 0), Ok(1));
        assert_eq!(settings.get("ECHO_B", 0), Ok(3));
        assert_eq!(settings.get("ECHO_C", 4), Ok(4));
    }

    #[test]
    fn a_secret_is_printed_masked() {
        let settings = Settings::from_pairs([("ECHO_TWILIO_AUTH_TOKEN", "verysecret")]);
        let secret = settings.secret("ECHO_TWILIO_AUTH_TOKEN").unwrap();
        assert_eq!(secret.reveal(), "verysecret");
        assert!(!settings.printed().contains("verysecret"));
        assert!(!format!("{secret:?}").contains("verysecret"));
    }
}
