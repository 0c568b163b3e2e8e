//! Categories for staff: the tree, the form, and the question before deleting.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum_extra::extract::Query;
use serde::Deserialize;

use super::form::number;
use super::products::Decided;
use super::{Difference, category_choices, link};
use crate::app::App;
use crate::catalog::model::{Category, CategoryTree};
use crate::catalog::service::{self, CategoryInput};
use crate::catalog::urls;
use crate::ctx::Ctx;
use crate::error::{Error, FieldErrors, Result};
use crate::types::CategoryId;
use crate::web::form::Form;
use crate::web::html::page_with;
use crate::web::{Answer, Flash, Link, Shell, Template, Viewer, page, redirect};

pub(super) fn routes() -> Router<App> {
    let category = format!("{}/{{id}}", urls::ADMIN_CATEGORIES);
    Router::new()
        .route(urls::ADMIN_CATEGORIES, get(list))
        .route(urls::ADMIN_CATEGORY_NEW, get(new).post(create))
        .route(&category, get(edit).post(save))
        .route(&format!("{category}/delete"), get(ask_delete).post(delete))
}

#[derive(Template)]
#[template(path = "catalog/admin_categories.html")]
struct TreePage {
    shell: Shell,
    tree: CategoryTree,
}

async fn list(State(app): State<App>, viewer: Viewer) -> Answer {
    let tree = service::categories_for_staff(&app, &viewer.ctx).await?;
    page(&TreePage {
        shell: viewer.shell,
        tree,
    })
}

/// The form, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct CategoryForm {
    version: String,
    name: String,
    slug: String,
    parent_id: String,
    description: String,
    seo_title: String,
    seo_description: String,
    position: String,
}

impl CategoryForm {
    fn of(category: &Category) -> Self {
        Self {
            version: category.version.to_string(),
            name: category.name.clone(),
            slug: category.slug.to_string(),
            parent_id: category
                .parent_id
                .map_or(String::new(), |id| id.to_string()),
            description: category.description.clone(),
            seo_title: category.seo.title.clone(),
            seo_description: category.seo.description.clone(),
            position: category.position.to_string(),
        }
    }

    /// What is no number becomes -1, which the service refuses with a message at that field.
    fn input(&self) -> CategoryInput {
        CategoryInput {
            name: Some(self.name.clone()),
            slug: Some(self.slug.clone()),
            parent_id: Some(CategoryId(number(&self.parent_id))),
            description: Some(self.description.replace("\r\n", "\n")),
            seo_title: Some(self.seo_title.clone()),
            seo_description: Some(self.seo_description.replace("\r\n", "\n")),
            position: Some(number(&self.position)),
        }
    }

    fn version(&self) -> i64 {
        self.version.parse().unwrap_or(-1)
    }

    /// Takes up what somebody else wrote meanwhile and gives what differs from what was typed.
    fn catch_up(&mut self, current: &Category, tree: &CategoryTree) -> Vec<Difference> {
        let theirs = Self::of(current);
        let parent = |id: &str| {
            let found = tree.get(CategoryId(number(id)));
            found.map_or("", |category| &category.name).to_owned()
        };
        let differences = [
            ("Name", theirs.name.clone(), self.name.clone()),
            ("Name in URLs", theirs.slug.clone(), self.slug.clone()),
            ("Below", parent(&theirs.parent_id), parent(&self.parent_id)),
            (
                "Description",
                theirs.description.clone(),
                self.description.replace("\r\n", "\n"),
            ),
            (
                "Search title",
                theirs.seo_title.clone(),
                self.seo_title.clone(),
            ),
            (
                "Search description",
                theirs.seo_description.clone(),
                self.seo_description.clone(),
            ),
            ("Place", theirs.position.clone(), self.position.clone()),
        ];
        self.version = theirs.version;
        differences
            .into_iter()
            .filter(|(_, theirs, yours)| theirs != yours)
            .map(|(label, theirs, yours)| Difference {
                label: label.to_owned(),
                theirs,
                yours,
            })
            .collect()
    }
}

#[derive(Template)]
#[template(path = "catalog/admin_category.html")]
struct CategoryPage {
    shell: Shell,
    crumbs: Vec<Link>,
    parents: Vec<(String, String)>,
    form: CategoryForm,
    errors: FieldErrors,
    conflict: Option<Vec<Difference>>,
    /// None for a new one.
    category: Option<Category>,
}

impl CategoryPage {
    fn action(&self) -> String {
        match &self.category {
            Some(category) => urls::admin_category(category.id),
            None => urls::ADMIN_CATEGORY_NEW.to_owned(),
        }
    }
}

fn draw(
    viewer: Viewer,
    status: StatusCode,
    tree: &CategoryTree,
    category: Option<Category>,
    form: CategoryForm,
    errors: FieldErrors,
    conflict: Option<Vec<Difference>>,
) -> Answer {
    let mut parents = category_choices(tree, "At the top");
    if let Some(category) = &category {
        // It cannot stand below itself.
        let below = tree.with_descendants(category.id);
        parents.retain(|(id, _)| !below.iter().any(|one| one.to_string() == *id));
    }
    let template = CategoryPage {
        shell: viewer.shell,
        crumbs: vec![link("Categories", urls::ADMIN_CATEGORIES)],
        parents,
        form,
        errors,
        conflict,
        category,
    };
    page_with(status, &template)
}

/// The category above a new one, as the link to the form says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Below {
    parent: String,
}

async fn new(State(app): State<App>, viewer: Viewer, Query(below): Query<Below>) -> Answer {
    let tree = service::categories_for_staff(&app, &viewer.ctx).await?;
    let form = CategoryForm {
        parent_id: below.parent,
        position: "0".to_owned(),
        ..CategoryForm::default()
    };
    draw(
        viewer,
        StatusCode::OK,
        &tree,
        None,
        form,
        FieldErrors::default(),
        None,
    )
}

async fn create(State(app): State<App>, viewer: Viewer, Form(form): Form<CategoryForm>) -> Answer {
    match service::create_category(&app, &viewer.ctx, form.input()).await {
        Ok(category) => saved(&viewer, &category, "was made").await,
        Err(Error::Invalid(errors)) => {
            let tree = service::categories_for_staff(&app, &viewer.ctx).await?;
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            draw(viewer, status, &tree, None, form, errors, None)
        }
        Err(error) => Err(error.into()),
    }
}

async fn saved(viewer: &Viewer, category: &Category, done: &str) -> Answer {
    let words = format!("\u{201c}{}\u{201d} {done}.", category.name);
    viewer.flash(Flash::good(words)).await?;
    redirect(urls::ADMIN_CATEGORIES)
}

/// A category with the tree that it stands in.
async fn current(app: &App, ctx: &Ctx, id: CategoryId) -> Result<(CategoryTree, Category)> {
    let tree = service::categories_for_staff(app, ctx).await?;
    let category = tree.get(id).cloned().ok_or(Error::NotFound)?;
    Ok((tree, category))
}

async fn edit(State(app): State<App>, viewer: Viewer, Path(id): Path<CategoryId>) -> Answer {
    let (tree, category) = current(&app, &viewer.ctx, id).await?;
    let form = CategoryForm::of(&category);
    let errors = FieldErrors::default();
    draw(
        viewer,
        StatusCode::OK,
        &tree,
        Some(category),
        form,
        errors,
        None,
    )
}

async fn save(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<CategoryId>,
    Form(mut form): Form<CategoryForm>,
) -> Answer {
    let version = Some(form.version());
    match service::update_category(&app, &viewer.ctx, id, version, form.input()).await {
        Ok(category) => saved(&viewer, &category, "was saved").await,
        Err(Error::Invalid(errors)) => {
            let (tree, category) = current(&app, &viewer.ctx, id).await?;
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            draw(viewer, status, &tree, Some(category), form, errors, None)
        }
        Err(Error::Stale) => {
            let (tree, category) = current(&app, &viewer.ctx, id).await?;
            let conflict = Some(form.catch_up(&category, &tree));
            let (status, errors) = (StatusCode::CONFLICT, FieldErrors::default());
            draw(
                viewer,
                status,
                &tree,
                Some(category),
                form,
                errors,
                conflict,
            )
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Template)]
#[template(path = "catalog/admin_category_delete.html")]
struct DeletePage {
    shell: Shell,
    crumbs: Vec<Link>,
    category: Category,
    /// The category above, which gets what stands in this one.
    parent: Option<Category>,
}

async fn ask_delete(State(app): State<App>, viewer: Viewer, Path(id): Path<CategoryId>) -> Answer {
    let (tree, category) = current(&app, &viewer.ctx, id).await?;
    page(&DeletePage {
        shell: viewer.shell,
        crumbs: vec![
            link("Categories", urls::ADMIN_CATEGORIES),
            link(&category.name, urls::admin_category(id)),
        ],
        parent: category.parent_id.and_then(|id| tree.get(id)).cloned(),
        category,
    })
}

async fn delete(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<CategoryId>,
    Form(decided): Form<Decided>,
) -> Answer {
    match service::delete_category(&app, &viewer.ctx, id, decided.version()).await {
        Ok(()) => {
            viewer
                .flash(Flash::good("The category was deleted."))
                .await?;
            redirect(urls::ADMIN_CATEGORIES)
        }
        Err(Error::Stale) => {
            let words =
                "Somebody changed this category meanwhile. Look again before you delete it.";
            viewer.flash(Flash::warning(words)).await?;
            redirect(&urls::admin_category(id))
        }
        Err(error) => Err(error.into()),
    }
}
