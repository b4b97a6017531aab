//! The sandbox carrier's account: made on the first start, kept in the data folder for ever.

use std::path::Path;

use common::config::{ConfigError, Settings};
use twilio::AccountSid;

/// Fills in what is not set: the carrier, and the sandbox's account.
pub(crate) fn prepare(settings: &mut Settings) -> Result<(), ConfigError> {
    let carrier = settings.get("ECHO_CARRIER", "sandbox".to_owned())?;
    settings.set("ECHO_CARRIER", carrier);
    let sid: Option<String> = settings.optional("ECHO_SANDBOX_ACCOUNT_SID")?;
    if sid.is_some() {
        return Ok(()); // whoever names an account names its token, too
    }
    let file = settings.data_dir()?.join("sandbox.account");
    if settings.is_rehearsal() && !file.exists() {
        // Made on the first start; until then it only has the right form.
        settings.set("ECHO_SANDBOX_ACCOUNT_SID", format!("AC{}", "0".repeat(32)));
        settings.set("ECHO_SANDBOX_AUTH_TOKEN", "0".repeat(32));
        return Ok(());
    }
    let problem = |e: std::io::Error| ConfigError::new("ECHO_DATA_DIR", format!("{}: {e}", file.display()));
    let text = kept(&file).map_err(problem)?;
    let (sid, token) = text.trim().split_once(':').ok_or_else(|| {
        ConfigError::new(
            "ECHO_DATA_DIR",
            format!("{} is damaged; remove it to make a new account", file.display()),
        )
    })?;
    settings.set("ECHO_SANDBOX_ACCOUNT_SID", sid);
    settings.set("ECHO_SANDBOX_AUTH_TOKEN", token);
    Ok(())
}

/// The account in the file, made if it is not there.
fn kept(file: &Path) -> std::io::Result<String> {
    common::crypto::kept_secret(file, || {
        let sid = AccountSid::random().map_err(std::io::Error::other)?;
        let token = common::crypto::random::<16>().map_err(std::io::Error::other)?;
        Ok(format!("{sid}:{}\n", hex::encode(token)))
    })
}
