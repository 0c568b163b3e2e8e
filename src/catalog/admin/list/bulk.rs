//! Many products changed at once: what would change, then the change of what was shown.

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum_extra::extract::Query;
use serde::Deserialize;

use super::narrowed::Narrowed;
use crate::app::App;
use crate::catalog::admin::{category_choices, link};
use crate::catalog::model::CategoryTree;
use crate::catalog::service::bulk::{
    self, Applied, BulkInput, BulkKind, Change, Planned, Preview, Seen, Selection, Skipped,
};
use crate::catalog::{service, urls};
use crate::ctx::Permission;
use crate::error::{Error, FieldErrors, Result};
use crate::types::{CategoryId, Page, PageRequest, ProductId, TextEnum};
use crate::web::form::Form;
use crate::web::html::page_with;
use crate::web::{Answer, Flash, Link, Pager, Shell, Template, Viewer, page, redirect};

/// Products on a page of the preview.
const SHOWN: u32 = 25;
/// The most variants of one product that the preview names.
const LINES: usize = 100;

/// What was chosen in the list, and what was typed beside the preview.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    /// The word of a [`BulkKind`].
    #[serde(rename = "do")]
    action: String,
    /// `all` for all that the filter shows; else what is ticked.
    scope: String,
    /// What is ticked.
    id: Vec<String>,
    to_category: String,
    with_tag: String,
    percent: String,
    direction: String,
    former: String,
    ending: String,
    /// Whether the fields above were there to be filled in.
    go: String,
    /// The page of the list that one came from.
    from: String,
    /// Of the confirmation: what was shown.
    seen: String,
    /// The query of the list that one came from.
    back: String,
    /// How many products were changed so far, of how many.
    done: String,
    total: String,
}

impl Asked {
    fn kind(&self) -> Option<BulkKind> {
        BulkKind::from_word(&self.action)
    }

    fn input(&self) -> BulkInput {
        let text = |text: &String| Some(text.clone());
        let sign = if self.direction == "down" { "-" } else { "" };
        BulkInput {
            action: self.action.clone(),
            category_id: self.to_category.parse().ok().map(CategoryId),
            tag: text(&self.with_tag),
            percent: Some(format!("{sign}{}", self.percent.trim())),
            former_price: text(&self.former),
            ending: text(&self.ending),
        }
    }

    fn selection(&self, list: &Narrowed, app: &App) -> Selection {
        if self.scope == "all" {
            Selection::Filter(Box::new(list.filter(app.currency()).0))
        } else {
            let ids = self.id.iter().filter_map(|id| id.parse().ok());
            Selection::Ids(ids.map(ProductId).collect())
        }
    }

    /// What the form below the preview carries on, beside the list's own fields.
    fn fields(&self) -> Vec<(&'static str, String)> {
        let all = [
            ("do", &self.action),
            ("to_category", &self.to_category),
            ("with_tag", &self.with_tag),
            ("percent", &self.percent),
            ("direction", &self.direction),
            ("former", &self.former),
            ("ending", &self.ending),
        ];
        all.into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name, value.clone()))
            .collect()
    }
}

/// The choices of the list's bar.
pub(super) fn actions() -> Vec<(String, String)> {
    let each = |kind: &BulkKind| (kind.to_string(), words(*kind).to_owned());
    BulkKind::ALL.iter().map(each).collect()
}

fn words(kind: BulkKind) -> &'static str {
    match kind {
        BulkKind::Publish => "Put on sale",
        BulkKind::Unpublish => "Make drafts",
        BulkKind::Archive => "Archive",
        BulkKind::Category => "Move to a category",
        BulkKind::AddTag => "Add a tag",
        BulkKind::RemoveTag => "Take a tag away",
        BulkKind::Price => "Change prices",
        BulkKind::Delete => "Delete",
    }
}

#[derive(Template)]
#[template(path = "catalog/admin_bulk.html")]
struct BulkPage {
    shell: Shell,
    crumbs: Vec<Link>,
    kind: BulkKind,
    asked: Asked,
    errors: FieldErrors,
    categories: Vec<(String, String)>,
    /// The list that one came from, for its fields.
    list: Narrowed,
    /// None as long as something is missing.
    preview: Option<Shown>,
}

/// The preview as it is drawn.
struct Shown {
    selected: usize,
    rows: Page<Row>,
    pager: Pager,
    skipped: Vec<Skipped>,
    seen: String,
}

/// A product that changes.
struct Row {
    id: ProductId,
    name: String,
    lines: Vec<Line>,
    /// Lines that are not shown.
    more: usize,
}

/// A value before and after.
struct Line {
    /// Which variant; empty for the product.
    what: String,
    before: String,
    after: String,
    /// What is struck through before and after, where that changes.
    former: Option<(String, String)>,
}

impl BulkPage {
    fn words(&self) -> &'static str {
        words(self.kind)
    }

    fn has_fields(&self) -> bool {
        has_fields(self.kind)
    }

    fn is_price(&self) -> bool {
        self.kind == BulkKind::Price
    }

    fn is_delete(&self) -> bool {
        self.kind == BulkKind::Delete
    }

    fn directions() -> Vec<(String, String)> {
        choices(&[("down", "Down"), ("up", "Up")])
    }

    fn formers() -> Vec<(String, String)> {
        choices(&[
            ("leave", "Leave it as it is"),
            ("keep", "Keep the old price as former price"),
            ("clear", "Take it away"),
        ])
    }

    fn back(&self) -> String {
        self.list.address(urls::ADMIN_PRODUCTS)
    }
}

fn choices(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(value, words): &(&str, &str)| ((*value).to_owned(), (*words).to_owned());
    pairs.iter().map(owned).collect()
}

fn has_fields(kind: BulkKind) -> bool {
    matches!(
        kind,
        BulkKind::Category | BulkKind::AddTag | BulkKind::RemoveTag | BulkKind::Price
    )
}

impl Row {
    fn new(planned: Planned, tree: &CategoryTree) -> Self {
        let line = |before: String, after: String| Line {
            what: String::new(),
            before,
            after,
            former: None,
        };
        let category = |id: Option<CategoryId>| {
            let found = id.and_then(|id| tree.get(id));
            found.map_or_else(|| "none".to_owned(), |found| found.name.clone())
        };
        let money = |price: Option<crate::types::Money>| {
            price.map_or_else(|| "none".to_owned(), |price| price.to_string())
        };
        let listed = |tags: Vec<String>| {
            if tags.is_empty() {
                "none".to_owned()
            } else {
                tags.join(", ")
            }
        };
        let mut lines: Vec<Line> = match planned.change {
            Change::Status(before, after) => vec![line(before.label(), after.label())],
            Change::Category(before, after) => vec![line(category(before), category(after))],
            Change::Tags(before, after) => vec![line(listed(before), listed(after))],
            Change::Deleted => vec![line("never ordered".to_owned(), "goes for good".to_owned())],
            Change::Prices(prices) => prices
                .into_iter()
                .map(|price| Line {
                    what: if price.variant.is_empty() {
                        price.sku
                    } else {
                        price.variant
                    },
                    before: price.before.to_string(),
                    after: price.after.to_string(),
                    former: (price.former_before != price.former_after)
                        .then(|| (money(price.former_before), money(price.former_after))),
                })
                .collect(),
        };
        let more = lines.len().saturating_sub(LINES);
        lines.truncate(LINES);
        Self {
            id: planned.id,
            name: planned.name,
            lines,
            more,
        }
    }
}

/// What would change.
pub(super) async fn ask(
    State(app): State<App>,
    viewer: Viewer,
    uri: Uri,
    Query(list): Query<Narrowed>,
    Query(asked): Query<Asked>,
) -> Answer {
    viewer.ctx.require(Permission::Catalog)?;
    let request = PageRequest::typed(&list.page, SHOWN);
    let list = Narrowed {
        page: asked.from.clone(),
        ..list
    };
    let back = list.address(urls::ADMIN_PRODUCTS);
    let Some(kind) = asked.kind() else {
        return turn_back(&viewer, "Choose what to do with the products.", &back).await;
    };
    let selection = asked.selection(&list, &app);
    if selection == Selection::Ids(Vec::new()) {
        return turn_back(
            &viewer,
            "Tick at least one product, or take all that fit.",
            &back,
        )
        .await;
    }
    let tree = service::categories_for_staff(&app, &viewer.ctx).await?;
    let (mut errors, mut preview) = (FieldErrors::default(), None);
    if !has_fields(kind) || !asked.go.is_empty() {
        match look(&app, &viewer, &asked, &selection, request).await {
            Ok(found) => preview = Some(found),
            Err(Error::Invalid(found)) if !found.of("selection").is_empty() => {
                return turn_back(&viewer, found.of("selection"), &back).await;
            }
            Err(Error::Invalid(found)) => errors = found,
            Err(error) => return Err(error.into()),
        }
    }
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let template = BulkPage {
        shell: viewer.shell,
        crumbs: vec![link("Products", &back)],
        kind,
        asked,
        errors,
        categories: category_choices(&tree, "Choose a category"),
        list,
        preview: preview.map(|preview| shown(preview, &tree, &uri)),
    };
    page_with(status, &template)
}

async fn look(
    app: &App,
    viewer: &Viewer,
    asked: &Asked,
    selection: &Selection,
    request: PageRequest,
) -> Result<Preview> {
    let action = asked.input().read(app.currency())?;
    bulk::preview(app, &viewer.ctx, selection, &action, request).await
}

fn shown(preview: Preview, tree: &CategoryTree, uri: &Uri) -> Shown {
    Shown {
        selected: preview.selected,
        pager: Pager::new(&preview.changes, uri),
        rows: preview.changes.map(|planned| Row::new(planned, tree)),
        skipped: preview.skipped,
        seen: preview.seen.to_string(),
    }
}

async fn turn_back(viewer: &Viewer, words: &str, back: &str) -> Answer {
    viewer.flash(Flash::warning(words)).await?;
    redirect(back)
}

/// So many are done, some wait.
#[derive(Template)]
#[template(path = "catalog/admin_bulk_progress.html")]
struct ProgressPage {
    shell: Shell,
    crumbs: Vec<Link>,
    asked: Asked,
    done: usize,
    total: usize,
    rest: String,
}

/// Changes what was shown.
pub(super) async fn confirm(
    State(app): State<App>,
    viewer: Viewer,
    Form(asked): Form<Asked>,
) -> Answer {
    viewer.ctx.require(Permission::Catalog)?;
    let back = match asked.back.as_str() {
        "" => urls::ADMIN_PRODUCTS.to_owned(),
        query => format!("{}?{query}", urls::ADMIN_PRODUCTS),
    };
    let applied = match change(&app, &viewer, &asked).await {
        Ok(applied) => applied,
        Err(Error::Invalid(errors)) => {
            let words = errors.iter().next().map(|(_, error)| error.message.clone());
            return turn_back(&viewer, &words.unwrap_or_default(), &back).await;
        }
        Err(error) => return Err(error.into()),
    };
    if !applied.skipped.is_empty() {
        viewer.flash(Flash::warning(told(&applied.skipped))).await?;
    }
    let before: usize = asked.done.parse().unwrap_or(0);
    let done = before.saturating_add(applied.changed);
    if !applied.rest.is_empty() {
        let total = asked.total.parse().unwrap_or(0);
        return page(&ProgressPage {
            shell: viewer.shell,
            crumbs: vec![link("Products", &back)],
            done,
            total: done.saturating_add(applied.rest.len()).max(total),
            rest: applied.rest.to_string(),
            asked,
        });
    }
    if done > 0 {
        let words = match done {
            1 => "One product was changed.".to_owned(),
            done => format!("{done} products were changed."),
        };
        viewer.flash(Flash::good(words)).await?;
    }
    redirect(&back)
}

async fn change(app: &App, viewer: &Viewer, asked: &Asked) -> Result<Applied> {
    let action = asked.input().read(app.currency())?;
    let wrong = |rule| Error::invalid("seen", "invalid", rule);
    let seen: Seen = asked.seen.parse().map_err(wrong)?;
    bulk::apply(app, &viewer.ctx, &action, seen).await
}

/// What was left alone, in a sentence for each reason.
fn told(skipped: &[Skipped]) -> String {
    let one = |skipped: &Skipped| {
        let names = skipped.names.join(", ");
        let more = match skipped.count - skipped.names.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let count = skipped.count;
        let words = skipped.why.words();
        format!("{count} of the products {words}, and were left alone: {names}{more}.")
    };
    skipped.iter().map(one).collect::<Vec<_>>().join(" ")
}
