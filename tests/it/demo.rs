//! The demo shop: it is complete, it is filled once, and its books are right.

use std::collections::HashSet;

use zoco::catalog::service::{ProductKey, facets, featured_products, list_products, product};
use zoco::catalog::{ProductCard, ProductFilter, image_url};
use zoco::reviews::ReviewFilter;
use zoco::types::PageRequest;
use zoco::{demo, inventory, reviews};

use crate::support::{TestApp, both};

/// All products that a shopper sees.
async fn cards(app: &TestApp) -> Vec<ProductCard> {
    let (guest, filter) = (app.guest(), ProductFilter::default());
    let mut cards = Vec::new();
    for page in 1.. {
        let page = PageRequest::new(page, 100);
        let found = list_products(app, &guest, &filter, page).await.unwrap();
        if found.items.is_empty() {
            break;
        }
        cards.extend(found.items);
    }
    cards
}

/// What a second filling must not change.
async fn fingerprint(app: &TestApp) -> Vec<(String, i64, i64, i64)> {
    let facts = |card: ProductCard| {
        (
            card.slug.to_string(),
            card.version,
            card.rating.count,
            card.available,
        )
    };
    cards(app).await.into_iter().map(facts).collect()
}

async fn check_catalog(app: &TestApp) {
    let cards = cards(app).await;
    let count =
        |which: &dyn Fn(&ProductCard) -> bool| cards.iter().filter(|card| which(card)).count();
    let now = app.clock.now();
    assert!(cards.len() >= 66, "{} products", cards.len());
    assert!(count(&|card| card.is_new(now)) >= 5);
    assert!(count(&|card| card.percent_off().is_some()) >= 5);
    assert!(count(&|card| card.available == 0) >= 2);
    assert!(count(&|card| (1..=3).contains(&card.available)) >= 2);
    assert!(count(&|card| !card.swatches.is_empty()) >= 20);
    assert!(count(&|card| card.variant_count > 1) >= 25);
}

async fn check_products(app: &TestApp) {
    let guest = app.guest();
    let mut keys = HashSet::new();
    for card in cards(app).await {
        let name = &card.name;
        assert!(card.category_id.is_some(), "{name} has no category");
        let product = product(app, &guest, &ProductKey::Id(card.id))
            .await
            .unwrap();
        assert!(!product.maker.is_empty(), "{name} has no maker");
        assert!(
            product.description.len() > 100,
            "{name} is hardly described"
        );
        assert!(product.attributes.len() >= 4, "{name} has few attributes");
        assert!(!product.images.is_empty(), "{name} has no picture");
        for image in &product.images {
            assert!(
                image.alt.len() > 10,
                "{name} has a picture without alt text"
            );
            assert!(
                keys.insert(image.storage_key.clone()),
                "{name} shares a picture"
            );
            for width in image.widths() {
                let url = image_url(&image.storage_key, width);
                let file = url.trim_start_matches("/media/");
                assert!(app.storage.has(file).await, "{name}: {url} is missing");
            }
            let values = product.options.iter().flat_map(|option| &option.values);
            let shown = values
                .filter(|value| value.value == image.option_value)
                .count();
            assert!(
                image.option_value.is_empty() || shown == 1,
                "{name}: {image:?}"
            );
        }
        for variant in &product.variants {
            assert!(variant.price.minor() > 0, "{name} has no price");
            assert!(variant.weight_grams > 0, "{name} has no weight");
            let before = variant.compare_at.map_or(i64::MAX, |price| price.minor());
            assert!(
                before > variant.price.minor(),
                "{name} was not dearer before"
            );
        }
    }
}

async fn check_reviews(app: &TestApp) {
    let guest = app.guest();
    let (mut sum, mut count, mut people) = (0, 0, HashSet::new());
    let (mut verified, mut answered) = (0, 0);
    for card in cards(app).await {
        let key = ProductKey::Id(card.id);
        let page = PageRequest::new(1, 100);
        let (written, histogram) =
            reviews::service::list(app, &guest, &key, ReviewFilter::default(), page)
                .await
                .unwrap();
        let stars: i64 = written.items.iter().map(|review| review.rating).sum();
        assert_eq!((card.rating.sum, card.rating.count), (stars, written.total));
        assert_eq!(written.total, histogram.0.iter().sum::<i64>());
        let mut said = HashSet::new();
        for review in &written.items {
            assert!(review.created_at > card.created_at && review.created_at < app.clock.now());
            assert!(
                said.insert(&review.body),
                "{}: twice {}",
                card.name,
                review.body
            );
            people.insert(review.user_id);
            verified += usize::from(review.verified);
            answered += usize::from(review.reply.is_some());
        }
        sum += stars;
        count += written.total;
    }
    assert!(count >= 300, "{count} reviews");
    assert!(verified * 2 > count as usize, "{verified} are verified");
    assert!(
        verified < count as usize && answered >= 20,
        "{answered} are answered"
    );
    assert!((20..=40).contains(&people.len()), "{} people", people.len());
    let tenths = sum * 10 / count;
    assert!((42..=46).contains(&tenths), "a mean of {tenths} tenths");
}

async fn check_shop(app: &TestApp) {
    let guest = app.guest();
    let counts = facets(app, &guest, &ProductFilter::default())
        .await
        .unwrap();
    let names: Vec<&str> = counts
        .attributes
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(
        names,
        ["Colour family", "Dishwasher safe", "Made in", "Material"]
    );
    assert!(counts.categories.len() >= 15);
    let mut conn = app.db.conn().await.unwrap();
    let imbalances = inventory::service::imbalances(&mut conn).await.unwrap();
    assert!(imbalances.is_empty(), "{imbalances:?}");
    let imbalances = reviews::service::imbalances(&mut conn).await.unwrap();
    assert!(imbalances.is_empty(), "{imbalances:?}");
    drop(conn);
    let home = app.browser().get("/").await.expect(200);
    let featured = featured_products(app, &guest, 4).await.unwrap();
    assert_eq!(featured.len(), 4);
    for card in &featured {
        assert!(home.has(&card.name), "the front page lacks {}", card.name);
    }
}

both! {
    async fn instances_that_start_at_once_fill_one_shop(app: TestApp) {
        let (first, second) = tokio::join!(demo::fill(&app), demo::fill(&app));
        assert_ne!(first.unwrap(), second.unwrap(), "only one of them did it");
        check_catalog(&app).await;
        check_products(&app).await;
        check_reviews(&app).await;
        check_shop(&app).await;
        let before = fingerprint(&app).await;
        assert!(!demo::fill(&app).await.unwrap());
        assert_eq!(fingerprint(&app).await, before);
    }

    async fn a_shop_with_products_is_left_alone(app: TestApp) {
        app.product("Mug", "12.00", 3).await;
        assert!(!demo::fill(&app).await.unwrap());
        assert_eq!(cards(&app).await.len(), 1);
    }
}
