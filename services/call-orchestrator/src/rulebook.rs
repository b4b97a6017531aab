//! What the rules read: the copies of what projects have set and of what is known about customers. Only a newer version
//! replaces what is stored; whoever waits because of the old one is looked at again.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Tx};
use contracts::accounts as proto;
use contracts::ids::{CustomerId, NotificationId, ProjectId};

use crate::app::App;
use crate::domain::calling_hours;
use crate::domain::policy::{Policy, Settings, Standing};
use crate::domain::rules::{self, Load};
use crate::store::calls::{self, Call};
use crate::store::notifications::{self, Notification};
use crate::store::{policies, standings, usage, waiting};

/// What the rules read about one customer of a project.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rulebook {
    pub(crate) policy: Policy,
    pub(crate) standing: Standing,
    /// The project is deleted, or the customer erased: nothing is to be rung or kept any more.
    pub(crate) gone: bool,
}

impl Rulebook {
    fn of(policy: &policies::Stored, standing: &standings::Stored) -> Self {
        Self {
            policy: Policy::from(&policy.settings),
            standing: standing.standing(),
            gone: policy.deleted || standing.erased,
        }
    }
}

/// What is stored.
pub(crate) fn read(
    db: &mut Db,
    project: ProjectId,
    customer: Option<CustomerId>,
) -> Result<Rulebook, DbError> {
    let policy = policies::find(db, project)?.unwrap_or_default();
    let standing = match customer {
        Some(customer) => standings::find(db, project, customer)?.unwrap_or_default(),
        None => standings::Stored::default(),
    };
    Ok(Rulebook::of(&policy, &standing))
}

/// Whether a call of this notification is recorded, as its project has set it at this moment.
pub(crate) fn records(db: &mut Db, notification: &Notification) -> Result<bool, DbError> {
    let policy = policies::find(db, notification.project_id)?.unwrap_or_default();
    Ok(Policy::from(&policy.settings).records(notification.spec.disclosure.as_deref()))
}

/// The same of a call that is there already.
pub(crate) fn records_call(db: &mut Db, call: &Call) -> Result<bool, DbError> {
    let whose = notifications::find(db, call.project_id, call.notification_id)?;
    whose.map_or(Ok(false), |whose| records(db, &whose))
}

/// The same, after what came with a notification was taken over as far as it is newer.
pub(crate) fn learn(
    app: &App,
    tx: &mut Tx<'_>,
    (project, customer): (ProjectId, CustomerId),
    policy: Option<&proto::ProjectPolicy>,
    standing: Option<&proto::CustomerStanding>,
) -> Result<Rulebook, DbError> {
    let policy = learn_policy(app, tx, project, policy)?;
    let standing = learn_standing(app, tx, (project, customer), standing)?;
    Ok(Rulebook::of(&policy, &standing))
}

/// Takes over what a project has set. Answers what counts now. A project that nothing is known of gets its row.
pub(crate) fn learn_policy(
    app: &App,
    tx: &mut Tx<'_>,
    project: ProjectId,
    sent: Option<&proto::ProjectPolicy>,
) -> Result<policies::Stored, DbError> {
    let now = tx.now();
    let stored = policies::find(tx.conn, project)?;
    let known = stored.clone().unwrap_or_default();
    let next = policies::Stored {
        version: sent.map_or(0, |sent| sent.version).max(known.version),
        settings: newer_settings(&known, sent),
        deleted: known.deleted,
    };
    match stored {
        None => policies::insert(tx.conn, project, &next, now)?,
        Some(_) if next.version == known.version => return Ok(known),
        Some(_) => policies::replace(tx.conn, project, known.version, &next, now)?,
    }
    if known.settings.rules_differ(&next.settings) {
        wake(app, tx, (project, None), &rules::SET_BY_PROJECT)?;
    }
    Ok(next)
}

/// Takes over what is known about a customer. Answers what counts now.
pub(crate) fn learn_standing(
    app: &App,
    tx: &mut Tx<'_>,
    (project, customer): (ProjectId, CustomerId),
    sent: Option<&proto::CustomerStanding>,
) -> Result<standings::Stored, DbError> {
    let stored = standings::find(tx.conn, project, customer)?;
    let known = stored.clone().unwrap_or_default();
    let next = newer_standing(known.clone(), sent);
    if next == known {
        return Ok(known);
    }
    standings::put(tx.conn, project, customer, &next, stored.is_some())?;
    if next.standing() != known.standing() {
        wake(app, tx, (project, Some(customer)), &[rules::CALLING_HOURS])?;
    }
    Ok(next)
}

fn wake(
    app: &App,
    tx: &mut Tx<'_>,
    whose: (ProjectId, Option<CustomerId>),
    rules: &[&str],
) -> Result<(), DbError> {
    let now = tx.now();
    waiting::wake(tx.conn, whose, rules, now)?;
    let due = Arc::clone(&app.dial_due);
    tx.after_commit(move || due.notify_one());
    Ok(())
}

/// The settings that count: those that were sent, where they are newer.
pub(crate) fn newer_settings(known: &policies::Stored, sent: Option<&proto::ProjectPolicy>) -> Settings {
    match sent.filter(|sent| sent.version > known.version && !known.deleted) {
        Some(sent) => settings(sent),
        None => known.settings.clone(),
    }
}

/// The standing that counts: the one that was sent, where it is newer.
pub(crate) fn newer_standing(
    known: standings::Stored,
    sent: Option<&proto::CustomerStanding>,
) -> standings::Stored {
    let Some(sent) = sent.filter(|sent| sent.version > known.version && !known.erased) else { return known };
    let consent = sent.consent.as_ref().map(|consent| standings::Consent {
        given: consent.given,
        at_ms: consent.at_ms,
        source: consent.source.clone(),
    });
    standings::Stored { version: sent.version, time_zone: sent.time_zone.clone(), consent, erased: false }
}

fn settings(sent: &proto::ProjectPolicy) -> Settings {
    let hours = sent.calling_hours.as_ref();
    Settings {
        time_zone: sent.time_zone.clone(),
        calling_hours: hours.map(|h| (h.from_minute, h.to_minute, h.weekdays.clone())),
        require_consent: sent.require_consent,
        allowed_countries: sent.allowed_countries.clone(),
        max_concurrent_calls: sent.max_concurrent_calls,
        max_calls_per_day: sent.max_calls_per_day,
        monthly_spend_cap_cents: sent.monthly_spend_cap_cents,
        retention_days: sent.retention_days,
        disclosure_line: sent.disclosure_line.clone(),
        record_calls: sent.record_calls,
    }
}

/// How busy a project is, as the notification `id` finds it. What is not limited is not counted.
pub(crate) fn load(
    db: &mut Db,
    project: ProjectId,
    id: NotificationId,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<Load, DbError> {
    let zone = policy.time_zone;
    let begun_today = match policy.max_calls_per_day {
        Some(_) => calls::begun_since(db, project, calling_hours::start_of_day(zone, now, 0))?,
        None => 0,
    };
    let spent_cents = match policy.monthly_spend_cap_cents {
        Some(_) => usage::spent_cents(db, project, calling_hours::month(zone, now).0.date_naive())?,
        None => 0,
    };
    Ok(Load {
        alive: alive_or_ahead(db, project, id, policy.max_concurrent_calls)?,
        begun_today,
        spent_cents,
    })
}

/// Calls of the project that are alive, and the notifications that have waited longer than this one for one of them to
/// end: whoever comes last stands last in the line.
fn alive_or_ahead(db: &mut Db, project: ProjectId, id: NotificationId, most: u32) -> Result<u32, DbError> {
    let alive = u32::try_from(calls::alive(db, project)?).unwrap_or(u32::MAX);
    if alive >= most {
        return Ok(alive);
    }
    let ahead = notifications::held_before(db, project, rules::CONCURRENCY, id, most - alive)?;
    Ok(alive + ahead)
}
