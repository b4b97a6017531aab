//! `POST /customers/import`: many customers in one request. The file is read whole before anything is done, so that a body that
//! is too large or breaks off leaves nothing behind; then it is taken in by some hundreds of rows at a time. Every customer's id
//! follows from the request and the line: what runs again after it broke off finds what it has done.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use actix_web::web::{self, Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use common::crypto::sha256_hex;
use common::db::{DbError, Id, Time, Tx};
use contracts::ids::{CustomerId, PhoneId, ProjectId};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::audit::note;
use super::customers::{NewCustomer, keep};
use super::fields::examine;
use super::openapi::ErrorBody;
use super::query::Query;
use super::reply::Made;
use super::{body, idempotent, phones::book};
use crate::app::App;
use crate::domain::audit::Action;
use crate::domain::customer::Told;
use crate::domain::import::{Format, Row, Rows, customer_id};
use crate::domain::phone_book::{self, PhoneStatus};
use crate::domain::problem::Problem;
use crate::domain::role::Operation;
use crate::error::ApiError;
use crate::identity::credential::authorise;
use crate::store::audit::Event;
use crate::store::customers::{self, CustomerRow};
use crate::store::phones::{self, PhoneRow};

/// Largest file.
const LIMIT: usize = 16 * 1024 * 1024;
/// A file may take so many times as long to arrive as another body.
const DEADLINES: u32 = 4;
/// Rows of one transaction.
const BATCH: usize = 500;
/// Most rows that are named as rejected.
const NAMED: usize = 10_000;
/// How often a race with another request is decided again.
const TRIES: usize = 5;
/// Where consent is known from that a row brought without saying so.
const TOLD_HERE: &str = "import";

/// What came of an import.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportResult, example = json!({
    "imported": 9999,
    "rejected": [{"line": 17, "external_id": "user_16", "field": "phone", "problem": "is required"}],
    "rejected_count": 1
}))]
pub(crate) struct ImportBody {
    /// Rows that are in.
    imported: u64,
    /// Rows that are not, in their order: the first 10,000 of them.
    rejected: Vec<Rejected>,
    /// How many rows are not in.
    rejected_count: u64,
}

/// A row that is not in.
#[derive(Serialize, ToSchema)]
#[schema(as = RejectedRow)]
pub(crate) struct Rejected {
    /// The line of the file on which the row begins, from 1.
    line: u64,
    /// Absent when it could not be read.
    external_id: Option<String>,
    /// The first field that is wrong; empty when it is the row as a whole.
    field: String,
    /// What is wrong with it.
    problem: String,
}

/// A row whose fields are right.
#[derive(Clone)]
struct Candidate {
    line: u64,
    id: CustomerId,
    new: NewCustomer,
}

impl Candidate {
    fn external_id(&self) -> &str {
        self.new.spec.external_id.as_ref()
    }
}

/// A file that is being taken in.
struct Import {
    id: Uuid,
    rows: Rows,
    format: Format,
    update: bool,
    /// A row that begins the next batch.
    next: Option<Candidate>,
    /// Lines by the external id that they have brought.
    brought: HashMap<String, u64>,
    told: ImportBody,
}

impl Import {
    /// The next rows whose fields are right; none at the end.
    fn batch(&mut self) -> Vec<Candidate> {
        let mut batch: HashMap<String, Candidate> = HashMap::new();
        let mut order = Vec::new();
        while order.len() < BATCH {
            let Some(candidate) = self.next.take().or_else(|| self.candidate()) else { break };
            match batch.entry(candidate.external_id().to_owned()) {
                // A later row changes what an earlier one has made: one after the other.
                Entry::Occupied(_) => {
                    self.next = Some(candidate);
                    break;
                }
                Entry::Vacant(place) => {
                    order.push(candidate.clone());
                    place.insert(candidate);
                }
            }
        }
        order
    }

    /// The next row whose fields are right. What is wrong with those before it is noted.
    fn candidate(&mut self) -> Option<Candidate> {
        loop {
            let Row { line, body } = self.rows.next()?;
            let body = match body {
                Ok(body) => body,
                Err(problem) => {
                    self.reject(line, None, "", &problem);
                    continue;
                }
            };
            let external_id = body.get("external_id").and_then(|id| id.as_str()).map(str::to_owned);
            match examine(&body, NewCustomer::read) {
                Ok(new) => {
                    let candidate = Candidate { line, id: CustomerId(customer_id(self.id, line)), new };
                    let earlier = *self.brought.entry(candidate.external_id().to_owned()).or_insert(line);
                    if earlier == line || self.update {
                        return Some(candidate);
                    }
                    self.reject(
                        line,
                        external_id.as_deref(),
                        "external_id",
                        &format!("is taken, by line {earlier}"),
                    );
                }
                Err(problems) => self.reject_for(line, external_id.as_deref(), &problems),
            }
        }
    }

    fn reject_for(&mut self, line: u64, external_id: Option<&str>, problems: &[Problem]) {
        let Some(first) = problems.first() else { return };
        let problem = match problems.len() {
            1 => first.problem.clone(),
            more => format!("{} (and {} more wrong fields)", first.problem, more - 1),
        };
        let field = self.format.field(&first.field);
        self.reject(line, external_id, &field, &problem);
    }

    fn reject(&mut self, line: u64, external_id: Option<&str>, field: &str, problem: &str) {
        self.told.rejected_count += 1;
        // Rows that the tables refuse come later than those behind them that cannot be read.
        let at = self.told.rejected.partition_point(|earlier| earlier.line < line);
        if at < NAMED {
            let external_id = external_id.map(|id| id.chars().take(200).collect());
            let (field, problem) = (field.to_owned(), problem.to_owned());
            self.told.rejected.insert(at, Rejected { line, external_id, field, problem });
            self.told.rejected.truncate(NAMED);
        }
    }

    /// Notes what became of a batch.
    fn note(&mut self, batch: &[Candidate], refused: &HashMap<u64, Refused>) {
        for candidate in batch {
            match refused.get(&candidate.line) {
                None => self.told.imported += 1,
                Some((field, problem)) => {
                    self.reject(candidate.line, Some(candidate.external_id()), field, problem);
                }
            }
        }
    }
}

/// Why a row could not be stored: the field, and what is wrong with it.
type Refused = (&'static str, String);

/// Take in many customers: JSON lines, or CSV with a header. The good rows are in, the others are named. A row whose
/// `external_id` is taken is rejected, or changes that customer with `on_conflict=update`: what the row does not say stays, and
/// its phone becomes the primary one beside those that are there.
#[utoipa::path(
    post,
    path = "/api/v1/customers/import",
    operation_id = "importCustomers",
    tag = "customers",
    params(
        ("on_conflict" = Option<String>, Query, description = "What becomes of a row whose `external_id` is taken; by default \
            it is rejected."),
        ("Idempotency-Key" = Option<String>, Header, description = "For the whole file.")
    ),
    request_body(
        description = "At most 16 MiB. CSV columns: `external_id`, `first_name`, `last_name`, `phone`, and optionally \
                       `timezone`, `language`, `email`, `consent_given`, `consent_at`, `consent_source`, `metadata.<key>`.",
        content(
            (String = "text/csv", example = "external_id,first_name,last_name,phone\nuser_1,John,Smith,+14155552671\n"),
            (String = "application/x-ndjson", example = "{\"external_id\": \"user_1\", \"first_name\": \"John\", \"last_name\": \"Smith\", \"phone\": \"+14155552671\"}\n")
        )
    ),
    responses(
        (status = 200, description = "What came of it.", body = ImportBody),
        (status = 409, description = "`import_in_progress`: another import of the project is running.", body = ErrorBody)
    )
)]
pub(crate) async fn import(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Build).await?;
    let format = Format::of(&body::media_type(&request)?).ok_or_else(|| {
        ApiError::unsupported_media(
            "Send JSON lines (Content-Type: application/x-ndjson) or CSV (text/csv), in UTF-8",
        )
    })?;
    let update = Query::of(&request)?.get("on_conflict", |text| match text {
        "reject" => Ok(false),
        "update" => Ok(true),
        _ => Err("must be reject or update".to_owned()),
    })?;
    let update = update.unwrap_or(false);
    let running = app.imports.begin(tenant.project)?;
    let file = body::read(LIMIT, DEADLINES, &request, payload).await?.freeze();
    let open = move || {
        let fingerprint = json!({"file": sha256_hex(&file), "csv": format == Format::Csv, "update": update});
        Rows::new(format, file).map(|rows| (rows, fingerprint)).map_err(ApiError::invalid)
    };
    let (rows, fingerprint) = web::block(open).await.map_err(ApiError::internal)??;
    let keyed = idempotent::keyed(&request, &tenant, &fingerprint)?;
    let this = app.get_ref().clone();
    idempotent::remotely(&app, keyed, move |id| async move {
        let _running = running;
        let told = ImportBody { imported: 0, rejected: Vec::new(), rejected_count: 0 };
        let import = Import { id, rows, format, update, next: None, brought: HashMap::new(), told };
        let told = run(&this, tenant.project, import).await?;
        let details = json!({"imported": told.imported, "rejected": told.rejected_count});
        let event = Event::of(Action::CustomersImported).with(details);
        note(&this, &tenant, event).await?;
        Made::done(&told)
    })
    .await
}

/// Takes a file in, batch by batch.
async fn run(app: &App, project: ProjectId, mut import: Import) -> Result<ImportBody, ApiError> {
    let begun = begun(import.id);
    loop {
        let next = move || {
            let batch = import.batch();
            (import, batch)
        };
        let batch: Vec<Candidate>;
        (import, batch) = web::block(next).await.map_err(ApiError::internal)?;
        if batch.is_empty() {
            return Ok(import.told);
        }
        let refused = store(app, project, &batch, import.update, (begun, TOLD_HERE)).await?;
        import.note(&batch, &refused);
    }
}

/// When an import was first begun: its id says so.
fn begun(import: Uuid) -> DateTime<Utc> {
    let (seconds, nanos) = import.get_timestamp().map_or((0, 0), |at| at.to_unix());
    DateTime::from_timestamp(i64::try_from(seconds).unwrap_or_default(), nanos).unwrap_or_default()
}

/// Stores a batch, and decides again when another request was faster with one of its customers.
async fn store(
    app: &App,
    project: ProjectId,
    batch: &[Candidate],
    update: bool,
    told: Told,
) -> Result<HashMap<u64, Refused>, ApiError> {
    for _ in 0..TRIES {
        let batch = batch.to_vec();
        let write = move |tx: &mut Tx<'_>| store_once(tx, project, batch, update, told);
        match app.platform.database.write(write).await {
            Err(DbError::Duplicate { .. } | DbError::Conflict) => {}
            other => return Ok(other?),
        }
    }
    Err(ApiError::unavailable("changes of the same customers kept racing"))
}

fn store_once(
    tx: &mut Tx<'_>,
    project: ProjectId,
    batch: Vec<Candidate>,
    update: bool,
    told: Told,
) -> Result<HashMap<u64, Refused>, DbError> {
    let names: Vec<&str> = batch.iter().map(Candidate::external_id).collect();
    let mut known = customers::with_external_ids(tx.conn, project, &names)?;
    let ids: Vec<Id> = known.iter().map(|row| row.id).collect();
    let mut numbers = Vec::new();
    if update && !ids.is_empty() {
        customers::hold_all(tx.conn, ids.iter().map(|id| CustomerId(id.0)))?;
        known = customers::with_external_ids(tx.conn, project, &names)?;
        // Somebody has just made one of them: it has to be held, too.
        if known.iter().any(|row| !ids.contains(&row.id)) {
            return Err(DbError::Conflict);
        }
        numbers = phones::of_customers(tx.conn, project, &ids)?;
    }
    let mut known: HashMap<String, CustomerRow> =
        known.into_iter().map(|row| (row.external_id.clone(), row)).collect();
    let (mut fresh, mut fresh_phones, mut refused) = (Vec::new(), Vec::new(), HashMap::new());
    for candidate in batch {
        match known.remove(candidate.external_id()) {
            None => {
                let (customer, phone) = candidate.new.rows(project, candidate.id, told);
                fresh.push(customer);
                fresh_phones.push(phone);
            }
            Some(row) if update => {
                let own = numbers.iter().filter(|phone| phone.customer_id == row.id).cloned().collect();
                if let Some(problem) = change(tx, row, own, candidate.new, told)? {
                    refused.insert(candidate.line, ("phone", problem));
                }
            }
            // This very request has brought them, and broke off before it could say so.
            Some(row) if row.id == Id::of(candidate.id) => {}
            Some(_) => drop(refused.insert(candidate.line, ("external_id", "is taken".to_owned()))),
        }
    }
    customers::insert_many(tx.conn, &fresh)?;
    phones::insert_many(tx.conn, project, &fresh_phones)?;
    Ok(refused)
}

/// Changes a customer who is there already, and held. Answers why it is not possible, and then nothing has changed.
fn change(
    tx: &mut Tx<'_>,
    mut row: CustomerRow,
    numbers: Vec<PhoneRow>,
    new: NewCustomer,
    told: Told,
) -> Result<Option<String>, DbError> {
    let (project, customer) = (ProjectId(row.project_id.0), CustomerId(row.id.0));
    let value = new.phone.into_inner();
    if !numbers.iter().any(|phone| phone.is_primary && phone.value == value) {
        let there = numbers.iter().find(|phone| phone.value == value).cloned();
        if there.is_none()
            && let Err(refusal) = phone_book::add(&book(&numbers), &value, true)
        {
            return Ok(Some(refusal.message()));
        }
        phones::clear_primary(tx.conn, project, customer)?;
        match there {
            Some(phone) => phones::save(tx.conn, project, &PhoneRow { is_primary: true, ..phone })?,
            None => {
                let (id, created_at) = (Id::of(PhoneId::new()), Time::from(tx.now()));
                let status = PhoneStatus::Active.as_str().to_owned();
                let phone = PhoneRow { id, customer_id: row.id, value, is_primary: true, status, created_at };
                phones::insert(tx.conn, project, &phone)?;
            }
        }
    }
    let before = row.clone();
    row.take_over(new.spec, told);
    if row != before {
        keep(tx, &mut row, &before)?;
    }
    Ok(None)
}
