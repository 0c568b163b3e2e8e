//! A new product made after another one.

use serde_json::{Value, json};

use super::write::subject;
use super::{ProductInput, ProductKey, create_product_in, product_for_staff};
use crate::app::App;
use crate::audit;
use crate::catalog::model::{Image, Product};
use crate::catalog::store;
use crate::ctx::{Ctx, Permission};
use crate::error::{Error, Result};
use crate::types::ImageId;

/// Longer names are cut off.
const MAX_NAME: usize = 200;

/// Makes a draft like a product, called `Copy of …`: with its options, variants, pictures (the same
/// files), attributes, tags and related products, but with a slug and SKUs of its own, nothing on
/// the shelf, and no barcodes, which belong to one thing each.
pub async fn duplicate_product(app: &App, ctx: &Ctx, key: &ProductKey) -> Result<Product> {
    ctx.require(Permission::Catalog)?;
    let model = product_for_staff(app, ctx, key).await?;
    let mut tx = app.db.begin().await?;
    let copy = create_product_in(app, ctx, &mut tx, input(&model)).await?;
    for image in &model.images {
        let image = Image {
            id: ImageId(0),
            ..image.clone()
        };
        store::insert_image(&mut tx, copy.id, &image, ctx.now).await?;
    }
    let model = json!({ "copy_of": model.id });
    let (action, subject) = ("product.duplicated", subject(copy.id));
    audit::record(&mut tx, ctx, action, &subject, Value::Null, model).await?;
    let copy = store::product(&mut tx, copy.id, app.currency()).await?;
    tx.commit().await?;
    copy.ok_or(Error::NotFound)
}

/// The model as a form would write a new product of its kind.
fn input(model: &Product) -> ProductInput {
    let name = format!("Copy of {}", model.name);
    let mut input = ProductInput::of(model);
    for variant in input.variants.iter_mut().flatten() {
        variant.id = None;
        variant.sku = None;
        variant.barcode = None;
        variant.stock = Some(0);
    }
    ProductInput {
        name: Some(name.chars().take(MAX_NAME).collect()),
        slug: None,
        status: Some("draft".to_owned()),
        publish_at: None,
        ..input
    }
}
