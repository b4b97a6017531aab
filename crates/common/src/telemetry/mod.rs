//! Logs: one JSON object a line on standard error, with request, trace, tenant and call ids, never a secret, a full number
//! or what was said.

mod mask;

use std::fmt;

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{ConfigError, Settings};
use mask::Masking;

/// The model server's client logs whole answers that it cannot read; they hold what customers said.
const MODEL_CLIENT: &str = "async_openai";
/// What reads pages and files logs what is odd in them: anybody's words, as many as anybody likes.
const FILE_READERS: [&str; 3] = ["lopdf", "html5ever", "selectors"];

/// Starts logging as `ECHO_LOG` says (default `info`; the syntax of `tracing`'s filters). A second call changes nothing.
///
/// # Errors
/// When the filter cannot be read.
pub fn start(settings: &Settings) -> Result<(), ConfigError> {
    // Already started: several Echos in one process share the first one's logging.
    let _ = subscriber(settings, std::io::stderr)?.try_init();
    Ok(())
}

/// What [`start`] starts, with another place for the lines to go.
///
/// # Errors
/// When the filter cannot be read.
pub fn subscriber<W>(settings: &Settings, writer: W) -> Result<impl Subscriber + Send + Sync, ConfigError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let json = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_writer(Masking(writer));
    Ok(tracing_subscriber::registry().with(filter(settings)?).with(json))
}

/// What is logged, as `ECHO_LOG` says.
pub(crate) fn filter(settings: &Settings) -> Result<EnvFilter, ConfigError> {
    let text = settings.get("ECHO_LOG", "info,lapin=warn,actix_server=warn".to_owned())?;
    let silent = crate::bus::rabbitmq::SILENT_LOG_TARGET;
    let readers: String = FILE_READERS.iter().map(|name| format!(",{name}=off")).collect();
    EnvFilter::try_new(format!("{text},{silent}=off,{MODEL_CLIENT}=off{readers}"))
        .map_err(|e| ConfigError::new("ECHO_LOG", e.to_string()))
}

/// A phone number as logs may show it: country and area, then dots, then the last two digits.
#[derive(Clone, Copy)]
pub struct Masked<'a>(pub &'a str);

impl fmt::Display for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits: Vec<char> = self.0.chars().collect();
        if digits.len() < 7 {
            return f.write_str("***");
        }
        let (head, tail) = (digits.iter().take(3), digits.iter().skip(digits.len() - 2));
        write!(f, "{}***{}", head.collect::<String>(), tail.collect::<String>())
    }
}

impl fmt::Debug for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_number_cannot_be_rung() {
        assert_eq!(Masked("+14155552671").to_string(), "+14***71");
        assert_eq!(Masked("12345").to_string(), "***");
    }
}
