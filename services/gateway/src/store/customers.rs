//! `customers`: the people of a project who may be rung.

use common::db::{Db, DbError, Id, Json, Time, lease};
use contracts::accounts::{Consent as ConsentPart, CustomerStanding};
use contracts::ids::{CustomerId, ProjectId};
use diesel::prelude::*;
use serde::Deserialize as _;
use serde_json::json;

use super::Page;
use super::schema::customers;
use crate::domain::customer::{Consent, CustomerSpec, Told};

/// A customer without their numbers.
#[derive(Clone, Debug, PartialEq, Queryable)]
pub(crate) struct CustomerRow {
    /// Who.
    pub(crate) id: Id,
    /// Whose.
    pub(crate) project_id: Id,
    /// The integrator's own id.
    pub(crate) external_id: String,
    /// First name.
    pub(crate) first_name: String,
    /// Last name.
    pub(crate) last_name: String,
    /// The integrator's own data.
    pub(crate) metadata: Json,
    /// Counts changes, from 1.
    pub(crate) version: i64,
    /// When they were added.
    pub(crate) created_at: Time,
    /// When they last changed.
    pub(crate) updated_at: Time,
    /// IANA name; absent: the project's.
    pub(crate) timezone: Option<String>,
    /// BCP-47 tag.
    pub(crate) language: Option<String>,
    /// Where they get mail.
    pub(crate) email: Option<String>,
    /// [`Consent`].
    pub(crate) consent: Option<Json>,
}

impl CustomerRow {
    /// A new customer.
    pub(crate) fn new(project: ProjectId, id: CustomerId, spec: CustomerSpec, told: Told) -> Self {
        let CustomerSpec { external_id, first_name, last_name, .. } = spec.clone();
        let now = Time::from(told.0);
        let mut row = Self {
            id: Id::of(id),
            project_id: Id::of(project),
            external_id: external_id.into(),
            first_name: first_name.into(),
            last_name: last_name.into(),
            metadata: Json(json!({})),
            version: 1,
            created_at: now,
            updated_at: now,
            timezone: None,
            language: None,
            email: None,
            consent: None,
        };
        row.take_over(spec, told);
        row
    }

    /// Takes over what is said about a customer; what is not said stays.
    pub(crate) fn take_over(&mut self, spec: CustomerSpec, told: Told) {
        self.external_id = spec.external_id.into();
        self.first_name = spec.first_name.into();
        self.last_name = spec.last_name.into();
        if let Some(metadata) = spec.metadata {
            self.metadata = Json(metadata.into_inner());
        }
        self.timezone = spec.timezone.map(|zone| zone.name().to_owned()).or(self.timezone.take());
        self.language = spec.language.map(String::from).or(self.language.take());
        self.email = spec.email.map(|email| email.as_str().to_owned()).or(self.email.take());
        self.consent = spec.consent.map(|said| Json(said.kept(told).stored())).or(self.consent.take());
    }

    /// Is what is said about a customer, and nothing else.
    pub(crate) fn replace(&mut self, spec: CustomerSpec, told: Told) {
        self.metadata = Json(json!({}));
        (self.timezone, self.language, self.email, self.consent) = (None, None, None, None);
        self.take_over(spec, told);
    }

    /// The names of the fields in which two states of a customer differ.
    pub(crate) fn differs(&self, other: &Self) -> Vec<&'static str> {
        let fields = [
            ("external_id", self.external_id != other.external_id),
            ("first_name", self.first_name != other.first_name),
            ("last_name", self.last_name != other.last_name),
            ("metadata", self.metadata != other.metadata),
            ("timezone", self.timezone != other.timezone),
            ("language", self.language != other.language),
            ("email", self.email != other.email),
            ("consent", self.consent != other.consent),
        ];
        fields.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect()
    }

    /// What they said about being called.
    ///
    /// # Errors
    /// [`DbError::Corrupt`] when the column cannot be read.
    pub(crate) fn consent(&self) -> Result<Option<Consent>, DbError> {
        let read = |stored: &Json| Consent::deserialize(&stored.0);
        self.consent.as_ref().map(read).transpose().map_err(|e| DbError::Corrupt(format!("consent: {e}")))
    }

    /// What the rules before a call want to know.
    ///
    /// # Errors
    /// [`DbError::Corrupt`] when the row cannot be read.
    pub(crate) fn standing(&self) -> Result<CustomerStanding, DbError> {
        let consent = self.consent()?;
        Ok(CustomerStanding {
            project_id: self.project_id.0.to_string(),
            customer_id: self.id.0.to_string(),
            version: self.version,
            time_zone: self.timezone.clone().unwrap_or_default(),
            consent: consent.map(|Consent { given, at_ms, source }| ConsentPart { given, at_ms, source }),
        })
    }

    /// Whether the rules have to hear of the difference.
    pub(crate) fn stands_otherwise(&self, before: &Self) -> bool {
        self.timezone != before.timezone || self.consent != before.consent
    }
}

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        customers::id,
        customers::project_id,
        customers::external_id,
        customers::first_name,
        customers::last_name,
        customers::metadata,
        customers::version,
        customers::created_at,
        customers::updated_at,
        customers::timezone,
        customers::language,
        customers::email,
        customers::consent,
    )
}

/// Stores a new customer. A taken external id is [`DbError::Duplicate`].
pub(crate) fn insert(conn: &mut Db, row: &CustomerRow) -> Result<(), DbError> {
    diesel::insert_into(customers::table)
        .values((
            customers::id.eq(row.id),
            customers::project_id.eq(row.project_id),
            customers::external_id.eq(&row.external_id),
            customers::first_name.eq(&row.first_name),
            customers::last_name.eq(&row.last_name),
            customers::metadata.eq(&row.metadata),
            customers::version.eq(row.version),
            customers::created_at.eq(row.created_at),
            customers::updated_at.eq(row.updated_at),
            customers::timezone.eq(&row.timezone),
            customers::language.eq(&row.language),
            customers::email.eq(&row.email),
            customers::consent.eq(&row.consent),
        ))
        .execute(conn)?;
    Ok(())
}

/// Stores many new customers at once. A taken external id is [`DbError::Duplicate`], and then none is stored.
pub(crate) fn insert_many(conn: &mut Db, rows: &[CustomerRow]) -> Result<(), DbError> {
    const COLUMNS: [&str; 13] = [
        "id",
        "project_id",
        "external_id",
        "first_name",
        "last_name",
        "metadata",
        "version",
        "created_at",
        "updated_at",
        "timezone",
        "language",
        "email",
        "consent",
    ];
    let row = |row: &CustomerRow| {
        json!({
            "id": row.id.0,
            "project_id": row.project_id.0,
            "external_id": row.external_id,
            "first_name": row.first_name,
            "last_name": row.last_name,
            "metadata": row.metadata.0,
            "version": row.version,
            "created_at": row.created_at.text(),
            "updated_at": row.updated_at.text(),
            "timezone": row.timezone,
            "language": row.language,
            "email": row.email,
            "consent": row.consent.as_ref().map(|consent| &consent.0),
        })
    };
    common::db::insert_many(conn, "customers", &COLUMNS, rows.iter().map(row).collect()).map(drop)
}

/// The customers of a project with one of these external ids.
pub(crate) fn with_external_ids(
    conn: &mut Db,
    project: ProjectId,
    external_ids: &[&str],
) -> Result<Vec<CustomerRow>, DbError> {
    Ok(customers::table
        .filter(customers::project_id.eq(Id::of(project)))
        .filter(customers::external_id.eq_any(external_ids))
        .select(columns())
        .load(conn)?)
}

/// Stores a changed customer as the next version. [`DbError::Conflict`] when somebody else was faster; a taken external id is
/// [`DbError::Duplicate`].
pub(crate) fn save(conn: &mut Db, row: &mut CustomerRow, now: Time) -> Result<(), DbError> {
    let touched = diesel::update(customers::table)
        .filter(customers::project_id.eq(row.project_id).and(customers::id.eq(row.id)))
        .filter(customers::version.eq(row.version))
        .set((
            customers::external_id.eq(&row.external_id),
            customers::first_name.eq(&row.first_name),
            customers::last_name.eq(&row.last_name),
            customers::metadata.eq(&row.metadata),
            customers::version.eq(row.version + 1),
            customers::updated_at.eq(now),
            customers::timezone.eq(&row.timezone),
            customers::language.eq(&row.language),
            customers::email.eq(&row.email),
            customers::consent.eq(&row.consent),
        ))
        .execute(conn)?;
    if touched != 1 {
        return Err(DbError::Conflict);
    }
    row.version += 1;
    row.updated_at = now;
    Ok(())
}

/// Removes a customer whose numbers are gone.
pub(crate) fn remove(conn: &mut Db, project: ProjectId, id: CustomerId) -> Result<(), DbError> {
    let one = customers::project_id.eq(Id::of(project)).and(customers::id.eq(Id::of(id)));
    diesel::delete(customers::table.filter(one)).execute(conn)?;
    Ok(())
}

/// One customer of a project.
pub(crate) fn get(conn: &mut Db, project: ProjectId, id: CustomerId) -> Result<Option<CustomerRow>, DbError> {
    Ok(customers::table
        .filter(customers::project_id.eq(Id::of(project)).and(customers::id.eq(Id::of(id))))
        .select(columns())
        .first(conn)
        .optional()?)
}

/// Those of these customers that the project has.
pub(crate) fn with_ids(conn: &mut Db, project: ProjectId, ids: &[Id]) -> Result<Vec<CustomerRow>, DbError> {
    Ok(customers::table
        .filter(customers::project_id.eq(Id::of(project)).and(customers::id.eq_any(ids)))
        .select(columns())
        .load(conn)?)
}

/// A page of a project's customers, newest first; the one with this external id, if one is named.
pub(crate) fn list(
    conn: &mut Db,
    project: ProjectId,
    external_id: Option<&str>,
    page: Page,
) -> Result<Vec<CustomerRow>, DbError> {
    let mut query = customers::table.filter(customers::project_id.eq(Id::of(project))).into_boxed();
    if let Some(after) = page.after {
        query = query.filter(customers::id.lt(Id(after)));
    }
    if let Some(external_id) = external_id {
        query = query.filter(customers::external_id.eq(external_id.to_owned()));
    }
    Ok(query.order(customers::id.desc()).limit(page.limit).select(columns()).load(conn)?)
}

/// The customers of a project with these ids, and those with these external ids.
pub(crate) fn named(
    conn: &mut Db,
    project: ProjectId,
    ids: &[CustomerId],
    external_ids: &[&str],
) -> Result<Vec<CustomerRow>, DbError> {
    let ids: Vec<Id> = ids.iter().map(|id| Id::of(*id)).collect();
    let of_project = customers::table.filter(customers::project_id.eq(Id::of(project)));
    let mut rows: Vec<CustomerRow> =
        of_project.filter(customers::id.eq_any(&ids)).select(columns()).load(conn)?;
    if !external_ids.is_empty() {
        let others = of_project
            .filter(customers::external_id.eq_any(external_ids))
            .filter(customers::id.ne_all(&ids))
            .select(columns());
        rows.extend(others.load::<CustomerRow>(conn)?);
    }
    Ok(rows)
}

/// Until the transaction ends, nobody else changes this customer or their numbers.
pub(crate) fn hold(conn: &mut Db, id: CustomerId) -> Result<(), DbError> {
    lease::exclusive(conn, &lock(id))
}

/// The same for many.
pub(crate) fn hold_all(conn: &mut Db, ids: impl IntoIterator<Item = CustomerId>) -> Result<(), DbError> {
    lease::exclusive_all(conn, ids.into_iter().map(lock).collect())
}

fn lock(id: CustomerId) -> String {
    format!("customer:{id}")
}
