//! A new product made after another one.

use serde_json::json;

use super::write::subject;
use super::{
    AttributeInput, OptionInput, OptionValueInput, ProductInput, ProductKey, VariantInput,
    create_product_in, product_for_staff,
};
use crate::app::App;
use crate::audit;
use crate::catalog::model::{Image, Product};
use crate::catalog::store;
use crate::ctx::{Ctx, Permission};
use crate::error::{Error, Result};
use crate::types::{ImageId, MoneyInput};

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
    let before = json!({ "copy_of": model.id });
    let action = "product.duplicated";
    audit::record(&mut tx, ctx, action, &subject(copy.id), before, json!({})).await?;
    let copy = store::product(&mut tx, copy.id, app.currency()).await?;
    tx.commit().await?;
    copy.ok_or(Error::NotFound)
}

/// The model as a form would write it.
fn input(model: &Product) -> ProductInput {
    let name = format!("Copy of {}", model.name);
    let money = |price: crate::types::Money| MoneyInput::new(price.amount());
    let variant = |variant: &crate::catalog::Variant| VariantInput {
        options: variant.options.clone(),
        price: Some(money(variant.price)),
        compare_at_price: variant.compare_at.map(money),
        stock: Some(0),
        weight_grams: Some(variant.weight_grams),
        active: Some(variant.active),
        ..VariantInput::default()
    };
    // What was switched off because its options are gone does not come along.
    let fits = |variant: &&crate::catalog::Variant| {
        let pairs = model.options.iter().zip(&variant.options);
        variant.options.len() == model.options.len()
            && pairs
                .into_iter()
                .all(|(option, chosen)| option.values.iter().any(|one| one.value == *chosen))
    };
    let option = |option: &crate::catalog::ProductOption| OptionInput {
        name: option.name.clone(),
        values: option
            .values
            .iter()
            .map(|one| OptionValueInput {
                value: one.value.clone(),
                swatch: one.swatch.clone(),
                ..OptionValueInput::default()
            })
            .collect(),
    };
    let attribute = |(name, value): &(String, String)| AttributeInput {
        name: name.clone(),
        value: value.clone(),
    };
    ProductInput {
        name: Some(name.chars().take(MAX_NAME).collect()),
        maker: Some(model.maker.clone()),
        summary: Some(model.summary.clone()),
        description: Some(model.description.clone()),
        category_id: model.category_id,
        status: Some("draft".to_owned()),
        digital: Some(model.digital),
        seo_title: Some(model.seo.title.clone()),
        seo_description: Some(model.seo.description.clone()),
        related: Some(model.related.iter().map(|one| one.id.to_string()).collect()),
        tags: Some(model.tags.clone()),
        attributes: Some(model.attributes.iter().map(attribute).collect()),
        options: Some(model.options.iter().map(option).collect()),
        variants: Some(model.variants.iter().filter(fits).map(variant).collect()),
        ..ProductInput::default()
    }
}
