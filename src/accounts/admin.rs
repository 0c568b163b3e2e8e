//! Who works here, for admins to say and for staff with `settings` to see.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use serde::Deserialize;

use super::model::{StaffMember, User};
use super::service::{self, NewStaff, StaffInput};
use super::urls;
use crate::app::App;
use crate::ctx::{Permission, Role, Rule};
use crate::error::{Error, FieldErrors};
use crate::types::{TextEnum, UserId};
use crate::web::form::{Form, version};
use crate::web::html::page_with;
use crate::web::{Answer, Flash, Shell, Template, Viewer, page, redirect};

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new()
        .route(urls::ADMIN_STAFF, get(list))
        .route(urls::ADMIN_STAFF_NEW, get(new).post(add))
        .route(
            &format!("{}/{{id}}", urls::ADMIN_STAFF),
            get(show).post(save),
        )
}

/// What a permission lets staff do.
fn explained(permission: Permission) -> &'static str {
    match permission {
        Permission::Catalog => {
            "Products with their prices and pictures, categories, reviews, search, imports."
        }
        Permission::Inventory => "How many pieces are on the shelf.",
        Permission::Orders => "See all orders, move them on, record payments, cancel.",
        Permission::Customers => "People's accounts.",
        Permission::Promotions => "Discounts and coupons.",
        Permission::Settings => "The shop's settings; see who works here.",
        Permission::Reports => "Figures of the shop.",
    }
}

/// What a role means.
fn meaning(role: Role) -> &'static str {
    match role {
        Role::Customer => "Works here no more; their account, orders and reviews stay.",
        Role::Staff => "Works on the parts of the shop that are ticked below.",
        Role::Admin => "May do everything, and says who else works here.",
    }
}

/// The roles to choose from, with what they mean.
fn choices(roles: &[Role]) -> Vec<(Role, &'static str)> {
    roles.iter().map(|&role| (role, meaning(role))).collect()
}

/// What somebody may work on, in a line.
fn allowed(user: &User) -> String {
    match user.role {
        Role::Admin => "Everything".to_owned(),
        _ if user.permissions.is_empty() => "Nothing yet".to_owned(),
        _ => {
            let labels: Vec<String> = user.permissions.iter().map(|one| one.label()).collect();
            labels.join(", ")
        }
    }
}

/// Role and permissions, as a form has them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct StaffForm {
    version: String,
    email: String,
    role: String,
    permissions: Vec<String>,
}

impl StaffForm {
    fn of(member: &StaffMember) -> Self {
        let permissions = member.user.permissions.iter();
        Self {
            version: member.version.to_string(),
            email: String::new(),
            role: member.user.role.to_string(),
            permissions: permissions.map(ToString::to_string).collect(),
        }
    }

    /// Every permission, what it lets staff do, and whether it is ticked.
    fn parts(&self) -> Vec<(Permission, &'static str, bool)> {
        let has = |one: Permission| self.permissions.iter().any(|word| word == one.as_str());
        let all = Permission::ALL.iter();
        all.map(|&one| (one, explained(one), has(one))).collect()
    }
}

#[derive(Template)]
#[template(path = "accounts/admin_staff.html")]
struct ListPage {
    shell: Shell,
    staff: Vec<StaffMember>,
    /// Whether the viewer may change it.
    may_change: bool,
}

impl ListPage {
    fn allowed(&self, user: &User) -> String {
        allowed(user)
    }
}

async fn list(State(app): State<App>, viewer: Viewer) -> Answer {
    let staff = service::list_staff(&app, &viewer.ctx).await?;
    page(&ListPage {
        may_change: viewer.ctx.allows(Rule::Admin),
        shell: viewer.shell,
        staff,
    })
}

#[derive(Template)]
#[template(path = "accounts/admin_staff_new.html")]
struct NewPage {
    shell: Shell,
    form: StaffForm,
    roles: Vec<(Role, &'static str)>,
    errors: FieldErrors,
}

impl NewPage {
    fn new(viewer: Viewer, form: StaffForm, errors: FieldErrors) -> Self {
        Self {
            shell: viewer.shell,
            form,
            roles: choices(&[Role::Staff, Role::Admin]),
            errors,
        }
    }
}

async fn new(viewer: Viewer) -> Answer {
    viewer.ctx.check(Rule::Admin)?;
    let form = StaffForm {
        role: Role::Staff.to_string(),
        ..StaffForm::default()
    };
    page(&NewPage::new(viewer, form, FieldErrors::default()))
}

async fn add(State(app): State<App>, viewer: Viewer, Form(form): Form<StaffForm>) -> Answer {
    let input = NewStaff {
        email: form.email.clone(),
        role: Some(form.role.clone()),
        permissions: Some(form.permissions.clone()),
    };
    match service::add_staff(&app, &viewer.ctx, input).await {
        Ok(member) => {
            let news = format!("{} works here now.", member.user.name);
            viewer.flash(Flash::good(news)).await?;
            redirect(urls::ADMIN_STAFF)
        }
        Err(Error::Invalid(errors)) => {
            let again = NewPage::new(viewer, form, errors);
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &again)
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Template)]
#[template(path = "accounts/admin_staff_member.html")]
struct MemberPage {
    shell: Shell,
    member: StaffMember,
    form: StaffForm,
    roles: Vec<(Role, &'static str)>,
    /// Whether the viewer may change it.
    may_change: bool,
    /// Whether it is the viewer.
    is_self: bool,
    errors: FieldErrors,
    /// What stands against the change; empty for nothing.
    conflict: String,
}

impl MemberPage {
    /// What they may work on, as it is kept.
    fn allowed(&self) -> String {
        allowed(&self.member.user)
    }

    fn new(viewer: Viewer, member: StaffMember, form: StaffForm) -> Self {
        Self {
            may_change: viewer.ctx.allows(Rule::Admin),
            is_self: viewer.ctx.is(member.user.id),
            shell: viewer.shell,
            member,
            form,
            roles: choices(&[Role::Staff, Role::Admin, Role::Customer]),
            errors: FieldErrors::default(),
            conflict: String::new(),
        }
    }
}

async fn show(State(app): State<App>, viewer: Viewer, Path(id): Path<i64>) -> Answer {
    let member = service::staff_member(&app, &viewer.ctx, UserId(id)).await?;
    let form = StaffForm::of(&member);
    page(&MemberPage::new(viewer, member, form))
}

async fn save(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<i64>,
    Form(mut form): Form<StaffForm>,
) -> Answer {
    let id = UserId(id);
    let input = StaffInput {
        role: Some(form.role.clone()),
        permissions: Some(form.permissions.clone()),
    };
    let saved = service::update_staff(&app, &viewer.ctx, id, version(&form.version), input).await;
    let (status, errors, conflict) = match saved {
        Ok(member) => return saved_flash(&viewer, &member.user).await,
        Err(Error::Invalid(errors)) => (StatusCode::UNPROCESSABLE_ENTITY, errors, String::new()),
        Err(Error::Conflict { detail, .. }) => {
            (StatusCode::CONFLICT, FieldErrors::default(), detail)
        }
        Err(Error::Stale) => (StatusCode::CONFLICT, FieldErrors::default(), String::new()),
        Err(error) => return Err(error.into()),
    };
    let member = service::staff_member(&app, &viewer.ctx, id).await?;
    let conflict = if status == StatusCode::CONFLICT && conflict.is_empty() {
        // What was ticked is kept; saving it again is a decision.
        form.version = member.version.to_string();
        let (role, parts) = (member.user.role, allowed(&member.user));
        format!(
            "Somebody else changed this meanwhile. They are {role} now and may work on: {parts}. \
            What you chose is below; saving it replaces theirs."
        )
    } else {
        conflict
    };
    let again = MemberPage {
        errors,
        conflict,
        ..MemberPage::new(viewer, member, form)
    };
    page_with(status, &again)
}

async fn saved_flash(viewer: &Viewer, user: &User) -> Answer {
    let news = match user.role {
        Role::Customer => format!("{} works here no more.", user.name),
        Role::Staff | Role::Admin => format!("What {} may do was saved.", user.name),
    };
    viewer.flash(Flash::good(news)).await?;
    redirect(urls::ADMIN_STAFF)
}
