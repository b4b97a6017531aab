//! Looks up what orders name: customers, their numbers, agents. Everything that several orders name is read together, once.

use std::collections::HashMap;

use common::db::{Db, DbError, Id, Time};
use contracts::accounts::CustomerStanding;
use contracts::calls::{Agent, Business, Customer, PlaceNotificationRequest, RetryPolicy};
use contracts::ids::{BusinessId, CustomerId, ProjectId};
use uuid::Uuid;

use super::super::agents::options;
use super::super::customers::{NewCustomer, TOLD_HERE};
use super::super::idempotent::Failed;
use super::super::phones::{book as phones_book, refused};
use super::order::{Order, WantedAgent, Whom};
use crate::domain::agent::DEFAULT_MAX_DURATION;
use crate::domain::phone_book::{self, PhoneStatus, Refusal};
use crate::domain::project_settings::ProjectSettings;
use crate::domain::retry::Retry;
use crate::error::ApiError;
use crate::identity::credential::Tenant;
use crate::store::agents::{self, AgentRow};
use crate::store::customers::{self, CustomerRow};
use crate::store::phones::{self, PhoneRow};
use crate::store::projects::{self, Project};
use crate::store::{apps, businesses};

/// Everything that some orders of one tenant name, as it is now.
pub(crate) struct Book {
    business: Business,
    project: Project,
    customers: HashMap<Id, CustomerRow>,
    by_external_id: HashMap<String, Id>,
    phones: HashMap<Id, Vec<PhoneRow>>,
    /// In the version that is named, or the newest.
    agents: HashMap<(Id, u32), AgentRow>,
}

impl Book {
    /// Reads all that these orders name.
    pub(crate) fn open<'a>(
        db: &mut Db,
        tenant: &Tenant,
        orders: impl Iterator<Item = &'a Order> + Clone,
    ) -> Result<Self, DbError> {
        let business = businesses::get(db, tenant.business)?;
        let found = people(db, tenant, orders.clone())?;
        let ids: Vec<Id> = found.iter().map(|row| row.id).collect();
        let mut phones: HashMap<Id, Vec<PhoneRow>> = HashMap::new();
        for phone in phones::of_customers(db, tenant.project, &ids)? {
            phones.entry(phone.customer_id).or_default().push(phone);
        }
        let mut book = Self {
            business: Business {
                name: business.name,
                summary: business.summary,
                industry: business.industry,
            },
            project: projects::of_credential(db, tenant.project)?,
            customers: HashMap::new(),
            by_external_id: HashMap::new(),
            phones,
            agents: wanted_agents(db, tenant, orders)?,
        };
        found.into_iter().for_each(|row| book.add(row));
        Ok(book)
    }

    fn add(&mut self, row: CustomerRow) {
        self.by_external_id.insert(row.external_id.clone(), row.id);
        self.customers.insert(row.id, row);
    }

    /// Everything that the orchestrator needs for one order. A customer who is described in it is written down.
    pub(crate) fn request(
        &mut self,
        db: &mut Db,
        tenant: &Tenant,
        (order, id): (&Order, Uuid),
        now: Time,
    ) -> Result<PlaceNotificationRequest, Failed> {
        let Order { agent, dialling, .. } = order;
        dialling.schedule.check(now.0).map_err(|problem| ApiError::invalid(vec![problem]))?;
        let mut agent = agent.map(|agent| self.agent(db, tenant, agent)).transpose()?;
        let Rung { customer, standing, language } = self.customer(db, tenant, &order.whom, now)?;
        if let (Some(agent), Some(language)) = (&mut agent, &language) {
            agent.language.clone_from(language);
        }
        let retry = dialling.retry.clone().or_else(|| self.project.settings.retry.clone());
        let ms = |at: chrono::DateTime<chrono::Utc>| at.timestamp_millis();
        Ok(PlaceNotificationRequest {
            notification_id: id.to_string(),
            project_id: tenant.project.to_string(),
            business: Some(self.business.clone()),
            customer: Some(customer),
            agent,
            message: order.message.clone().map(String::from).unwrap_or_default(),
            context: order.context.clone().map(String::from),
            variables_json: order.variables.to_text(),
            collect_feedback: order.collect_feedback,
            max_duration_seconds: order.max_duration_seconds,
            metadata_json: order.metadata.as_ref().map(|m| m.to_text()).unwrap_or_default(),
            language: language.unwrap_or_else(|| self.project.settings.language.clone()),
            voice: self.project.settings.voice.clone(),
            disclosure_line: self.project.settings.disclosure_line.clone().unwrap_or_default(),
            business_id: tenant.business.to_string(),
            policy: Some(self.project.policy()),
            standing: Some(standing),
            scheduled_at_ms: dialling.schedule.scheduled_at.map(ms),
            expires_at_ms: dialling.schedule.expires_at.map(ms),
            retry: retry.map(policy),
            from_e164: dialling.from.clone().map(|from| from.into_inner()).unwrap_or_default(),
            voicemail: dialling.voicemail.clone().unwrap_or_default(),
            reschedule_json: dialling.reschedule.as_ref().map(text).transpose()?.unwrap_or_default(),
        })
    }

    fn agent(&self, db: &mut Db, tenant: &Tenant, wanted: WantedAgent) -> Result<Agent, ApiError> {
        let id = Id::of(wanted.id);
        let row = self.agents.get(&(id, wanted.version.unwrap_or_default())).ok_or_else(|| {
            match self.agents.contains_key(&(id, 0)) {
                true => ApiError::not_found("agent_version", "Version of the agent"),
                false => ApiError::not_found("agent", "Agent"),
            }
        })?;
        if row.status != agents::ACTIVE {
            return Err(ApiError::conflict("agent_disabled", "The agent is disabled"));
        }
        frozen(db, tenant.business, (row, &self.project.settings))
    }

    fn customer(&mut self, db: &mut Db, tenant: &Tenant, whom: &Whom, now: Time) -> Result<Rung, Failed> {
        let found = match whom {
            Whom::Id(id) => Some(Id::of(*id)),
            Whom::ExternalId(external_id) => self.by_external_id.get(external_id.as_ref()).copied(),
            Whom::Inline(new) => return self.described(db, tenant, new, now),
        };
        let row = found.and_then(|id| self.customers.get(&id));
        let row = row.ok_or_else(|| ApiError::not_found("customer", "Customer"))?;
        let primary = self.phones.get(&row.id).and_then(|phones| phones.iter().find(|p| p.is_primary));
        let primary =
            primary.ok_or_else(|| ApiError::conflict("no_phone", "The customer has no primary phone"))?;
        may_ring(primary, "primary phone", "make another one the primary one")?;
        rung(row, &primary.value)
    }

    /// Somebody described in the order. Who is known by the external id stays as they are stored, and is rung at the number
    /// that was given; a number that is new is added to theirs.
    fn described(
        &mut self,
        db: &mut Db,
        tenant: &Tenant,
        new: &NewCustomer,
        now: Time,
    ) -> Result<Rung, Failed> {
        let (row, mut phone) = new.clone().rows(tenant.project, CustomerId::new(), (now.0, TOLD_HERE));
        let known = self.by_external_id.get(&row.external_id).and_then(|id| self.customers.get(id)).cloned();
        let row = match known {
            Some(known) => known,
            None => {
                customers::insert(db, &row)?;
                self.add(row.clone());
                row
            }
        };
        let own = self.phones.entry(row.id).or_default();
        if let Some(stored) = own.iter().find(|stored| stored.value == phone.value) {
            may_ring(stored, "phone", "give another one")?;
            return rung(&row, &phone.value);
        }
        *own = held_phones(db, tenant.project, CustomerId(row.id.0))?;
        match phone_book::add(&phones_book(own), &phone.value, false) {
            Ok(is_primary) => {
                phone.customer_id = row.id;
                phone.is_primary = is_primary;
                phones::insert(db, tenant.project, &phone)?;
                own.push(phone.clone());
            }
            // Somebody has added it in the meantime.
            Err(Refusal::Known) => {}
            Err(refusal) => return Err(refused(refusal).into()),
        }
        rung(&row, &phone.value)
    }
}

/// The numbers of a customer, as they are until the end of the transaction: nobody else changes them meanwhile.
fn held_phones(db: &mut Db, project: ProjectId, customer: CustomerId) -> Result<Vec<PhoneRow>, DbError> {
    customers::hold(db, customer)?;
    phones::of_customers(db, project, &[Id::of(customer)])
}

/// A number that is out of use is not rung.
fn may_ring(phone: &PhoneRow, which: &str, instead: &str) -> Result<(), ApiError> {
    if phone.status == PhoneStatus::Active.as_str() {
        return Ok(());
    }
    let message = format!("The customer's {which} is {}; {instead}", phone.status);
    Err(ApiError::conflict("phone_not_active", message))
}

/// Who is rung, and how they stand.
struct Rung {
    customer: Customer,
    standing: CustomerStanding,
    /// Theirs comes before the agent's and the project's.
    language: Option<String>,
}

fn rung(row: &CustomerRow, phone: &str) -> Result<Rung, Failed> {
    let customer = Customer {
        id: row.id.0.to_string(),
        external_id: row.external_id.clone(),
        first_name: row.first_name.clone(),
        last_name: row.last_name.clone(),
        phone_e164: phone.to_owned(),
        metadata_json: row.metadata.0.to_string(),
    };
    Ok(Rung { customer, standing: row.standing()?, language: row.language.clone() })
}

fn policy(retry: Retry) -> RetryPolicy {
    RetryPolicy { max_attempts: retry.max_attempts, delay_seconds: retry.delay_seconds, on: retry.on }
}

fn people<'a>(
    db: &mut Db,
    tenant: &Tenant,
    orders: impl Iterator<Item = &'a Order>,
) -> Result<Vec<CustomerRow>, DbError> {
    let (mut ids, mut external_ids) = (Vec::new(), Vec::new());
    for order in orders {
        match &order.whom {
            Whom::Id(id) => ids.push(Id::of(*id)),
            Whom::ExternalId(external_id) => external_ids.push(external_id.as_ref()),
            Whom::Inline(new) => external_ids.push(new.spec.external_id.as_ref()),
        }
    }
    let mut found = Vec::new();
    if !ids.is_empty() {
        found.extend(customers::with_ids(db, tenant.project, &ids)?);
    }
    if !external_ids.is_empty() {
        found.extend(customers::with_external_ids(db, tenant.project, &external_ids)?);
    }
    Ok(found)
}

fn wanted_agents<'a>(
    db: &mut Db,
    tenant: &Tenant,
    orders: impl Iterator<Item = &'a Order>,
) -> Result<HashMap<(Id, u32), AgentRow>, DbError> {
    let (mut ids, mut versions) = (Vec::new(), Vec::new());
    for wanted in orders.filter_map(|order| order.agent) {
        ids.push(Id::of(wanted.id));
        versions.extend(wanted.version.and_then(|version| i32::try_from(version).ok()));
    }
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut found = HashMap::new();
    for row in agents::with_versions(db, tenant.business, &ids, &versions)? {
        if row.newest {
            found.insert((row.agent.id, 0), row.agent.clone());
        }
        found.insert((row.agent.id, row.agent.version.unsigned_abs()), row.agent);
    }
    Ok(found)
}

/// An agent of a project as it is frozen into a notification. What it knows is what the business's own apps know: an id of another one
/// counts for nothing, as does that of an app that is gone.
pub(crate) fn frozen(
    db: &mut Db,
    business: BusinessId,
    (row, project): (&AgentRow, &ProjectSettings),
) -> Result<Agent, ApiError> {
    let options = options(row)?;
    let knowledge = match options.knowledge_app_id.or_else(|| project.knowledge_app_id.clone()) {
        Some(named) if apps::is_of(db, business, &named)? => Some(named),
        _ => None,
    };
    Ok(Agent {
        id: row.id.0.to_string(),
        version: u32::try_from(row.version).map_err(ApiError::internal)?,
        system_prompt: row.system_prompt.clone(),
        output_schema_json: row.output_schema.as_ref().map(|schema| schema.0.to_string()).unwrap_or_default(),
        language: options.language.unwrap_or_default(),
        voice: options.voice.unwrap_or_default(),
        first_message: options.first_message.unwrap_or_default(),
        max_duration_seconds: options.max_duration_seconds.unwrap_or(DEFAULT_MAX_DURATION),
        tools_json: if options.tools.is_empty() { String::new() } else { text(&options.tools)? },
        transfer_number: options.transfer_number.unwrap_or_default(),
        voicemail_message: options.voicemail_message.unwrap_or_default(),
        reschedule_json: options.reschedule.as_ref().map(text).transpose()?.unwrap_or_default(),
        knowledge_app_id: knowledge.unwrap_or_default(),
    })
}

fn text(value: &impl serde::Serialize) -> Result<String, ApiError> {
    serde_json::to_string(value).map_err(ApiError::internal)
}
