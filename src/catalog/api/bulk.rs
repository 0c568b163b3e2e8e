//! API: many products changed at once.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::query::StaffNarrowed;
use crate::app::App;
use crate::catalog::service::bulk::{
    self, Applied, BulkInput, Change, NewPrice, Planned, Preview, Selection, Skipped,
};
use crate::ctx::Permission;
use crate::error::Error;
use crate::types::{PageRequest, ProductId};
use crate::web::json::{Json, MoneyJson, Problem};
use crate::web::{ApiCtx, Failure};

/// The routes of this part of the API.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(change))
}

/// Which products: `ids` or `filter`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SelectionInput {
    /// These.
    ids: Option<Vec<i64>>,
    /// All that `GET /admin/products` lists with these; an empty object for all products.
    filter: Option<StaffNarrowed>,
}

/// What to do to which products.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BulkRequest {
    /// Which products. Needed without `seen`.
    selection: Option<SelectionInput>,
    /// What to do.
    change: BulkInput,
    /// `true`: only tell what would change.
    #[serde(default)]
    dry_run: bool,
    /// What a preview, or an answer with more to do, gave: just these products change, as far as
    /// they are as they were then.
    seen: Option<String>,
    /// Of a preview: the page of `changes`, from 1.
    page: Option<u32>,
    /// Of a preview: changes on a page, 1 to 100; left out: 24.
    per_page: Option<u32>,
}

/// What changes, or has changed.
#[derive(Serialize, ToSchema)]
struct BulkJson {
    /// Whether nothing was changed yet.
    dry_run: bool,
    /// How many products change, or were changed.
    changed: usize,
    /// Of a preview: what changes, a page of it.
    changes: Vec<PlannedJson>,
    /// What is left alone, and why.
    skipped: Vec<SkippedJson>,
    /// What to send as `seen` to change what this preview shows, or to go on; null when
    /// everything is done.
    seen: Option<String>,
    /// How many products `seen` names.
    remaining: usize,
}

/// A product that changes.
#[derive(Serialize, ToSchema)]
struct PlannedJson {
    /// Which.
    id: i64,
    /// Its name.
    name: String,
    /// What changes: `status`, `category_id`, `tags`, `prices` or `deleted`.
    what: &'static str,
    /// The value now; null for prices.
    #[schema(value_type = Object)]
    before: serde_json::Value,
    /// The value then; null for prices.
    #[schema(value_type = Object)]
    after: serde_json::Value,
    /// The prices of its variants that change.
    prices: Vec<NewPriceJson>,
}

/// The price of a variant before and after.
#[derive(Serialize, ToSchema)]
struct NewPriceJson {
    /// Which variant.
    variant_id: i64,
    /// The merchant's own number.
    sku: String,
    /// What it costs now.
    before: MoneyJson,
    /// What it will cost.
    after: MoneyJson,
    /// The former price as it is, or null.
    compare_at_before: Option<MoneyJson>,
    /// The former price as it will be, or null.
    compare_at_after: Option<MoneyJson>,
}

/// Products that are left alone for one reason.
#[derive(Serialize, ToSchema)]
struct SkippedJson {
    /// `unchanged`, `gone`, `changed_meanwhile`, `too_large` or `too_many_tags`.
    code: &'static str,
    /// For people.
    reason: &'static str,
    /// How many.
    count: usize,
    /// The names of up to 20 of them.
    names: Vec<String>,
}

/// Change many products at once (staff)
///
/// With `dry_run` it tells what would change and gives `seen`; sent back, just these products
/// change, and what somebody else changed meanwhile is left alone and told. At most 2000 products
/// change in one request: as long as the answer has a `seen`, send it back to go on.
#[utoipa::path(post, path = "/admin/products/bulk", tag = "catalog", request_body = BulkRequest,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key is answered with the first answer")),
    responses(
        (status = 200, body = BulkJson),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn change(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(request): Json<BulkRequest>,
) -> Result<Json<BulkJson>, Failure> {
    ctx.require(Permission::Catalog)?;
    let action = request.change.read(app.currency()).map_err(below_change)?;
    let page = PageRequest::new(
        request.page.unwrap_or(1),
        request.per_page.unwrap_or(PageRequest::DEFAULT_PER_PAGE),
    );
    if let Some(seen) = request.seen.as_deref().filter(|_| !request.dry_run) {
        let wrong = |rule| Error::invalid("seen", "invalid", rule);
        let applied = bulk::apply(&app, &ctx, &action, seen.parse().map_err(wrong)?).await;
        return Ok(Json(BulkJson::done(applied.map_err(below_change)?)));
    }
    let selection = selection(&app, request.selection).await?;
    let preview = bulk::preview(&app, &ctx, &selection, &action, page).await;
    let preview = preview.map_err(below_change)?;
    if request.dry_run {
        return Ok(Json(BulkJson::planned(preview)));
    }
    let mut applied = bulk::apply(&app, &ctx, &action, preview.seen).await?;
    applied.skipped.extend(preview.skipped);
    Ok(Json(BulkJson::done(applied)))
}

async fn selection(app: &App, input: Option<SelectionInput>) -> Result<Selection, Failure> {
    let input = input.unwrap_or_default();
    match (input.ids, input.filter) {
        (Some(ids), None) => Ok(Selection::Ids(ids.into_iter().map(ProductId).collect())),
        (None, Some(filter)) => Ok(Selection::Filter(Box::new(filter.filter(app).await?))),
        _ => {
            let message = "Give either ids or filter.";
            Err(Error::invalid("selection", "required", message).into())
        }
    }
}

/// Names the fields of `change` as the request does.
fn below_change(error: Error) -> Error {
    let Error::Invalid(errors) = error else {
        return error;
    };
    let mut named = crate::error::FieldErrors::default();
    for (field, error) in errors.iter() {
        let field = match field {
            "selection" => field.to_owned(),
            field => format!("change.{field}"),
        };
        named.add(&field, error.code, error.message.clone());
    }
    Error::Invalid(named)
}

impl BulkJson {
    fn planned(preview: Preview) -> Self {
        let remaining = preview.seen.len();
        Self {
            dry_run: true,
            changed: remaining,
            changes: preview
                .changes
                .items
                .into_iter()
                .map(PlannedJson::from)
                .collect(),
            skipped: preview.skipped.into_iter().map(SkippedJson::from).collect(),
            seen: (remaining > 0).then(|| preview.seen.to_string()),
            remaining,
        }
    }

    fn done(applied: Applied) -> Self {
        let remaining = applied.rest.len();
        Self {
            dry_run: false,
            changed: applied.changed,
            changes: Vec::new(),
            skipped: applied.skipped.into_iter().map(SkippedJson::from).collect(),
            seen: (remaining > 0).then(|| applied.rest.to_string()),
            remaining,
        }
    }
}

impl From<Planned> for PlannedJson {
    fn from(planned: Planned) -> Self {
        use serde_json::{Value, json};
        let (what, before, after, prices) = match planned.change {
            Change::Status(before, after) => (
                "status",
                json!(before.as_str()),
                json!(after.as_str()),
                vec![],
            ),
            Change::Category(before, after) => ("category_id", json!(before), json!(after), vec![]),
            Change::Tags(before, after) => ("tags", json!(before), json!(after), vec![]),
            Change::Deleted => ("deleted", json!(false), json!(true), vec![]),
            Change::Prices(prices) => ("prices", Value::Null, Value::Null, prices),
        };
        Self {
            id: planned.id.0,
            name: planned.name,
            what,
            before,
            after,
            prices: prices.into_iter().map(NewPriceJson::from).collect(),
        }
    }
}

impl From<NewPrice> for NewPriceJson {
    fn from(price: NewPrice) -> Self {
        Self {
            variant_id: price.variant_id.0,
            sku: price.sku,
            before: price.before.into(),
            after: price.after.into(),
            compare_at_before: price.former_before.map(MoneyJson::from),
            compare_at_after: price.former_after.map(MoneyJson::from),
        }
    }
}

impl From<Skipped> for SkippedJson {
    fn from(skipped: Skipped) -> Self {
        Self {
            code: skipped.why.as_str(),
            reason: skipped.why.words(),
            count: skipped.count,
            names: skipped.names,
        }
    }
}
