//! Mail to users. The webhook-dispatcher sends it, where a mail server is set; who asked for it does not wait for that.

use chrono::TimeDelta;
use common::{clock, trace};
use contracts::ids::BusinessId;
use contracts::rpc::Context;
use contracts::webhooks::QueueMailRequest;
use uuid::Uuid;

use crate::app::{App, RPC_DEADLINE};
use crate::identity::one_time::OneTime;

/// A mail.
pub(crate) struct Mail {
    /// Which: the same one is sent once.
    pub(crate) id: Uuid,
    /// For which business, if for one.
    pub(crate) business: Option<BusinessId>,
    /// To whom.
    pub(crate) to: String,
    /// One line.
    pub(crate) subject: String,
    /// Plain text.
    pub(crate) text: String,
    /// What has not been sent by then is of no use any more.
    pub(crate) good_for: TimeDelta,
}

/// Where a mailed link leads. The token stands behind the `#`: browsers keep that to themselves, and no log has it.
pub(crate) fn link(app: &App, page: &str, token: &OneTime) -> String {
    format!("{}/{page}#token={}", app.config.public_url, token.reveal())
}

/// Has a mail sent. Goes on by itself: how long it takes says nothing to who asked.
pub(crate) fn send(app: &App, mail: Mail) {
    let until = app.platform.clock.now() + mail.good_for;
    let business = mail.business.map_or_else(Uuid::nil, Uuid::from);
    let request = QueueMailRequest {
        mail_id: mail.id.to_string(),
        business_id: business.to_string(),
        to: mail.to,
        subject: mail.subject.chars().filter(|c| !c.is_control()).collect(),
        text: mail.text,
        send_before_ms: clock::to_millis(until),
    };
    let (mails, mail_id) = (app.mails.clone(), mail.id);
    let whole = async move {
        let context = Context::within(RPC_DEADLINE);
        match mails.queue_mail(context, request).await {
            Ok(answer) if answer.will_be_sent => {}
            Ok(_) => tracing::info!(%mail_id, "a mail was not sent: no mail server is set (ECHO_SMTP_URL)"),
            Err(error) => tracing::warn!(%mail_id, %error, "a mail could not be queued"),
        }
    };
    actix_web::rt::spawn(trace::continued(whole));
}
