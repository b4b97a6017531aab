//! The way out for mail: one SMTP server of the operator's.

use std::time::Duration;

use common::config::{ConfigError, Settings};
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::Error;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use uuid::Uuid;

use super::answer::explain;
use crate::domain::mail::Mail;
use crate::domain::trying::Tried;

/// Longest try, from connecting to the server's last word.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

const URL: &str = "ECHO_SMTP_URL";
const FROM: &str = "ECHO_MAIL_FROM";

/// The operator's mail server, and in whose name mail is sent.
pub(crate) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mailer {
    /// From the settings; `None` when no mail server is set.
    ///
    /// # Errors
    /// Which setting is wrong. The address of the server is not repeated: a password may stand in it.
    pub(crate) fn read(settings: &Settings) -> Result<Option<Self>, ConfigError> {
        let url = settings.secret(URL);
        let from = settings.optional::<Mailbox>(FROM)?;
        let Some(url) = url else { return Ok(None) };
        let from = from.ok_or_else(|| {
            ConfigError::new(
                FROM,
                "is needed beside ECHO_SMTP_URL: an address such as `Echo <echo@example.com>`",
            )
        })?;
        let right = "must be smtp://user:password@host:port (with ?tls=required for STARTTLS) or smtps://…";
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.reveal())
            .map_err(|_| ConfigError::new(URL, right))?;
        Ok(Some(Self { transport: transport.timeout(Some(DEADLINE)).build(), from }))
    }

    /// Tries to send a mail. A repetition has the same `Message-ID`.
    pub(crate) async fn send(&self, id: Uuid, mail: &Mail) -> Tried {
        let message = match self.message(id, mail) {
            Ok(message) => message,
            Err(problem) => return Tried::Refused(problem),
        };
        match tokio::time::timeout(DEADLINE, self.transport.send(message)).await {
            Ok(Ok(_)) => Tried::Taken,
            Ok(Err(error)) => failed(&error),
            Err(_) => {
                Tried::not_now(format!("the mail server did not take it within {} s", DEADLINE.as_secs()))
            }
        }
    }

    fn message(&self, id: Uuid, mail: &Mail) -> Result<Message, String> {
        let to = mail.to().map_err(|e| e.to_string())?;
        let mut builder = Message::builder();
        if let Some(address) = mail.reply_to() {
            // Answers go to somebody else: a machine's must not.
            let auto = HeaderName::new_from_ascii_str("Auto-Submitted");
            builder = builder
                .reply_to(Mailbox::new(None, address))
                .raw_header(HeaderValue::new(auto, "auto-generated".to_owned()));
        }
        builder
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(mail.subject())
            .header(ContentType::TEXT_PLAIN)
            .body(mail.text().to_owned())
            .map_err(|e| e.to_string())
    }
}

fn failed(error: &Error) -> Tried {
    let problem = without_addresses(&explain(error));
    if error.is_permanent() { Tried::Refused(problem) } else { Tried::not_now(problem) }
}

/// Mail servers like to repeat to whom it was: that is nothing for logs.
fn without_addresses(text: &str) -> String {
    let words = text.split(' ').map(|word| if word.contains('@') { "***" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Option<Mailer>, ConfigError> {
        Mailer::read(&Settings::from_pairs(pairs.iter().copied()))
    }

    #[test]
    fn without_a_server_there_is_no_mail_and_with_one_there_must_be_a_sender() {
        assert!(read(&[]).unwrap().is_none());
        assert!(read(&[(URL, "smtp://127.0.0.1:25"), (FROM, "Echo <echo@example.com>")]).unwrap().is_some());
        assert_eq!(read(&[(URL, "smtp://127.0.0.1:25")]).err().unwrap().name, FROM);
        assert_eq!(read(&[(FROM, "echo")]).err().unwrap().name, FROM);
    }

    #[test]
    fn what_a_server_says_is_kept_without_addresses() {
        let said = without_addresses("permanent error (550): 5.1.1 <ada@example.org>: no such user");
        assert_eq!(said, "permanent error (550): 5.1.1 *** no such user");
    }

    #[test]
    fn a_wrong_server_is_named_without_its_password() {
        let error = read(&[(URL, "http://user:secret@host"), (FROM, "echo@example.com")]).err().unwrap();
        assert_eq!(error.name, URL);
        assert!(!error.problem.contains("secret") && error.problem.contains("smtps://"), "{error}");
    }
}
