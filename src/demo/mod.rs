//! The demonstration shop: "olmo", stoneware, lamps, linen and oak. What it sells stands in the
//! files under `demo/`, which travel inside the binary.

pub mod data;
mod opinions;
mod places;

use std::collections::HashMap;

use anyhow::{Context, anyhow};

use crate::accounts::service::ensure_customers;
use crate::app::App;
use crate::catalog::service::images::Encoded;
use crate::catalog::service::{
    AttributeInput, CategoryInput, OptionInput, OptionValueInput, ProductInput, ReadyImage,
    VariantInput, add_ready_images, categories, create_category, create_product, list_products,
    product,
};
use crate::catalog::{ProductFilter, ProductKey};
use crate::credit;
use crate::ctx::Ctx;
use crate::db::settings;
use crate::error::{Error, Result};
use crate::inventory::service::{LocationInput, RulesInput, TransferInput, TransferLine};
use crate::inventory::{self, Location, StockFilter, StockShow};
use crate::promotions::{self, service::PromotionInput};
use crate::reviews::service::{PastReview, ReviewInput, add_many};
use crate::types::{
    CategoryId, Email, Money, MoneyInput, PageRequest, ProductId, Timestamp, UserId,
};
use data::{Goods, Picture, Product, Shop};

/// The setting that tells how far the filling is.
const STATE: &str = "demo";
const BEGUN: &str = "begun";
const DONE: &str = "done";
/// How long the oldest thing has been in the shop.
const SHOP_AGE_DAYS: i64 = 720;
/// How long the shop takes to answer a review.
const ANSWER_SECONDS: i64 = 31 * 3600;
/// Width and height of the pictures.
const PICTURE_SIZE: (u32, u32) = (800, 1000);

/// Fills an empty shop with the demo catalog; does nothing to one that has products, or that was
/// filled before. Gives whether it did.
///
/// Every step leaves alone what it finds done. So a start after a crash goes on where the last
/// one stopped, and instances that start at once fill one shop together.
pub async fn fill(app: &App) -> Result<bool> {
    if !begin(app).await? {
        return Ok(false);
    }
    let goods = Goods::load()?;
    let ctx = days_ago(app, SHOP_AGE_DAYS);
    places::make_taxes(app, &ctx).await?;
    places::make_zones(app, &ctx).await?;
    let categories = make_categories(app, &goods.shop).await?;
    let people = make_people(app, &goods.reviews.people).await?;
    for product in &goods.products {
        let ctx = days_ago(app, product.days);
        let id = make_product(app, &ctx, product, &goods.shop, &categories).await?;
        add_ready_images(app, &ctx, &ProductKey::Id(id), pictures(product)?).await?;
        review(app, &ctx, id, product, &goods, &people).await?;
    }
    make_promotions(app).await?;
    make_places(app).await?;
    make_gift_card(app).await?;
    let mut tx = app.db.begin().await?;
    let filled = settings::replace(&mut tx, STATE, BEGUN, DONE).await?;
    tx.commit().await?;
    Ok(filled)
}

/// Whether there is something to fill: the shop is empty, or was when a filling began that is
/// not done.
async fn begin(app: &App) -> Result<bool> {
    let state = settings::get(&mut app.db.conn().await?, STATE).await?;
    if let Some(state) = state {
        return Ok(state == BEGUN);
    }
    let everything = ProductFilter {
        for_staff: true,
        ..ProductFilter::default()
    };
    let page = PageRequest::new(1, 1);
    let there = list_products(app, &app.system(), &everything, page).await?;
    if there.total > 0 {
        return Ok(false);
    }
    let mut tx = app.db.begin().await?;
    let state = settings::get_or_keep(&mut tx, STATE, BEGUN).await?;
    tx.commit().await?;
    Ok(state == BEGUN)
}

/// The shop itself, some days ago.
fn days_ago(app: &App, days: i64) -> Ctx {
    Ctx::system(app.clock.now().plus_seconds(-days * 24 * 3600))
}

/// Codes to try: ten percent for a first order, and three for two.
async fn make_promotions(app: &App) -> Result<()> {
    let ctx = days_ago(app, SHOP_AGE_DAYS);
    let welcome = PromotionInput {
        name: "Welcome".to_owned(),
        code: Some("WELCOME10".to_owned()),
        kind: "percentage".to_owned(),
        percent: Some("10".to_owned()),
        first_order: true,
        max_uses_per_customer: Some(1),
        ..PromotionInput::default()
    };
    let three_for_two = PromotionInput {
        name: "Three for two".to_owned(),
        code: Some("3FOR2".to_owned()),
        kind: "buy_x_get_y".to_owned(),
        buy: Some(2),
        get: Some(1),
        ..PromotionInput::default()
    };
    for input in [welcome, three_for_two] {
        let input = PromotionInput {
            trigger: Some("code".to_owned()),
            ..input
        };
        match promotions::service::create(app, &ctx, input).await {
            // An earlier start made it; its code is taken.
            Ok(_) | Err(Error::Invalid(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// A second place with some of the stock, and something that is sold beyond its stock.
async fn make_places(app: &App) -> Result<()> {
    let ctx = app.system();
    let shop = LocationInput {
        code: Some("shop".to_owned()),
        name: Some("Shop in the old town".to_owned()),
        address: Some("Calle del Horno 4\n27001 Lugo".to_owned()),
        ..LocationInput::default()
    };
    match inventory::service::create_location(app, &ctx, shop).await {
        // An earlier start made it.
        Err(Error::Invalid(_)) => return Ok(()),
        made => made?,
    };
    let page = PageRequest::new(1, 40);
    let rows = inventory::service::stock_list(app, &ctx, &StockFilter::default(), page).await?;
    let lines = rows.items.iter().filter(|row| row.level().on_hand >= 12);
    let lines = lines.take(10).map(|row| TransferLine {
        variant_id: Some(row.variant_id),
        quantity: Some(4),
    });
    let moved = TransferInput {
        from: Some(Location::MAIN.to_owned()),
        to: Some("shop".to_owned()),
        lines: lines.collect(),
        note: Some("For the shelves of the shop".to_owned()),
    };
    inventory::service::transfer(app, &ctx, moved).await?;
    let low = StockFilter {
        show: StockShow::Low,
        ..StockFilter::default()
    };
    let low = inventory::service::stock_list(app, &ctx, &low, PageRequest::new(1, 1)).await?;
    for row in &low.items {
        let rules = RulesInput {
            backorder: Some(true),
            low_stock: None,
        };
        inventory::service::set_rules(app, &ctx, row.variant_id, rules).await?;
    }
    Ok(())
}

/// The code of a gift card to try.
pub const GIFT_CARD: &str = "DEMO-GIFT-CARD-2550";
/// What is on it, in minor units.
const GIFT_CARD_MINOR: i64 = 5_000;

/// A gift card to try. Its code is known to everybody, so no other shop has it.
async fn make_gift_card(app: &App) -> Result<()> {
    let ctx = days_ago(app, SHOP_AGE_DAYS);
    let money = Money::new(GIFT_CARD_MINOR, app.currency());
    credit::service::issue_known(app, &ctx, GIFT_CARD, money).await
}

async fn make_categories(app: &App, shop: &Shop) -> Result<HashMap<String, CategoryId>> {
    let ctx = days_ago(app, SHOP_AGE_DAYS);
    let mut made = HashMap::new();
    for (position, category) in (0..).zip(&shop.categories) {
        let parent = category.parent.as_ref().and_then(|parent| made.get(parent));
        let input = CategoryInput {
            name: Some(category.name.clone()),
            slug: Some(category.slug.clone()),
            parent_id: parent.copied(),
            description: Some(category.description.clone()),
            position: Some(position),
            ..CategoryInput::default()
        };
        let id = match create_category(app, &ctx, input).await {
            Ok(category) => category.id,
            Err(Error::Invalid(errors)) => {
                let tree = categories(app).await?;
                let there = tree.by_slug(&category.slug).map(|category| category.id);
                there.ok_or(Error::Invalid(errors))?
            }
            Err(error) => return Err(error),
        };
        made.insert(category.slug.clone(), id);
    }
    Ok(made)
}

async fn make_people(app: &App, names: &[String]) -> Result<Vec<UserId>> {
    let mut people = Vec::with_capacity(names.len());
    for name in names {
        let address = format!("{}@example.com", slug::slugify(name).replace('-', "."));
        let email = Email::parse(&address).with_context(|| format!("no address: {address}"))?;
        people.push((email, name.clone()));
    }
    ensure_customers(app, &days_ago(app, SHOP_AGE_DAYS), &people).await
}

async fn make_product(
    app: &App,
    ctx: &Ctx,
    goods: &Product,
    shop: &Shop,
    categories: &HashMap<String, CategoryId>,
) -> Result<ProductId> {
    let key = ProductKey::Slug(goods.slug().to_string());
    match product(app, ctx, &key).await {
        Err(Error::NotFound) => {}
        there => return Ok(there?.id),
    }
    match create_product(app, ctx, product_input(goods, shop, categories)).await {
        Ok(product) => Ok(product.id),
        Err(Error::Invalid(errors)) => {
            // Another instance may have made it just now. If not, the data is wrong.
            let there = product(app, ctx, &key).await;
            Ok(there.map_err(|_| Error::Invalid(errors))?.id)
        }
        Err(error) => Err(error),
    }
}

fn product_input(
    goods: &Product,
    shop: &Shop,
    categories: &HashMap<String, CategoryId>,
) -> ProductInput {
    let attribute = |(name, value): &(String, String)| AttributeInput {
        name: name.clone(),
        value: value.clone(),
    };
    ProductInput {
        name: Some(goods.name.clone()),
        slug: Some(goods.slug().to_string()),
        maker: Some(goods.maker.clone()),
        summary: Some(goods.summary.clone()),
        description: Some(goods.description.clone()),
        category_id: categories.get(&goods.category).copied(),
        tax_class: goods.tax_class.clone(),
        tags: Some(goods.tags.clone()),
        attributes: Some(goods.attributes.iter().map(attribute).collect()),
        options: Some(options(goods, shop)),
        variants: Some(variants(goods)),
        ..ProductInput::default()
    }
}

fn options(goods: &Product, shop: &Shop) -> Vec<OptionInput> {
    let value = |value: &String| OptionValueInput {
        value: value.clone(),
        swatch: shop.swatches.get(value).cloned(),
        was: None,
    };
    goods
        .options
        .iter()
        .filter_map(|option| option.split_first())
        .map(|(name, values)| OptionInput {
            name: name.clone(),
            values: values.iter().map(value).collect(),
        })
        .collect()
}

/// The variants of a product; a product without options has one all the same.
fn variants(goods: &Product) -> Vec<VariantInput> {
    let only = VariantInput {
        price: Some(MoneyInput::new(&goods.price)),
        compare_at_price: goods.compare_at.as_ref().map(MoneyInput::new),
        stock: goods.stock,
        weight_grams: Some(goods.weight),
        ..VariantInput::default()
    };
    if goods.variants.is_empty() {
        return vec![only];
    }
    goods
        .variants
        .iter()
        .map(|variant| VariantInput {
            options: variant.of.clone(),
            price: Some(MoneyInput::new(
                variant.price.as_ref().unwrap_or(&goods.price),
            )),
            compare_at_price: former_price(goods, variant),
            stock: Some(variant.stock),
            weight_grams: Some(variant.weight.unwrap_or(goods.weight)),
            ..VariantInput::default()
        })
        .collect()
}

/// A variant with a price of its own was not at the product's former price.
fn former_price(goods: &Product, variant: &data::Variant) -> Option<MoneyInput> {
    let of_product = goods
        .compare_at
        .as_ref()
        .filter(|_| variant.price.is_none());
    let former = variant.compare_at.as_ref().or(of_product);
    former.map(MoneyInput::new)
}

fn pictures(goods: &Product) -> Result<Vec<ReadyImage>> {
    let (width, height) = PICTURE_SIZE;
    let ready = |picture: &Picture| {
        Ok(ReadyImage {
            alt: picture.alt.clone(),
            option_value: picture.shows.clone(),
            picture: Encoded {
                width,
                height,
                files: data::picture_files(&picture.file)?,
            },
        })
    };
    goods.pictures.iter().map(ready).collect()
}

/// Writes the reviews of a product, spread over the time that it has been there.
async fn review(
    app: &App,
    ctx: &Ctx,
    id: ProductId,
    product: &Product,
    goods: &Goods,
    people: &[UserId],
) -> Result<()> {
    let age = app.clock.now().0 - ctx.now.0;
    let mut reviews = Vec::new();
    for opinion in opinions::about(product, &goods.reviews) {
        let user = people.get(opinion.person).copied();
        let user = user.ok_or_else(|| anyhow!("a reviewer is missing"))?;
        let at = Timestamp(ctx.now.0 + age / 1000 * opinion.when);
        let answered_at = at.plus_seconds(ANSWER_SECONDS).min(app.clock.now());
        reviews.push(PastReview {
            user,
            input: ReviewInput {
                rating: opinion.rating,
                title: opinion.title,
                body: opinion.body,
            },
            at,
            verified: opinion.bought,
            reply: opinion.answer.map(|text| (text, answered_at)),
        });
    }
    add_many(app, ctx, id, reviews).await
}
