//! Key rings: `id:base64,id:base64`; the first key is used for new things, all of them for old ones. The embedded default
//! makes its own on the first start and keeps them for ever in a file that only its user can read.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::config::{ConfigError, Settings};

/// A named key.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    /// Stands beside everything made with the key.
    pub id: String,
    /// 32 bytes.
    pub bytes: [u8; 32],
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({})", self.id)
    }
}

/// Keys for one purpose; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRing {
    active: Key,
    others: Vec<Key>,
}

impl KeyRing {
    /// Reads `id:base64,…`.
    ///
    /// # Errors
    /// What is wrong, without showing any key.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut keys = text.split(',').map(str::trim).filter(|k| !k.is_empty()).map(parse_key);
        let active = keys.next().ok_or("give at least one key as id:base64 (32 bytes)")??;
        Ok(Self { active, others: keys.collect::<Result<_, _>>()? })
    }

    /// The key for new things.
    #[must_use]
    pub const fn active(&self) -> &Key {
        &self.active
    }

    /// The key with this id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Key> {
        self.all().find(|k| k.id == id)
    }

    /// All keys, the active one first.
    pub fn all(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.active).chain(&self.others)
    }
}

fn parse_key(text: &str) -> Result<Key, String> {
    let (id, secret) = text.split_once(':').ok_or("write each key as id:base64")?;
    let valid_id = !id.is_empty() && id.len() <= 16 && id.bytes().all(|b| b.is_ascii_alphanumeric());
    if !valid_id {
        return Err("a key's id is 1 to 16 letters and digits".to_owned());
    }
    let bytes = BASE64.decode(secret).map_err(|_| format!("key {id}: not base64"))?;
    let bytes =
        bytes.try_into().map_err(|b: Vec<u8>| format!("key {id}: {} bytes, 32 are needed", b.len()))?;
    Ok(Key { id: id.to_owned(), bytes })
}

/// The rings of a process.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Seals secrets in tables.
    pub master: KeyRing,
    /// Signs access and refresh tokens.
    pub jwt: KeyRing,
}

impl Keys {
    /// Keys for a process that keeps nothing: gone when it ends.
    ///
    /// # Errors
    /// When the operating system has no random numbers.
    pub fn passing() -> Result<Self, ConfigError> {
        Ok(Self { master: passing_ring()?, jwt: passing_ring()? })
    }

    /// From `ECHO_MASTER_KEYS` and `ECHO_JWT_KEYS`; where they are absent and `own` names a folder, from files made there
    /// on the first start.
    ///
    /// # Errors
    /// Which setting is wrong or missing.
    pub fn load(settings: &Settings, own: Option<&Path>) -> Result<Self, ConfigError> {
        Ok(Self {
            master: ring(settings, "ECHO_MASTER_KEYS", own.map(|dir| dir.join("master.keys")))?,
            jwt: ring(settings, "ECHO_JWT_KEYS", own.map(|dir| dir.join("jwt.keys")))?,
        })
    }
}

fn passing_ring() -> Result<KeyRing, ConfigError> {
    let bytes = super::random().map_err(|e| ConfigError::new("random numbers", e.to_string()))?;
    Ok(KeyRing { active: Key { id: "k1".to_owned(), bytes }, others: Vec::new() })
}

fn ring(
    settings: &Settings,
    name: &'static str,
    file: Option<std::path::PathBuf>,
) -> Result<KeyRing, ConfigError> {
    let text = match (settings.secret(name), file) {
        (Some(secret), _) => secret.reveal().to_owned(),
        (None, Some(_)) if settings.is_rehearsal() => return passing_ring(),
        (None, Some(file)) => {
            kept(&file).map_err(|e| ConfigError::new(name, format!("{}: {e}", file.display())))?
        }
        (None, None) => {
            let how = "required; make one with: echo \"k1:$(head -c 32 /dev/urandom | base64)\"";
            return Err(ConfigError::new(name, how));
        }
    };
    KeyRing::parse(&text).map_err(|problem| ConfigError::new(name, problem))
}

/// The text of a key file, made if it is not there.
fn kept(file: &Path) -> std::io::Result<String> {
    super::kept_secret(file, || {
        let bytes = super::random::<32>().map_err(std::io::Error::other)?;
        Ok(format!("k1:{}\n", BASE64.encode(bytes)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_keys_are_made_once_and_only_their_user_may_read_them() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings::default();
        let first = Keys::load(&settings, Some(dir.path())).unwrap();
        let second = Keys::load(&settings, Some(dir.path())).unwrap();
        assert_eq!(first.master, second.master);
        assert_ne!(first.master.active().bytes, first.jwt.active().bytes);
        let mode = std::fs::metadata(dir.path().join("jwt.keys")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_missing_or_short_key_stops_the_start_and_names_the_setting() {
        let missing = Keys::load(&Settings::default(), None).unwrap_err();
        assert_eq!(missing.name, "ECHO_MASTER_KEYS");
        let short = Settings::from_pairs([("ECHO_MASTER_KEYS", "k1:c2hvcnQ=")]);
        assert!(Keys::load(&short, None).unwrap_err().problem.contains("32 are needed"));
    }
}
