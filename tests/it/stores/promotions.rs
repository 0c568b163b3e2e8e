//! Every store function of promotions, on both databases.

use zoco::catalog::Category;
use zoco::catalog::service::{CategoryInput, create_category};
use zoco::promotions::model::{Benefit, Target};
use zoco::promotions::store;
use zoco::promotions::{Customer, Promotion, PromotionFilter, PromotionState, Redemption, Trigger};
use zoco::types::{CategoryId, Email, Money, PageRequest, ProductId, PromotionId, Timestamp};

use crate::support::{TestApp, both};

/// A promotion by code that nothing limits.
fn promotion(app: &TestApp, name: &str) -> Promotion {
    Promotion {
        id: PromotionId(0),
        name: name.to_owned(),
        trigger: Trigger::Code,
        benefit: Benefit::Percentage(1_000),
        target: Target::Order,
        minimum: None,
        first_order: false,
        starts_at: None,
        ends_at: None,
        exclusive: false,
        max_uses: None,
        max_uses_per_customer: None,
        uses: 0,
        position: 0,
        active: true,
        version: 1,
        created_at: app.clock.now(),
        updated_at: app.clock.now(),
    }
}

async fn insert(app: &TestApp, promotion: &Promotion) -> PromotionId {
    let mut tx = app.db.begin().await.unwrap();
    let id = store::insert(&mut tx, promotion, app.currency())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    id
}

async fn category(app: &TestApp, name: &str, parent: Option<CategoryId>) -> Category {
    let input = CategoryInput {
        name: Some(name.to_owned()),
        parent_id: parent,
        ..CategoryInput::default()
    };
    create_category(app, &app.system(), input).await.unwrap()
}

fn customer(email: &str) -> Customer {
    Customer {
        user_id: None,
        email: Email::parse(email),
    }
}

both! {
    async fn a_promotion_is_read_as_it_was_written(app: TestApp) {
        let now = app.clock.now();
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let euros = |minor| Money::new(minor, app.currency());
        let mut whole = Promotion {
            benefit: Benefit::BuyXGetY { buy: 2, get: 1, percent: 5_000 },
            target: Target::Products(vec![mug.id]),
            minimum: Some(euros(1_000)),
            first_order: true,
            starts_at: Some(now),
            ends_at: Some(now.plus_seconds(60)),
            exclusive: true,
            max_uses: Some(7),
            max_uses_per_customer: Some(2),
            position: 3,
            ..promotion(&app, "Three for two")
        };
        whole.id = insert(&app, &whole).await;
        let mut conn = app.db.conn().await.unwrap();
        assert_eq!(store::by_id(&mut conn, whole.id).await.unwrap(), Some(whole.clone()));
        assert_eq!(store::by_id(&mut conn, PromotionId(99)).await.unwrap(), None);
        drop(conn);
        let shelves = category(&app, "Shelves", None).await;
        let changed = Promotion {
            name: "Five off".to_owned(),
            trigger: Trigger::Automatic,
            benefit: Benefit::Amount(euros(500)),
            target: Target::Categories(vec![shelves.id]),
            minimum: None,
            active: false,
            version: 2,
            updated_at: now.plus_seconds(1),
            ..whole.clone()
        };
        let mut tx = app.db.begin().await.unwrap();
        assert!(!store::update(&mut tx, &changed, 2).await.unwrap());
        assert!(store::update(&mut tx, &changed, 1).await.unwrap());
        assert_eq!(store::by_id(&mut tx, whole.id).await.unwrap(), Some(changed));
        assert!(!store::delete(&mut tx, whole.id, 1).await.unwrap());
        assert!(store::delete(&mut tx, whole.id, 2).await.unwrap());
        assert_eq!(store::by_id(&mut tx, whole.id).await.unwrap(), None);
        let ids = [mug.id, ProductId(99)];
        assert_eq!(store::missing_products(&mut tx, &ids).await.unwrap(), [ProductId(99)]);
        let ids = [shelves.id, CategoryId(99)];
        assert_eq!(store::missing_categories(&mut tx, &ids).await.unwrap(), [CategoryId(99)]);
    }

    async fn those_that_may_count_are_found_by_time_and_state(app: TestApp) {
        let now = app.clock.now();
        let at = |seconds| Some(now.plus_seconds(seconds));
        let automatic = |name: &str, starts_at: Option<Timestamp>, ends_at, position| Promotion {
            trigger: Trigger::Automatic,
            starts_at,
            ends_at,
            position,
            ..promotion(&app, name)
        };
        let live = insert(&app, &automatic("Live", None, at(10), 2)).await;
        let first = insert(&app, &automatic("First", at(0), None, 1)).await;
        let early = insert(&app, &automatic("Early", at(1), None, 0)).await;
        let over = insert(&app, &automatic("Over", None, at(0), 0)).await;
        let off = Promotion { active: false, ..automatic("Off", None, None, 0) };
        let off = insert(&app, &off).await;
        let coded = insert(&app, &promotion(&app, "Coded")).await;
        let full = Promotion { max_uses: Some(1), ..promotion(&app, "Full 100%") };
        let full = insert(&app, &full).await;
        let mut tx = app.db.begin().await.unwrap();
        assert!(store::use_promotion(&mut tx, full).await.unwrap());
        assert!(!store::use_promotion(&mut tx, full).await.unwrap(), "used up");
        assert!(!store::use_promotion(&mut tx, off).await.unwrap(), "switched off");
        let ids = |found: &[Promotion]| found.iter().map(|one| one.id).collect::<Vec<_>>();
        let found = store::automatic(&mut tx, app.currency(), now, 9).await.unwrap();
        assert_eq!(ids(&found), [first, live]);
        let found = store::automatic(&mut tx, app.currency(), now, 1).await.unwrap();
        assert_eq!(ids(&found), [first]);
        let found = store::by_ids(&mut tx, &[live, coded, early]).await.unwrap();
        assert_eq!(ids(&found), [early, coded, live], "the most important first");
        for (state, expected) in [
            (None, vec![early, over, off, coded, full, first, live]),
            (Some(PromotionState::Live), vec![coded, first, live]),
            (Some(PromotionState::Scheduled), vec![early]),
            (Some(PromotionState::Over), vec![over]),
            (Some(PromotionState::UsedUp), vec![full]),
            (Some(PromotionState::Off), vec![off]),
        ] {
            let filter = PromotionFilter { state, ..PromotionFilter::default() };
            let page = store::list(&mut tx, &filter, now, PageRequest::default()).await.unwrap();
            assert_eq!(ids(&page.items), expected, "{state:?}");
            assert_eq!(page.total as usize, expected.len());
            for one in page.items {
                assert!(state.is_none_or(|state| one.state(now) == state));
            }
        }
    }

    async fn categories_below_are_meant_too(app: TestApp) {
        let top = category(&app, "Kitchen", None).await;
        let middle = category(&app, "Cups", Some(top.id)).await;
        let leaf = category(&app, "Mugs", Some(middle.id)).await;
        category(&app, "Lamps", None).await;
        let kitchen = Promotion {
            target: Target::Categories(vec![top.id]),
            ..promotion(&app, "Kitchen")
        };
        let id = insert(&app, &kitchen).await;
        let mut conn = app.db.conn().await.unwrap();
        let found = store::by_ids(&mut conn, &[id]).await.unwrap();
        assert_eq!(found[0].target, Target::Categories(vec![top.id, middle.id, leaf.id]));
        let named = store::by_id(&mut conn, id).await.unwrap().unwrap();
        assert_eq!(named.target, Target::Categories(vec![top.id]), "what staff named");
    }

    async fn a_recount_waits_for_the_order_that_uses_it(app: TestApp) {
        let now = app.clock.now();
        let id = insert(&app, &promotion(&app, "Spring")).await;
        let mut tx = app.db.begin().await.unwrap();
        let codes = ["SPRING".to_owned()];
        store::insert_codes(&mut tx, id, &codes, None, now).await.unwrap();
        // Both counts are wrong already, and an order is under way.
        store::use_promotion(&mut tx, id).await.unwrap();
        store::use_code(&mut tx, id, "SPRING").await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = app.db.begin().await.unwrap();
        store::use_promotion(&mut tx, id).await.unwrap();
        store::use_code(&mut tx, id, "SPRING").await.unwrap();
        let used = Redemption {
            promotion_id: id,
            reference: "AAAA-BBBB-CCCC".to_owned(),
            code: Some("SPRING".to_owned()),
            email: "ada@example.com".to_owned(),
            amount: Money::new(240, app.currency()),
            created_at: now,
            released_at: None,
        };
        store::insert_redemption(&mut tx, &used, &customer("ada@example.com")).await.unwrap();
        let doctor = app.clone();
        let counted = tokio::spawn(async move {
            let mut tx = doctor.db.begin().await.unwrap();
            let counted = store::recount(&mut tx).await.unwrap();
            tx.commit().await.unwrap();
            counted
        });
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        tx.commit().await.unwrap();
        let counted = counted.await.unwrap();
        assert_eq!(counted, [(format!("promotion {id}"), 1), ("code SPRING".to_owned(), 1)]);
        let mut conn = app.db.conn().await.unwrap();
        assert_eq!(store::imbalances(&mut conn).await.unwrap(), []);
    }

    async fn codes_and_uses_are_counted_and_given_back(app: TestApp) {
        let now = app.clock.now();
        let ada = app.customer("ada@example.com").await.user_id().unwrap();
        let id = insert(&app, &promotion(&app, "Spring")).await;
        let mut tx = app.db.begin().await.unwrap();
        let codes = ["SPRING", "SUMMER"].map(str::to_owned);
        assert_eq!(store::insert_codes(&mut tx, id, &codes[..1], Some(1), now).await.unwrap(), 1);
        assert_eq!(store::insert_codes(&mut tx, id, &codes, None, now).await.unwrap(), 1, "one is new");
        let found = store::with_codes(&mut tx, &codes).await.unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(store::with_codes(&mut tx, &["spring".to_owned()]).await.unwrap(), []);
        let page = store::codes(&mut tx, id, PageRequest::new(1, 1)).await.unwrap();
        assert_eq!((page.items[0].code.as_str(), page.total), ("SUMMER", 2));

        let known = Customer { user_id: Some(ada), ..customer("ada@example.com") };
        store::lock_first_orders(&mut tx).await.unwrap();
        assert!(!store::has_ordered(&mut tx, &known).await.unwrap());
        assert!(store::use_promotion(&mut tx, id).await.unwrap());
        assert!(store::use_code(&mut tx, id, "SPRING").await.unwrap());
        assert!(!store::use_code(&mut tx, id, "SPRING").await.unwrap(), "it is good once");
        let used = Redemption {
            promotion_id: id,
            reference: "AAAA-BBBB-CCCC".to_owned(),
            code: Some("SPRING".to_owned()),
            email: "ada@example.com".to_owned(),
            amount: Money::new(240, app.currency()),
            created_at: now,
            released_at: None,
        };
        assert!(store::insert_redemption(&mut tx, &used, &known).await.unwrap());
        assert!(!store::insert_redemption(&mut tx, &used, &known).await.unwrap(), "once an order");
        let page = store::redemptions(&mut tx, id, PageRequest::default()).await.unwrap();
        assert_eq!((page.items, page.total), (vec![used], 1));
        assert_eq!(store::imbalances(&mut tx).await.unwrap(), []);
        let count = [(id, 1)];
        for who in [known.clone(), customer("ada@example.com"), Customer { email: None, ..known.clone() }] {
            assert_eq!(store::count_of_customer(&mut tx, &[id], &who).await.unwrap(), count);
        }
        assert_eq!(store::count_of_customer(&mut tx, &[id], &customer("bob@example.com")).await.unwrap(), []);
        assert!(!store::delete_code(&mut tx, id, "SPRING").await.unwrap(), "an order used it");
        assert!(store::delete_code(&mut tx, id, "SUMMER").await.unwrap());
        assert!(!store::delete(&mut tx, id, 1).await.unwrap(), "an order used it");

        assert_eq!(store::release(&mut tx, "AAAA-BBBB-CCCC", now).await.unwrap(), 1);
        assert_eq!(store::release(&mut tx, "AAAA-BBBB-CCCC", now).await.unwrap(), 0);
        assert_eq!(store::by_id(&mut tx, id).await.unwrap().unwrap().uses, 0);
        assert_eq!(store::with_codes(&mut tx, &codes).await.unwrap()[0].uses, 0);
        assert_eq!(store::count_of_customer(&mut tx, &[id], &known).await.unwrap(), []);
        store::erase(&mut tx, ada).await.unwrap();
        let page = store::redemptions(&mut tx, id, PageRequest::default()).await.unwrap();
        assert_eq!(page.items[0].email, "");

        // A count that nothing explains is told.
        store::use_promotion(&mut tx, id).await.unwrap();
        store::use_code(&mut tx, id, "SPRING").await.unwrap();
        let told = store::imbalances(&mut tx).await.unwrap();
        let told: Vec<_> = told.iter().map(|one| (one.what.as_str(), one.uses, one.redemptions)).collect();
        assert_eq!(told, [(format!("promotion {id}").as_str(), 1, 0), ("code SPRING", 1, 0)]);
        let counted = store::recount(&mut tx).await.unwrap();
        assert_eq!(counted, [(format!("promotion {id}"), 0), ("code SPRING".to_owned(), 0)]);
        assert_eq!(store::recount(&mut tx).await.unwrap(), []);
        assert_eq!(store::imbalances(&mut tx).await.unwrap(), []);
    }
}
