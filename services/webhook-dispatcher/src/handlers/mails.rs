//! Mail, as other services ask for it: kept sealed until the operator's mail server has taken it.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use common::clock::from_millis;
use common::db::{DbError, Id, Tx};
use contracts::ids::{BusinessId, MessageId};
use contracts::rpc::{Context, RpcError};
use contracts::webhooks::{MailsRpc, QueueMailRequest, QueueMailResponse};
use uuid::Uuid;

use super::refusals::{away, broken, id, invalid};
use crate::app::App;
use crate::domain::mail::{BadMail, Mail};
use crate::sending::secrets::{self, Row};
use crate::store::mails;

#[async_trait]
impl MailsRpc for App {
    async fn queue_mail(&self, _: Context, request: QueueMailRequest) -> Result<QueueMailResponse, RpcError> {
        let business = id::<BusinessId>("business_id", &request.business_id)?;
        let mail_id = id::<MessageId>("mail_id", &request.mail_id)?.0;
        let refused = |bad: BadMail| invalid(bad.field(), &bad);
        let mail = Mail::new(&request.to, &request.subject, &request.text).map_err(refused)?;
        let send_before = from_millis(request.send_before_ms);
        if send_before <= self.platform.database.now() {
            return Err(refused(BadMail::SendBefore));
        }
        if self.mailer.is_none() {
            return Ok(QueueMailResponse { will_be_sent: false });
        }
        let text = serde_json::to_string(&mail).map_err(broken)?;
        let sealed =
            secrets::seal_text(&self.platform.keys.master, &Row::mail(mail_id), &text).map_err(broken)?;
        let due = Arc::clone(&self.mail_due);
        let write = self.platform.database.write(move |tx| {
            let kept = keep(tx, business, (mail_id, &sealed), send_before)?;
            tx.after_commit(move || due.notify_one());
            Ok::<_, DbError>(kept)
        });
        write.await.map_err(away)??;
        Ok(QueueMailResponse { will_be_sent: true })
    }
}

/// Keeps a mail, unless the same request has done so before.
fn keep(
    tx: &mut Tx<'_>,
    business: BusinessId,
    (id, sealed): (Uuid, &str),
    send_before: DateTime<Utc>,
) -> Result<Result<(), RpcError>, DbError> {
    match mails::owner(tx.conn, id)? {
        Some(owner) if owner == Id::of(business) => Ok(Ok(())),
        Some(_) => Ok(Err(RpcError::Conflict {
            code: "mail_exists".to_owned(),
            message: format!("another business has a mail with the id {id}"),
        })),
        None => {
            let now = tx.now();
            mails::insert(tx.conn, business, (id, sealed), send_before, now)?;
            Ok(Ok(()))
        }
    }
}
