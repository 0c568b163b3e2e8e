//! Every store function of cart, on both databases.

use zoco::cart::store::{self, CartRow, CartStatus};
use zoco::catalog::Product;
use zoco::types::{CartItemId, VariantId};

use crate::cart::{mug_in_two_colours, variant};
use crate::support::{TestApp, both};

/// A guest's cart.
async fn made(app: &TestApp, token: &str) -> CartRow {
    let mut tx = app.db.begin().await.unwrap();
    store::insert(&mut tx, token, None, app.clock.now())
        .await
        .unwrap();
    let row = store::by_token(&mut tx, token).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    row
}

/// Gives a product a picture.
async fn picture(app: &TestApp, product: &Product, key: &str, shows: &str, position: i64) {
    let sql = zoco::db::query::Sql::same(
        "insert into product_images
            (product_id, storage_key, alt, width, height, option_value, position, created_at)
        values ($1, $2, '', 800, 1000, $3, $4, 0)",
    );
    let mut tx = app.db.begin().await.unwrap();
    let values = vec![product.id.into(), key.into(), shows.into(), position.into()];
    zoco::db::query::execute(&mut tx, sql, values)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

both! {
    async fn carts_are_made_found_and_ended_once(app: TestApp) {
        let now = app.clock.now();
        let ada = app.customer("ada@example.com").await.user_id().unwrap();
        let guests = made(&app, "guest").await;
        assert_eq!((guests.user_id, guests.status), (None, CartStatus::Active));
        let mut tx = app.db.begin().await.unwrap();
        assert_eq!(store::active_of_user(&mut tx, ada).await.unwrap(), None);
        store::insert(&mut tx, "one", Some(ada), now).await.unwrap();
        store::insert(&mut tx, "two", Some(ada), now).await.unwrap();
        let mine = store::active_of_user(&mut tx, ada).await.unwrap().unwrap();
        assert_eq!(mine.token, "one", "one active cart a user");
        assert_eq!(store::by_token(&mut tx, "two").await.unwrap(), None);

        assert!(store::touch(&mut tx, mine.id, now).await.unwrap());
        assert!(
            store::end(&mut tx, mine.id, CartStatus::Ordered, now)
                .await
                .unwrap()
        );
        assert!(
            !store::end(&mut tx, mine.id, CartStatus::Merged, now)
                .await
                .unwrap()
        );
        assert!(!store::touch(&mut tx, mine.id, now).await.unwrap());
        assert_eq!(
            store::by_token(&mut tx, "one")
                .await
                .unwrap()
                .unwrap()
                .status,
            CartStatus::Ordered
        );
        assert_eq!(store::active_of_user(&mut tx, ada).await.unwrap(), None);
        store::insert(&mut tx, "three", Some(ada), now)
            .await
            .unwrap();
        assert!(
            store::active_of_user(&mut tx, ada).await.unwrap().is_some(),
            "after one there is the next"
        );
    }

    async fn an_ordered_cart_is_made_once(app: TestApp) {
        let now = app.clock.now();
        let ada = app.customer("ada@example.com").await.user_id().unwrap();
        let mut tx = app.db.begin().await.unwrap();
        store::insert(&mut tx, "active", Some(ada), now).await.unwrap();
        let made = store::insert_ordered(&mut tx, "key", Some(ada), now).await.unwrap().unwrap();
        let row = store::by_token(&mut tx, "key").await.unwrap().unwrap();
        assert_eq!((row.id, row.user_id, row.status), (made, Some(ada), CartStatus::Ordered));
        assert_eq!(store::insert_ordered(&mut tx, "key", None, now).await.unwrap(), None);
        let active = store::active_of_user(&mut tx, ada).await.unwrap().unwrap();
        assert_eq!(active.token, "active", "the one that is being filled is left alone");
    }

    async fn lines_are_added_up_changed_and_removed(app: TestApp) {
        let now = app.clock.now();
        let mug = mug_in_two_colours(&app).await;
        let (oat, sage) = (mug.variants[0].id, mug.variants[1].id);
        let (cart, other) = (made(&app, "cart").await, made(&app, "other").await);
        let mut tx = app.db.begin().await.unwrap();
        assert_eq!(
            store::add(&mut tx, cart.id, oat, 2, 2300, now)
                .await
                .unwrap(),
            2
        );
        assert_eq!(
            store::add(&mut tx, cart.id, oat, 3, 2400, now)
                .await
                .unwrap(),
            5
        );
        assert_eq!(
            store::add(&mut tx, cart.id, sage, 1, 2600, now)
                .await
                .unwrap(),
            1
        );
        let lines = store::lines(&mut tx, cart.id).await.unwrap();
        let line = &lines[0];
        assert_eq!(
            (
                line.variant_id,
                line.quantity,
                line.seen_price_minor,
                line.price_minor
            ),
            (oat, 5, 2400, 2400)
        );
        assert_eq!(
            (line.product_id, line.slug.as_str(), line.name.as_str()),
            (mug.id, "everyday-mug", "Everyday mug")
        );
        assert_eq!(
            (line.options.as_str(), line.available, line.for_sale),
            (r#"["Oat"]"#, 3, true)
        );
        assert_eq!((line.currency.code(), line.image_key.as_str()), ("EUR", ""));
        assert_eq!(lines[1].variant_id, sage);
        assert_eq!(store::count_of_guest(&mut tx, "cart").await.unwrap(), 6);
        assert_eq!(store::count_of_guest(&mut tx, "unknown").await.unwrap(), 0);

        assert!(
            store::set_quantity(&mut tx, cart.id, line.id, 4, 2500)
                .await
                .unwrap()
        );
        assert!(
            !store::set_quantity(&mut tx, other.id, line.id, 9, 2500)
                .await
                .unwrap()
        );
        let changed = store::lines(&mut tx, cart.id).await.unwrap();
        assert_eq!(
            (changed[0].quantity, changed[0].seen_price_minor),
            (4, 2500)
        );
        assert!(!store::remove(&mut tx, other.id, line.id).await.unwrap());
        assert!(
            !store::remove(&mut tx, cart.id, CartItemId(4711))
                .await
                .unwrap()
        );
        assert!(store::remove(&mut tx, cart.id, line.id).await.unwrap());
        assert_eq!(store::lines(&mut tx, cart.id).await.unwrap().len(), 1);
        store::clear(&mut tx, cart.id).await.unwrap();
        assert!(store::lines(&mut tx, cart.id).await.unwrap().is_empty());
    }

    async fn a_line_shows_the_picture_of_its_option_or_the_cover(app: TestApp) {
        let mug = mug_in_two_colours(&app).await;
        let cart = made(&app, "cart").await;
        let mut tx = app.db.begin().await.unwrap();
        for variant in &mug.variants {
            store::add(&mut tx, cart.id, variant.id, 1, 1, app.clock.now())
                .await
                .unwrap();
        }
        tx.commit().await.unwrap();
        let keys = async || -> Vec<String> {
            let lines = store::lines(&mut app.db.conn().await.unwrap(), cart.id)
                .await
                .unwrap();
            lines.into_iter().map(|line| line.image_key).collect()
        };
        picture(&app, &mug, "cover", "", 0).await;
        assert_eq!(keys().await, ["cover", "cover"]);
        picture(&app, &mug, "sage", "Sage", 2).await;
        picture(&app, &mug, "sage-above", "Sage", 3).await;
        // A value within another value is another one.
        picture(&app, &mug, "part", "Oa", 1).await;
        assert_eq!(keys().await, ["cover", "sage"]);
    }

    async fn offers_are_what_is_for_sale(app: TestApp) {
        let euro = app.currency();
        let mug = mug_in_two_colours(&app).await;
        let oat = mug.variants[0].id;
        let mut tx = app.db.begin().await.unwrap();
        let offer = store::offer(&mut tx, oat, euro).await.unwrap().unwrap();
        assert_eq!(
            (
                offer.variant_id,
                offer.name.as_str(),
                offer.price_minor,
                offer.available
            ),
            (oat, "Everyday mug", 2400, 3)
        );
        assert_eq!(
            store::offer(&mut tx, oat, "USD".parse().unwrap())
                .await
                .unwrap(),
            None
        );
        assert_eq!(
            store::offer(&mut tx, VariantId(4711), euro).await.unwrap(),
            None
        );
        assert_eq!(
            store::variants_of(&mut tx, mug.id, euro)
                .await
                .unwrap()
                .len(),
            2
        );
        assert!(
            store::variants_of(&mut tx, mug.id, "USD".parse().unwrap())
                .await
                .unwrap()
                .is_empty()
        );

        let slug = |variant, product| (variant, product);
        for (variant, product) in [slug(Some(oat), None), slug(None, Some(mug.id))] {
            let found = store::slug_of(&mut tx, variant, product).await.unwrap();
            assert_eq!(found.unwrap().as_str(), "everyday-mug");
        }
        assert_eq!(store::slug_of(&mut tx, None, None).await.unwrap(), None);
        let sql = zoco::db::query::Sql::same("update products set status = 'archived'");
        zoco::db::query::execute(&mut tx, sql, Vec::new())
            .await
            .unwrap();
        assert_eq!(store::offer(&mut tx, oat, euro).await.unwrap(), None);
        assert!(
            store::slug_of(&mut tx, Some(oat), None)
                .await
                .unwrap()
                .is_some(),
            "archived ones have a name, too"
        );
    }

    async fn pieces_are_counted_in_the_active_cart(app: TestApp) {
        let now = app.clock.now();
        let mug = app.product("Everyday mug", "24.00", 9).await;
        let ada = app.customer("ada@example.com").await.user_id().unwrap();
        let mut tx = app.db.begin().await.unwrap();
        assert_eq!(store::count_of_user(&mut tx, ada).await.unwrap(), 0);
        store::insert(&mut tx, "hers", Some(ada), now)
            .await
            .unwrap();
        let cart = store::active_of_user(&mut tx, ada).await.unwrap().unwrap();
        store::add(&mut tx, cart.id, variant(&mug), 7, 2400, now)
            .await
            .unwrap();
        assert_eq!(store::count_of_user(&mut tx, ada).await.unwrap(), 7);
        assert_eq!(
            store::count_of_guest(&mut tx, "hers").await.unwrap(),
            0,
            "an account's is no guest's"
        );
        store::end(&mut tx, cart.id, CartStatus::Ordered, now)
            .await
            .unwrap();
        assert_eq!(store::count_of_user(&mut tx, ada).await.unwrap(), 0);
    }

    async fn a_users_carts_are_removed(app: TestApp) {
        let ada = app.customer("ada@example.com").await.user_id().unwrap();
        let now = app.clock.now();
        let mut tx = app.db.begin().await.unwrap();
        store::insert(&mut tx, "placed", Some(ada), now).await.unwrap();
        let placed = store::by_token(&mut tx, "placed").await.unwrap().unwrap();
        store::end(&mut tx, placed.id, store::CartStatus::Ordered, now).await.unwrap();
        store::insert(&mut tx, "active", Some(ada), now).await.unwrap();
        store::insert(&mut tx, "a guest's", None, now).await.unwrap();
        store::erase(&mut tx, ada).await.unwrap();
        for gone in ["placed", "active"] {
            assert!(store::by_token(&mut tx, gone).await.unwrap().is_none());
        }
        assert!(store::by_token(&mut tx, "a guest's").await.unwrap().is_some());
        let kept = store::by_token(&mut tx, &format!("erased {}", placed.id)).await.unwrap().unwrap();
        assert_eq!((kept.id, kept.user_id), (placed.id, None));
    }

    async fn codes_stay_with_a_cart_and_variants_are_found_by_sku(app: TestApp) {
        let now = app.clock.now();
        let cart = made(&app, "guest").await;
        let mug = mug_in_two_colours(&app).await;
        let mut tx = app.db.begin().await.unwrap();
        store::add_code(&mut tx, cart.id, "SPRING", now).await.unwrap();
        store::add_code(&mut tx, cart.id, "SPRING", now).await.unwrap();
        store::add_code(&mut tx, cart.id, "AUTUMN", now.plus_seconds(1)).await.unwrap();
        assert_eq!(store::codes(&mut tx, cart.id).await.unwrap(), ["SPRING", "AUTUMN"]);
        assert!(store::remove_code(&mut tx, cart.id, "SPRING").await.unwrap());
        assert!(!store::remove_code(&mut tx, cart.id, "SPRING").await.unwrap());
        let skus = [mug.variants[1].sku.clone(), "NOPE".to_owned()];
        let found = store::lines_of_skus(&mut tx, &skus).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].variant_id, found[0].quantity), (mug.variants[1].id, 1));
        assert_eq!(store::lines_of_skus(&mut tx, &[]).await.unwrap(), []);
    }

    async fn gift_cards_stay_with_a_cart(app: TestApp) {
        let now = app.clock.now();
        let cart = made(&app, "a").await;
        let (card, _) = crate::credit::card(&app, "10.00").await;
        let mut tx = app.db.begin().await.unwrap();
        for _ in 0..2 {
            store::add_gift_card(&mut tx, cart.id, card.id, now).await.unwrap();
        }
        assert_eq!(store::gift_cards(&mut tx, cart.id).await.unwrap(), [card.id]);
        assert!(store::remove_gift_card(&mut tx, cart.id, card.id).await.unwrap());
        assert!(!store::remove_gift_card(&mut tx, cart.id, card.id).await.unwrap());
        assert_eq!(store::gift_cards(&mut tx, cart.id).await.unwrap(), []);
    }
}
