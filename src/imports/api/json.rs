//! Imports as the API writes them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::imports::model::{
    Batch, Change, Item, Outcome, Picture, PictureState, Problem, Verdict,
};
use crate::imports::service::Overview;

/// An upload.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only describes the form in the OpenAPI document")]
pub(super) struct ImportUpload {
    /// A CSV file of Shopify's, of WooCommerce's or of an export of this shop.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// An import.
#[derive(Serialize, ToSchema)]
pub(super) struct ImportJson {
    /// Its id.
    id: i64,
    /// What the file is called.
    file: String,
    /// Its size in bytes.
    bytes: i64,
    /// `zoco`, `shopify` or `woocommerce`.
    format: &'static str,
    /// Columns that nobody reads.
    ignored_columns: Vec<String>,
    /// `reading`, `comparing`, `ready` (the dry run is done), `failed`, `applying`, `applied`,
    /// `stopped`, `reverting` or `reverted`.
    state: &'static str,
    /// Why it failed, or null.
    problem: Option<String>,
    /// How many products of the file are what.
    products: ImportCountsJson,
    /// Rows with mistakes.
    errors: i64,
    /// The pictures that it brings.
    pictures: ImportPicturesJson,
    /// When it was brought.
    created_at: String,
    /// When something last happened to it.
    updated_at: String,
}

/// How many products of an import are what.
#[derive(Serialize, ToSchema)]
pub(super) struct ImportCountsJson {
    /// All that were read.
    total: i64,
    /// The shop does not have them.
    new: i64,
    /// Something of them would change, or has changed.
    changed: i64,
    /// They are as the file says.
    unchanged: i64,
    /// Something is wrong with them: they are left out.
    error: i64,
    /// They are written.
    applied: i64,
    /// Left alone: somebody changed them since the dry run.
    conflict: i64,
    /// Left alone: the shop refused them.
    refused: i64,
    /// They are put back.
    reverted: i64,
    /// Not put back: somebody changed them since.
    kept: i64,
}

/// How many pictures of an import are there.
#[derive(Serialize, ToSchema)]
pub(super) struct ImportPicturesJson {
    /// Not fetched yet.
    waiting: i64,
    /// They stand with their products.
    fetched: i64,
    /// They could not be had.
    failed: i64,
}

impl From<Overview> for ImportJson {
    fn from(overview: Overview) -> Self {
        let Overview {
            batch,
            counts,
            errors,
            pictures,
        } = overview;
        Self {
            id: batch.id.0,
            file: batch.file_name,
            bytes: batch.file_bytes,
            format: batch.format.as_str(),
            ignored_columns: batch.ignored,
            state: batch.state.as_str(),
            problem: Some(batch.problem).filter(|problem| !problem.is_empty()),
            products: ImportCountsJson {
                total: counts.total(),
                new: counts.of(Verdict::New),
                changed: counts.of(Verdict::Changed),
                unchanged: counts.of(Verdict::Unchanged),
                error: counts.of(Verdict::Error),
                applied: counts.with(Outcome::Applied),
                conflict: counts.with(Outcome::Conflict),
                refused: counts.with(Outcome::Refused),
                reverted: counts.with(Outcome::Reverted),
                kept: counts.with(Outcome::Kept),
            },
            errors,
            pictures: ImportPicturesJson {
                waiting: pictures.of(PictureState::Waiting),
                fetched: pictures.of(PictureState::Fetched),
                failed: pictures.of(PictureState::Failed),
            },
            created_at: batch.created_at.rfc3339(),
            updated_at: batch.updated_at.rfc3339(),
        }
    }
}

/// An import in a list.
#[derive(Serialize, ToSchema)]
pub(super) struct ImportCardJson {
    /// Its id.
    id: i64,
    /// What the file is called.
    file: String,
    /// `zoco`, `shopify` or `woocommerce`.
    format: &'static str,
    /// How far it is.
    state: &'static str,
    /// When it was brought.
    created_at: String,
}

impl From<Batch> for ImportCardJson {
    fn from(batch: Batch) -> Self {
        Self {
            id: batch.id.0,
            file: batch.file_name,
            format: batch.format.as_str(),
            state: batch.state.as_str(),
            created_at: batch.created_at.rfc3339(),
        }
    }
}

/// A product of an import.
#[derive(Serialize, ToSchema)]
pub(super) struct ImportProductJson {
    /// The line of its first row, from 1.
    line: i64,
    /// Its name.
    name: String,
    /// `read`, `new`, `changed`, `unchanged` or `error`.
    verdict: &'static str,
    /// `waiting`, `applied`, `conflict`, `refused`, `reverted` or `kept`.
    outcome: &'static str,
    /// The product in the catalog, or null.
    product_id: Option<i64>,
    /// What would change, or has changed.
    changes: Vec<ImportChangeJson>,
    /// Why it was left alone, or null.
    problem: Option<String>,
}

/// A field that differs.
#[derive(Serialize, ToSchema)]
pub(super) struct ImportChangeJson {
    /// Its name, for people.
    field: String,
    /// What it is; empty for nothing.
    before: String,
    /// What it would be; empty for nothing.
    after: String,
}

impl From<Change> for ImportChangeJson {
    fn from(change: Change) -> Self {
        Self {
            field: change.field,
            before: change.before,
            after: change.after,
        }
    }
}

impl From<Item> for ImportProductJson {
    fn from(item: Item) -> Self {
        Self {
            line: item.line,
            name: item.name,
            verdict: item.verdict.as_str(),
            outcome: item.outcome.as_str(),
            product_id: item.product_id.map(|id| id.0),
            changes: item
                .changes
                .into_iter()
                .map(ImportChangeJson::from)
                .collect(),
            problem: Some(item.problem).filter(|problem| !problem.is_empty()),
        }
    }
}

/// Something wrong with a row of the file.
#[derive(Serialize, ToSchema)]
pub(super) struct ImportErrorJson {
    /// The line of the file, from 1.
    line: i64,
    /// The column or field; null for the whole row.
    field: Option<String>,
    /// What is wrong.
    message: String,
}

impl From<Problem> for ImportErrorJson {
    fn from(problem: Problem) -> Self {
        Self {
            line: problem.line,
            field: Some(problem.field).filter(|field| !field.is_empty()),
            message: problem.message,
        }
    }
}

/// A picture of an import.
#[derive(Serialize, ToSchema)]
pub(super) struct ImportPictureJson {
    /// Where it is.
    url: String,
    /// The product in the catalog.
    product_id: i64,
    /// `waiting`, `fetched` or `failed`.
    state: &'static str,
    /// How often it was tried.
    attempts: i64,
    /// Why it could not be had, or null.
    problem: Option<String>,
    /// The picture in the catalog, or null.
    image_id: Option<i64>,
}

impl From<Picture> for ImportPictureJson {
    fn from(picture: Picture) -> Self {
        Self {
            url: picture.url,
            product_id: picture.product_id.0,
            state: picture.state.as_str(),
            attempts: picture.attempts,
            problem: Some(picture.problem).filter(|problem| !problem.is_empty()),
            image_id: picture.image_id.map(|id| id.0),
        }
    }
}
