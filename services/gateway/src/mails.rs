//! Mail to users. It is written down, sealed, together with what it tells of; a task has it sent by the webhook-dispatcher
//! (`tasks/pass_on_mails.rs`), where a mail server is set. Who asked for it does not wait for that.

use std::sync::Arc;

use chrono::TimeDelta;
use common::clock;
use common::crypto;
use common::db::{Id, Time, Tx};
use contracts::ids::BusinessId;
use contracts::webhooks::QueueMailRequest;
use prost::Message as _;
use uuid::Uuid;

use crate::app::App;
use crate::error::ApiError;
use crate::identity::one_time::OneTime;
use crate::store::mails::{self, Row};

/// The longest subject that the dispatcher sends, in characters: a business may have a long name.
const LONGEST_SUBJECT: usize = 200;

/// A mail.
pub(crate) struct Mail {
    /// Which: the same one is sent once.
    pub(crate) id: Uuid,
    /// For which business, if for one.
    pub(crate) business: Option<BusinessId>,
    /// To whom. Nobody: it costs what any mail costs, and is not sent.
    pub(crate) to: Option<String>,
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

/// Has a mail sent once the transaction is committed.
pub(crate) fn stage(app: &App, tx: &mut Tx<'_>, mail: Mail) -> Result<(), ApiError> {
    let (id, now) = (mail.id, tx.now());
    let until = now + mail.good_for;
    let request = QueueMailRequest {
        mail_id: id.to_string(),
        business_id: mail.business.map_or_else(Uuid::nil, Uuid::from).to_string(),
        to: mail.to.unwrap_or_default(),
        subject: mail.subject.chars().filter(|c| !c.is_control()).take(LONGEST_SUBJECT).collect(),
        text: mail.text,
        send_before_ms: clock::to_millis(until),
    };
    let sealed = crypto::seal(&app.platform.keys.master, &row_name(id), &request.encode_to_vec());
    let content = sealed.map_err(ApiError::internal)?;
    let row = Row { id: Id(id), content, send_before: Time::from(until), created_at: Time::from(now) };
    mails::insert(tx.conn, &row)?;
    let due = Arc::clone(&app.mails_due);
    tx.after_commit(move || due.notify_one());
    Ok(())
}

/// What is sealed in a row. `None`: it cannot be read here, perhaps because this replica has not been given the newest keys yet.
pub(crate) fn open(app: &App, row: &Row) -> Option<QueueMailRequest> {
    let opened = crypto::open(&app.platform.keys.master, &row_name(row.id.0), &row.content);
    let plain =
        opened.inspect_err(|error| tracing::error!(mail = %row.id.0, %error, "a mail cannot be opened"));
    QueueMailRequest::decode(plain.ok()?.as_slice()).ok()
}

fn row_name(id: Uuid) -> String {
    format!("mail:{id}")
}
