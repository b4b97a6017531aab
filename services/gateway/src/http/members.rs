//! `/members`: who belongs to the business and what they may do there; with them, who was asked to.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use common::db::{Db, DbError, Time, Tx};
use contracts::ids::UserId;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::body;
use super::fields::decode;
use super::openapi::ErrorBody;
use super::page::{PageParams, Paging};
use super::query::path_id;
use super::reply::time;
use crate::app::App;
use crate::domain::audit::Action;
use crate::domain::role::{Operation, Role};
use crate::error::ApiError;
use crate::identity::credential::{Tenant, authorise};
use crate::store::audit::{self, Event};
use crate::store::invitations::{self, Invitation};
use crate::store::memberships::{self, MemberRow};
use crate::store::{businesses, sessions};

/// A member, or somebody who was invited.
#[derive(Serialize, ToSchema)]
#[schema(as = Member, example = json!({
    "id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f33", "user_id": null, "email": "new@yourcompany.com",
    "first_name": null, "last_name": null, "role": "developer", "status": "invited",
    "created_at": "2026-03-18T17:43:46.714Z", "expires_at": "2026-03-25T17:43:46.714Z"
}))]
pub(super) struct MemberBody {
    /// Of the membership, or of the invitation.
    id: Uuid,
    /// Null for somebody who was invited.
    user_id: Option<Uuid>,
    email: String,
    first_name: Option<String>,
    last_name: Option<String>,
    role: String,
    /// Whether they have accepted.
    status: &'static str,
    created_at: String,
    /// Until when an invitation can be accepted; null for a member.
    expires_at: Option<String>,
}

impl From<MemberRow> for MemberBody {
    fn from(row: MemberRow) -> Self {
        Self {
            id: row.id.0,
            user_id: Some(row.user_id.0),
            email: row.email,
            first_name: Some(row.first_name),
            last_name: Some(row.last_name),
            role: row.role,
            status: "active",
            created_at: time(row.created_at),
            expires_at: None,
        }
    }
}

impl From<Invitation> for MemberBody {
    fn from(row: Invitation) -> Self {
        Self {
            id: row.id.0,
            user_id: None,
            email: row.email,
            first_name: None,
            last_name: None,
            role: row.role,
            status: "invited",
            created_at: time(row.created_at),
            expires_at: Some(time(row.expires_at)),
        }
    }
}

/// What a member is changed to.
#[derive(ToSchema)]
#[schema(as = MemberChanges, example = json!({"role": "admin"}))]
#[expect(dead_code, reason = "the document's view of what `change` reads")]
pub(super) struct ChangeRequest {
    /// What they may do from now on.
    role: String,
}

/// Who belongs to the business, and who was invited and has not answered yet.
#[utoipa::path(
    get,
    path = "/api/v1/members",
    operation_id = "listMembers",
    tag = "business",
    params(PageParams),
    responses((status = 200, description = "Newest first.", body = Vec<MemberBody>))
)]
pub(crate) async fn list(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Read).await?;
    let paging = Paging::of(&request)?;
    let (rows, now) = (paging.rows(), Time::from(app.platform.database.now()));
    let found = app.platform.database.read(move |db| {
        // Of both as many as the page may need, then the newest of all.
        let members = memberships::list(db, tenant.business, rows)?.into_iter().map(MemberBody::from);
        let invited =
            invitations::list_open(db, tenant.business, rows, now)?.into_iter().map(MemberBody::from);
        Ok::<_, DbError>(members.chain(invited).collect::<Vec<_>>())
    });
    let mut items = found.await.map_err(ApiError::from)?;
    items.sort_by_key(|item| std::cmp::Reverse(item.id));
    let next = paging.cut(&mut items, |item| item.id);
    Ok(paging.answer(&app, &request, &items, next.as_deref()))
}

/// What an id in the path means.
enum Found {
    Member(MemberRow),
    Invited(Invitation),
}

fn find(db: &mut Db, tenant: &Tenant, id: Uuid, now: Time) -> Result<Found, ApiError> {
    if let Some(member) = memberships::get(db, tenant.business, id)? {
        return Ok(Found::Member(member));
    }
    let invited = invitations::get_open(db, tenant.business, id, now)?;
    invited.map(Found::Invited).ok_or_else(not_found)
}

fn not_found() -> ApiError {
    ApiError::not_found("member", "Member")
}

fn last_owner() -> ApiError {
    let message = "This is the last owner of the business; make somebody else an owner first";
    ApiError::conflict("last_owner", message)
}

/// Refuses who may not make somebody `role`, or change somebody who has it.
fn may_touch(tenant: &Tenant, role: Role) -> Result<(), ApiError> {
    match role {
        Role::Owner => tenant.require(Operation::ManageOwners),
        _ => Ok(()),
    }
}

/// Refuses to leave the business without an owner. The business is held.
fn an_owner_stays(tx: &mut Tx<'_>, tenant: &Tenant) -> Result<(), ApiError> {
    if memberships::owners(tx.conn, tenant.business)? <= 1 {
        return Err(last_owner());
    }
    Ok(())
}

/// Give a member, or somebody who was invited, another role. Only an owner makes owners and changes them.
#[utoipa::path(
    patch,
    path = "/api/v1/members/{id}",
    operation_id = "updateMember",
    tag = "business",
    params(("id" = Uuid, Path, description = "Which membership or invitation.")),
    request_body = ChangeRequest,
    responses(
        (status = 200, description = "The member as they are now.", body = MemberBody),
        (status = 409, description = "`last_owner`: a business has at least one owner.", body = ErrorBody)
    )
)]
pub(crate) async fn change(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::ManageMembers).await?;
    let id: Uuid = path_id(&request, "id").ok_or_else(not_found)?;
    let role = decode(&body::json(&request, payload).await?, |fields| fields.text("role", Role::parse))?;
    let this = app.get_ref().clone();
    let write = app.platform.database.write(move |tx| {
        businesses::hold(tx.conn, tenant.business)?;
        let now = Time::from(tx.now());
        let found = find(tx.conn, &tenant, id, now)?;
        may_touch(&tenant, role)?;
        match found {
            Found::Member(row) => change_member(tx, &this, &tenant, row, role),
            Found::Invited(row) => change_invited(tx, &tenant, row, role),
        }
    });
    Ok(HttpResponse::Ok().json(write.await?))
}

fn change_member(
    tx: &mut Tx<'_>,
    app: &App,
    tenant: &Tenant,
    row: MemberRow,
    role: Role,
) -> Result<MemberBody, ApiError> {
    let (before, now) = (Role::from_stored(&row.role), Time::from(tx.now()));
    may_touch(tenant, before)?;
    if before == role {
        return Ok(row.into());
    }
    if before == Role::Owner {
        an_owner_stays(tx, tenant)?;
    }
    memberships::set_role(tx.conn, tenant.business, row.id, role, now)?;
    let details = json!({"from": before.as_str(), "to": role.as_str(), "email": row.email});
    audit::note(tx, &tenant.actor(), Event::on(Action::RoleChanged, row.id.0).with(details))?;
    let user = UserId(row.user_id.0);
    if role < before {
        invitations::revoke_by(tx.conn, tenant.business, user, now)?;
    }
    forget_standing(tx, app, user);
    Ok(MemberRow { role: role.as_str().to_owned(), ..row }.into())
}

fn change_invited(
    tx: &mut Tx<'_>,
    tenant: &Tenant,
    row: Invitation,
    role: Role,
) -> Result<MemberBody, ApiError> {
    may_touch(tenant, Role::from_stored(&row.role))?;
    invitations::set_role(tx.conn, tenant.business, row.id, role)?;
    let details = json!({"from": row.role, "to": role.as_str(), "email": row.email});
    audit::note(tx, &tenant.actor(), Event::on(Action::InvitationChanged, row.id.0).with(details))?;
    Ok(Invitation { role: role.as_str().to_owned(), ..row }.into())
}

/// What a user's tokens stand for is asked again.
fn forget_standing(tx: &mut Tx<'_>, app: &App, user: UserId) {
    let standings = app.standings.clone();
    tx.after_commit(move || standings.forget(|standing| standing.user == user));
}

/// Remove a member, or take an invitation back. A removed member's tokens are refused by every replica within five seconds; the
/// keys of projects stay. Only an owner removes owners.
#[utoipa::path(
    delete,
    path = "/api/v1/members/{id}",
    operation_id = "removeMember",
    tag = "business",
    params(("id" = Uuid, Path, description = "Which membership or invitation.")),
    responses(
        (status = 204, description = "They are no member, and not invited."),
        (status = 409, description = "`last_owner`: a business has at least one owner.", body = ErrorBody)
    )
)]
pub(crate) async fn remove(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::ManageMembers).await?;
    let id: Uuid = path_id(&request, "id").ok_or_else(not_found)?;
    let this = app.get_ref().clone();
    let write = app.platform.database.write(move |tx| {
        businesses::hold(tx.conn, tenant.business)?;
        let now = Time::from(tx.now());
        match find(tx.conn, &tenant, id, now)? {
            Found::Member(row) => remove_member(tx, &this, &tenant, &row),
            Found::Invited(row) => {
                may_touch(&tenant, Role::from_stored(&row.role))?;
                invitations::end(tx.conn, tenant.business, row.id, invitations::REVOKED, now)?;
                let event = Event::on(Action::InvitationRevoked, id).with(json!({"email": row.email}));
                Ok(audit::note(tx, &tenant.actor(), event)?)
            }
        }
    });
    write.await?;
    Ok(HttpResponse::NoContent().finish())
}

fn remove_member(tx: &mut Tx<'_>, app: &App, tenant: &Tenant, row: &MemberRow) -> Result<(), ApiError> {
    let role = Role::from_stored(&row.role);
    may_touch(tenant, role)?;
    if role == Role::Owner {
        an_owner_stays(tx, tenant)?;
    }
    let (user, now) = (UserId(row.user_id.0), Time::from(tx.now()));
    memberships::remove(tx.conn, tenant.business, row.id)?;
    sessions::revoke_all(tx.conn, user, tenant.business, now)?;
    invitations::revoke_by(tx.conn, tenant.business, user, now)?;
    let details = json!({"email": row.email, "role": row.role});
    audit::note(tx, &tenant.actor(), Event::on(Action::MemberRemoved, row.id.0).with(details))?;
    forget_standing(tx, app, user);
    Ok(())
}
