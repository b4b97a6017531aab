//! Access and refresh tokens: JWT, HS256, signed with the active key of `ECHO_JWT_KEYS` and accepted from all of them.

use chrono::{DateTime, TimeDelta, Utc};
use common::crypto::KeyRing;
use contracts::ids::UserId;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const ACCESS_LIFE: TimeDelta = TimeDelta::hours(1);
const REFRESH_LIFE: TimeDelta = TimeDelta::days(30);
/// How long EchoLink's token is good; it has no refresh token.
pub(crate) const LINK_LIFE: TimeDelta = TimeDelta::days(1);

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Use {
    /// Accepted wherever a key is.
    Access,
    /// Gives new tokens.
    Refresh,
    /// Accepted by EchoLink's operations.
    Link,
}

impl Use {
    /// For whose operations it was made.
    const fn audience(self) -> &'static str {
        match self {
            Self::Access | Self::Refresh => "echo",
            Self::Link => "echolink",
        }
    }
}

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    /// The user.
    pub(crate) sub: Uuid,
    /// The user's address.
    pub(crate) email: String,
    /// When it was made, seconds.
    pub(crate) iat: i64,
    /// From when on it is refused, seconds.
    pub(crate) exp: i64,
    /// `echo`, or `echolink`.
    pub(crate) aud: String,
    /// The token's own id.
    pub(crate) jti: Uuid,
    /// What it is good for.
    pub(crate) typ: Use,
    /// The session that it belongs to: what says on behalf of which business, and whether it still counts.
    pub(crate) sid: SessionId,
}

/// A login and everything that descends from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct SessionId(pub(crate) Uuid);

impl From<SessionId> for Uuid {
    fn from(id: SessionId) -> Self {
        id.0
    }
}

/// For whom tokens are made.
#[derive(Clone, Debug)]
pub(crate) struct Holder {
    /// The user.
    pub(crate) user: UserId,
    /// The user's address.
    pub(crate) email: String,
    /// The session.
    pub(crate) session: SessionId,
}

/// Tokens as they are given out.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    /// Good for an hour.
    pub(crate) access: String,
    /// Good for thirty days.
    pub(crate) refresh: String,
    /// The refresh token's id.
    pub(crate) refresh_id: Uuid,
    /// Until when the refresh token is good.
    pub(crate) refresh_expires: DateTime<Utc>,
}

/// Makes and reads tokens.
#[derive(Clone)]
pub(crate) struct Tokens(KeyRing);

impl Tokens {
    /// With these keys.
    pub(crate) const fn new(keys: KeyRing) -> Self {
        Self(keys)
    }

    /// A pair for one who has just proved who they are.
    ///
    /// # Errors
    /// When the signing library refuses.
    pub(crate) fn issue(&self, holder: &Holder, now: DateTime<Utc>) -> Result<Pair, String> {
        let (access, refresh) =
            (claims(holder, Use::Access, now, ACCESS_LIFE), claims(holder, Use::Refresh, now, REFRESH_LIFE));
        Ok(Pair {
            access: self.sign(&access)?,
            refresh: self.sign(&refresh)?,
            refresh_id: refresh.jti,
            refresh_expires: now + REFRESH_LIFE,
        })
    }

    /// EchoLink's token, for one who has just proved who they are.
    ///
    /// # Errors
    /// When the signing library refuses.
    pub(crate) fn issue_link(&self, holder: &Holder, now: DateTime<Utc>) -> Result<String, String> {
        self.sign(&claims(holder, Use::Link, now, LINK_LIFE))
    }

    fn sign(&self, claims: &Claims) -> Result<String, String> {
        let key = self.0.active();
        let header = Header { kid: Some(key.id.clone()), ..Header::new(Algorithm::HS256) };
        jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(&key.bytes))
            .map_err(|e| e.to_string())
    }

    /// Whether a token was made here for this use, at any time.
    pub(crate) fn was_for(&self, token: &str, wanted: Use) -> bool {
        self.read(token, wanted, DateTime::UNIX_EPOCH).is_some()
    }

    /// What a token says, if it was made here, for this use, and has not run out at `now`. The algorithm is ours, whatever
    /// the token names (RFC 8725, section 3.1).
    pub(crate) fn read(&self, token: &str, wanted: Use, now: DateTime<Utc>) -> Option<Claims> {
        let kid = jsonwebtoken::decode_header(token).ok()?.kid?;
        let key = self.0.find(&kid)?;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[wanted.audience()]);
        validation.set_required_spec_claims(&["aud", "exp", "sub"]);
        validation.validate_exp = false; // by our own clock, below
        let claims =
            jsonwebtoken::decode::<Claims>(token, &DecodingKey::from_secret(&key.bytes), &validation)
                .ok()?
                .claims;
        (claims.typ == wanted && claims.exp > now.timestamp()).then_some(claims)
    }
}

fn claims(holder: &Holder, typ: Use, now: DateTime<Utc>, life: TimeDelta) -> Claims {
    Claims {
        sub: holder.user.into(),
        email: holder.email.clone(),
        iat: now.timestamp(),
        exp: (now + life).timestamp(),
        aud: typ.audience().to_owned(),
        jti: Uuid::now_v7(),
        typ,
        sid: holder.session,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RING: &str = "k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    const OTHER: &str = "k1:MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=";

    fn tokens(ring: &str) -> Tokens {
        Tokens::new(KeyRing::parse(ring).unwrap())
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn holder() -> Holder {
        let session = SessionId(Uuid::now_v7());
        Holder { user: UserId::new(), email: "you@example.com".to_owned(), session }
    }

    fn pair() -> Pair {
        tokens(RING).issue(&holder(), now()).unwrap()
    }

    #[test]
    fn echolinks_token_is_good_there_for_a_day_and_nowhere_else() {
        let tokens = tokens(RING);
        let token = tokens.issue_link(&holder(), now()).unwrap();
        assert_eq!(tokens.read(&token, Use::Link, now()).unwrap().aud, "echolink");
        assert!(tokens.read(&token, Use::Access, now()).is_none());
        assert!(tokens.read(&token, Use::Refresh, now()).is_none());
        assert!(tokens.read(&pair().access, Use::Link, now()).is_none());
        assert!(tokens.read(&token, Use::Link, now() + TimeDelta::seconds(86_399)).is_some());
        assert!(tokens.read(&token, Use::Link, now() + TimeDelta::seconds(86_400)).is_none());
    }

    #[test]
    fn a_token_is_good_for_its_own_use_and_until_it_runs_out() {
        let (tokens, pair) = (tokens(RING), pair());
        assert_eq!(tokens.read(&pair.access, Use::Access, now()).unwrap().email, "you@example.com");
        assert!(tokens.read(&pair.access, Use::Refresh, now()).is_none());
        assert!(tokens.read(&pair.refresh, Use::Access, now()).is_none());
        assert!(tokens.read(&pair.access, Use::Access, now() + TimeDelta::seconds(3599)).is_some());
        assert!(tokens.read(&pair.access, Use::Access, now() + TimeDelta::seconds(3600)).is_none());
        assert!(tokens.read(&pair.refresh, Use::Refresh, now() + TimeDelta::days(29)).is_some());
    }

    #[test]
    fn a_token_of_another_key_or_another_algorithm_or_another_audience_is_refused() {
        let (tokens, pair) = (tokens(RING), pair());
        assert!(super::tests::tokens(OTHER).read(&pair.access, Use::Access, now()).is_none());
        assert!(tokens.read("", Use::Access, now()).is_none());
        assert!(tokens.read("a.b.c", Use::Access, now()).is_none());
        let key = EncodingKey::from_secret(&tokens.0.active().bytes);
        let mut claims = tokens.read(&pair.access, Use::Access, now()).unwrap();
        let signed = |algorithm, claims: &Claims| {
            let header = Header { kid: Some("k1".to_owned()), ..Header::new(algorithm) };
            jsonwebtoken::encode(&header, claims, &key).unwrap()
        };
        assert!(tokens.read(&signed(Algorithm::HS384, &claims), Use::Access, now()).is_none());
        assert!(tokens.read(&signed(Algorithm::HS256, &claims), Use::Access, now()).is_some());
        claims.aud = "echolink".to_owned();
        assert!(tokens.read(&signed(Algorithm::HS256, &claims), Use::Access, now()).is_none());
    }

    #[test]
    fn a_token_stays_good_after_the_ring_was_rotated() {
        let rotated = tokens(&format!("k2:MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=,{RING}"));
        assert!(rotated.read(&pair().access, Use::Access, now()).is_some());
    }
}
