//! Stock: held for orders that are being paid, freed, sold; several places; selling beyond it.

use serde_json::{Value, json};
use zoco::catalog::Product;
use zoco::ctx::Permission;
use zoco::db::query::{Sql, execute, fetch_all};
use zoco::inventory::service::{self, AVAILABLE, LOW};
use zoco::inventory::{Reason, Shortfall, StockLevel};
use zoco::types::{Timestamp, VariantId};

use crate::cart::{guest_with, variant};
use crate::checkout::{body, guest_order};
use crate::races::at_once;
use crate::support::{TestApp, both};

/// In so long a task comes to where it waits for another's transaction.
const LONG_ENOUGH: std::time::Duration = std::time::Duration::from_millis(300);

/// What there is of a simple product; the books of all stock are right.
pub async fn level(app: &TestApp, product: &Product) -> StockLevel {
    let mut conn = app.db.conn().await.unwrap();
    assert!(service::imbalances(&mut conn).await.unwrap().is_empty());
    let held = service::reserved_imbalances(&mut conn).await.unwrap();
    assert!(held.is_empty(), "{held:?}");
    let levels = service::levels(&mut conn, &[variant(product)])
        .await
        .unwrap();
    levels.get(&variant(product)).copied().unwrap_or_default()
}

/// Pieces on the shelf, and those of them that are held.
async fn pieces(app: &TestApp, product: &Product) -> (i64, i64) {
    let level = level(app, product).await;
    (level.on_hand, level.reserved)
}

fn soon(app: &TestApp) -> Timestamp {
    service::deadline(app, &app.system())
}

/// One of the service's steps for an order, in a transaction of its own, which is rolled back
/// when something falls short.
async fn reserve(app: &TestApp, lines: &[(VariantId, i64)], reference: &str) -> Vec<Shortfall> {
    let mut tx = app.db.begin().await.unwrap();
    let short = service::reserve(&mut tx, &app.system(), lines, reference, soon(app))
        .await
        .unwrap();
    if short.is_empty() {
        tx.commit().await.unwrap();
    }
    short
}

async fn take(app: &TestApp, lines: &[(VariantId, i64)], reference: &str) -> Vec<Shortfall> {
    let mut tx = app.db.begin().await.unwrap();
    let short = service::take(&mut tx, &app.system(), lines, reference)
        .await
        .unwrap();
    if short.is_empty() {
        tx.commit().await.unwrap();
    }
    short
}

async fn settle(app: &TestApp, lines: &[(VariantId, i64)], reference: &str) -> Vec<Shortfall> {
    let mut tx = app.db.begin().await.unwrap();
    let short = service::settle(&mut tx, &app.system(), lines, reference)
        .await
        .unwrap();
    if short.is_empty() {
        tx.commit().await.unwrap();
    }
    short
}

async fn release(app: &TestApp, reference: &str) {
    let mut tx = app.db.begin().await.unwrap();
    service::release(&mut tx, &app.system(), reference)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

async fn run(app: &TestApp, sql: &'static str) {
    let mut tx = app.db.begin().await.unwrap();
    execute(&mut tx, Sql::same(sql), Vec::new()).await.unwrap();
    tx.commit().await.unwrap();
}

/// The payloads of all events of a topic so far, the oldest first.
async fn events(app: &TestApp, topic: &str) -> Vec<Value> {
    let sql = Sql::same("select payload from outbox where topic = $1 order by id");
    let mut conn = app.db.conn().await.unwrap();
    let rows: Vec<(String,)> = fetch_all(&mut conn, sql, vec![topic.into()]).await.unwrap();
    rows.iter()
        .map(|(payload,)| serde_json::from_str(payload).unwrap())
        .collect()
}

/// The actions that the audit log tells of a subject, the oldest first.
async fn audited(app: &TestApp, subject: &str) -> Vec<String> {
    let sql = Sql::same("select action from audit_log where subject = $1 order by id");
    let mut conn = app.db.conn().await.unwrap();
    let rows: Vec<(String,)> = fetch_all(&mut conn, sql, vec![subject.into()])
        .await
        .unwrap();
    rows.into_iter().map(|(action,)| action).collect()
}

/// The ledger from some entry on: variant, place, pieces, reason, reference.
async fn ledger(app: &TestApp, product: &Product) -> Vec<(String, i64, String, String)> {
    let sql = Sql::same(
        "select l.code, m.quantity, m.reason, m.reference
        from stock_movements as m
        join locations as l on l.id = m.location_id
        where m.variant_id = $1
        order by m.id",
    );
    let mut conn = app.db.conn().await.unwrap();
    fetch_all(&mut conn, sql, vec![variant(product).into()])
        .await
        .unwrap()
}

both! {
    async fn what_is_held_is_sold_to_nobody_else(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 20).await;
        let id = variant(&mug);
        assert!(reserve(&app, &[(id, 2), (id, 1)], "K7QM").await.is_empty());
        assert_eq!(pieces(&app, &mug).await, (20, 3));
        let short = take(&app, &[(id, 18)], "W2ZZ").await;
        assert_eq!(short, [Shortfall { variant_id: id, wanted: 18, available: 17 }]);
        assert_eq!(reserve(&app, &[(id, 18)], "W2ZZ").await, short);
        assert!(take(&app, &[(id, 10)], "W2ZZ").await.is_empty());
        assert_eq!(pieces(&app, &mug).await, (10, 3));
        // More for the same order, and all of it is sold.
        assert!(reserve(&app, &[(id, 1)], "K7QM").await.is_empty());
        assert_eq!(pieces(&app, &mug).await, (10, 4));
        assert!(settle(&app, &[(id, 4)], "K7QM").await.is_empty());
        assert_eq!(pieces(&app, &mug).await, (6, 0));
        let entries = ledger(&app, &mug).await;
        let entry = |pieces, reason: &str, reference: &str| {
            ("main".to_owned(), pieces, reason.to_owned(), reference.to_owned())
        };
        assert_eq!(entries, [
            entry(20, "received", ""), entry(-10, "sold", "W2ZZ"), entry(-4, "sold", "K7QM"),
        ]);
    }

    async fn all_lines_are_held_or_none(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 20).await;
        let vase = app.product("Bottle vase", "58.00", 1).await;
        let short = reserve(&app, &[(variant(&vase), 2), (variant(&mug), 2)], "K7QM").await;
        assert_eq!(short.len(), 1);
        assert_eq!(pieces(&app, &mug).await, (20, 0));
        assert_eq!(pieces(&app, &vase).await, (1, 0));
    }

    async fn released_stock_is_free_and_a_second_release_does_nothing(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 20).await;
        let lines = [(variant(&mug), 3)];
        reserve(&app, &lines, "K7QM").await;
        reserve(&app, &lines, "W2ZZ").await;
        release(&app, "K7QM").await;
        release(&app, "K7QM").await;
        release(&app, "never").await;
        assert_eq!(pieces(&app, &mug).await, (20, 3));
        // An order that held nothing any more takes anew.
        assert!(settle(&app, &lines, "K7QM").await.is_empty());
        assert_eq!(pieces(&app, &mug).await, (17, 3));
    }

    async fn the_sweeper_frees_what_was_held_too_long(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 20).await;
        let vase = app.product("Bottle vase", "58.00", 20).await;
        let lines = [(variant(&mug), 3), (variant(&vase), 4)];
        reserve(&app, &lines, "K7QM").await;
        app.clock.advance_seconds(10 * 60);
        reserve(&app, &lines, "W2ZZ").await;
        assert_eq!(service::sweep(&app).await.unwrap(), 0);
        app.clock.advance_seconds(5 * 60);
        assert_eq!(service::sweep(&app).await.unwrap(), 2);
        assert_eq!(pieces(&app, &mug).await, (20, 3));
        assert_eq!(pieces(&app, &vase).await, (20, 4));
        assert_eq!(service::sweep(&app).await.unwrap(), 0);
    }

    async fn what_is_extended_is_held_for_longer(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 20).await;
        reserve(&app, &[(variant(&mug), 3)], "K7QM").await;
        app.clock.advance_seconds(14 * 60);
        let mut tx = app.db.begin().await.unwrap();
        service::extend(&mut tx, "K7QM", soon(&app)).await.unwrap();
        service::extend(&mut tx, "never", soon(&app)).await.unwrap();
        tx.commit().await.unwrap();
        app.clock.advance_seconds(14 * 60);
        assert_eq!(service::sweep(&app).await.unwrap(), 0);
        app.clock.advance_seconds(60);
        assert_eq!(service::sweep(&app).await.unwrap(), 1);
        assert_eq!(pieces(&app, &mug).await, (20, 0));
    }

    async fn the_setting_says_how_long(app: TestApp) {
        let app = app.with_settings(|config| config.reservation_minutes = 2).await;
        let mug = app.product("Everyday mug", "24.00", 20).await;
        reserve(&app, &[(variant(&mug), 3)], "K7QM").await;
        app.clock.advance_seconds(119);
        assert_eq!(service::sweep(&app).await.unwrap(), 0);
        app.clock.advance_seconds(1);
        assert_eq!(service::sweep(&app).await.unwrap(), 1);
    }

    async fn the_next_buyer_frees_what_was_held_too_long(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 8).await;
        let id = variant(&mug);
        reserve(&app, &[(id, 5)], "K7QM").await;
        reserve(&app, &[(id, 2)], "M3AA").await;
        assert_eq!(take(&app, &[(id, 2)], "W2ZZ").await[0].available, 1);
        app.clock.advance_seconds(15 * 60);
        // Enough is free without anybody's: nothing is freed.
        assert!(take(&app, &[(id, 1)], "W2ZZ").await.is_empty());
        assert_eq!(pieces(&app, &mug).await, (7, 7));
        assert!(take(&app, &[(id, 2)], "W2ZZ").await.is_empty());
        assert_eq!(pieces(&app, &mug).await, (5, 0));
        app.leave_jobs();
    }

    async fn who_settles_late_gets_what_is_left_or_is_told(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 20).await;
        let id = variant(&mug);
        reserve(&app, &[(id, 5)], "K7QM").await;
        app.clock.advance_seconds(20 * 60);
        assert!(take(&app, &[(id, 16)], "W2ZZ").await.is_empty());
        let short = settle(&app, &[(id, 5)], "K7QM").await;
        assert_eq!(short, [Shortfall { variant_id: id, wanted: 5, available: 4 }]);
        assert_eq!(pieces(&app, &mug).await, (4, 0));
        assert!(settle(&app, &[(id, 4)], "K7QM").await.is_empty());
        assert_eq!(pieces(&app, &mug).await, (0, 0));
        app.leave_jobs();
    }

    async fn settling_part_of_it_frees_the_rest_and_more_is_taken(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 20).await;
        let vase = app.product("Bottle vase", "58.00", 20).await;
        let (first, second) = (variant(&mug), variant(&vase));
        reserve(&app, &[(first, 5), (second, 2)], "K7QM").await;
        // Late, but nobody else wanted them.
        app.clock.advance_seconds(60 * 60);
        assert!(settle(&app, &[(first, 3), (second, 3)], "K7QM").await.is_empty());
        assert_eq!(pieces(&app, &mug).await, (17, 0));
        assert_eq!(pieces(&app, &vase).await, (17, 0));
        release(&app, "K7QM").await;
        assert_eq!(pieces(&app, &vase).await, (17, 0));
    }

    async fn twenty_buyers_hold_the_last_one_once(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 1).await;
        let id = variant(&mug);
        for round in 0..4 {
            let buyers: Vec<_> = (0..20).map(|n| (app.clone(), format!("R{round}N{n}"))).collect();
            let held = at_once(buyers, move |(app, reference)| async move {
                reserve(&app, &[(id, 1)], &reference).await.is_empty()
            })
            .await;
            assert_eq!(held.iter().filter(|held| **held).count(), 1);
            assert_eq!(pieces(&app, &mug).await, (1, 1));
            // Each round's winner waits too long, and the next round frees it.
            app.clock.advance_seconds(15 * 60);
        }
        app.leave_jobs();
    }

    async fn buyers_sweeper_and_payers_at_once_keep_the_books(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 40).await;
        let vase = app.product("Bottle vase", "58.00", 40).await;
        let (first, second) = (variant(&mug), variant(&vase));
        for number in 0..6 {
            reserve(&app, &[(first, 2), (second, 1)], &format!("OLD{number}")).await;
        }
        app.clock.advance_seconds(15 * 60);
        let works: Vec<_> = (0..24).map(|number| (app.clone(), number)).collect();
        let sold = at_once(works, move |(app, number)| async move {
            let old = format!("OLD{}", number % 6);
            let new = format!("NEW{number}");
            match number % 4 {
                0 => {
                    service::sweep(&app).await.unwrap();
                    0
                }
                // Opposite orders of lines, to provoke whoever locks as the lines come.
                1 if reserve(&app, &[(second, 3), (first, 2)], &new).await.is_empty() => 0,
                2 if take(&app, &[(first, 2), (second, 3)], &new).await.is_empty() => 2,
                3 if number < 12 && settle(&app, &[(second, 1), (first, 2)], &old).await.is_empty() => 2,
                3 => {
                    release(&app, &old).await;
                    0
                }
                _ => 0,
            }
        })
        .await;
        let left = pieces(&app, &mug).await.0;
        assert_eq!(left, 40 - sold.iter().sum::<i64>());
        app.clock.advance_seconds(15 * 60);
        service::sweep(&app).await.unwrap();
        assert_eq!(pieces(&app, &mug).await, (left, 0));
        app.leave_jobs();
    }

    async fn what_is_held_is_missing_in_the_shop(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 3).await;
        let ctx = guest_with(&app, &mug, 2).await;
        reserve(&app, &[(variant(&mug), 2)], "K7QM").await;
        let client = app.api().with("cart-token", ctx.cart_token.as_deref().unwrap());
        let cart = client.get("/api/cart").await.expect(200).json();
        assert_eq!(cart["items"][0]["available"], 1);
        let refused = client.post("/api/orders", body()).await.expect(409).json();
        assert_eq!(refused["code"], "out_of_stock");
        release(&app, "K7QM").await;
        client.post("/api/orders", body()).await.expect(201);
        app.run_jobs().await;
    }

    async fn orders_are_filled_from_places_in_their_order_and_give_back_there(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 2).await;
        let id = variant(&mug);
        run(&app, "insert into locations (code, name, position, active)
            values ('shop', 'Shop', 3, true), ('attic', 'Attic', 0, false)").await;
        run(&app, "insert into stock_levels (variant_id, location_id, on_hand)
            select v.id, l.id, 5 from variants as v, locations as l where l.code <> 'main'").await;
        run(&app, "insert into stock_movements (variant_id, location_id, quantity, reason, created_at)
            select v.id, l.id, 5, 'received', 0 from variants as v, locations as l where l.code <> 'main'").await;
        assert_eq!(pieces(&app, &mug).await, (7, 0));
        assert_eq!(take(&app, &[(id, 8)], "X").await[0].available, 7);
        let (guest, order) = guest_order(&app, &mug, 6).await;
        assert_eq!(pieces(&app, &mug).await, (1, 0));
        let sold = ledger(&app, &mug).await.split_off(3);
        let number = order.number.clone();
        let entry = |place: &str, pieces, reason: &str| {
            (place.to_owned(), pieces, reason.to_owned(), number.clone())
        };
        assert_eq!(sold, [entry("main", -2, "sold"), entry("shop", -4, "sold")]);
        zoco::orders::service::cancel(&app, &guest, &order.number).await.unwrap();
        let back = ledger(&app, &mug).await.split_off(5);
        assert_eq!(back, [entry("main", 2, "cancelled"), entry("shop", 4, "cancelled")]);
        // What the ledger does not know of comes to the main place.
        let mut tx = app.db.begin().await.unwrap();
        service::put_back(&mut tx, &app.system(), &[(id, 1)], "unknown").await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(ledger(&app, &mug).await.split_off(7)[0].0, "main");
        assert_eq!(pieces(&app, &mug).await, (8, 0));
        // One place that has all is better than two.
        take(&app, &[(id, 4)], "Y").await;
        assert_eq!(ledger(&app, &mug).await.split_off(8)[0].0, "shop");
        app.run_jobs().await;
    }

    async fn what_an_order_took_is_put_back_once(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 9).await;
        let id = variant(&mug);
        run(&app, "insert into locations (code, name, position) values ('shop', 'Shop', 3)").await;
        take(&app, &[(id, 3)], "K7QM").await;
        take(&app, &[(id, 2)], "W2ZZ").await;
        let back = |quantity, reason, reference: &'static str| {
            let app = app.clone();
            async move {
                let mut tx = app.db.begin().await.unwrap();
                let ctx = app.system();
                let lines = [(id, quantity)];
                service::give_back(&mut tx, &ctx, &lines, reason, reference).await.unwrap();
                tx.commit().await.unwrap();
            }
        };
        // Refunded with the piece on the shelf, and then the same piece comes back in a parcel.
        back(2, Reason::Cancelled, "K7QM").await;
        assert_eq!(pieces(&app, &mug).await, (6, 0));
        back(2, Reason::Returned, "K7QM").await;
        assert_eq!(pieces(&app, &mug).await, (7, 0));
        back(3, Reason::Returned, "K7QM").await;
        assert_eq!(pieces(&app, &mug).await, (7, 0), "all of it was back");
        // Nor where it came back to another place than it left.
        run(&app, "insert into stock_levels (variant_id, location_id, on_hand)
            select v.id, l.id, 1 from variants as v, locations as l where l.code = 'shop'").await;
        run(&app, "insert into stock_movements (variant_id, location_id, quantity, reason, reference, created_at)
            select v.id, l.id, 1, 'returned', 'W2ZZ', 0 from variants as v, locations as l where l.code = 'shop'").await;
        back(2, Reason::Cancelled, "W2ZZ").await;
        assert_eq!(pieces(&app, &mug).await, (9, 0));
        app.leave_jobs();
    }

    async fn a_repair_waits_for_the_order_that_reserves(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 20).await;
        let id = variant(&mug);
        run(&app, "update stock_levels set reserved = 9").await;
        let mut tx = app.db.begin().await.unwrap();
        let short = service::reserve(&mut tx, &app.system(), &[(id, 2)], "K7QM", soon(&app)).await;
        assert!(short.unwrap().is_empty());
        let doctor = app.clone();
        let done = tokio::spawn(async move {
            let mut tx = doctor.db.begin().await.unwrap();
            let done = service::repair(&mut tx, &doctor.system()).await.unwrap();
            tx.commit().await.unwrap();
            done
        });
        tokio::time::sleep(LONG_ENOUGH).await;
        tx.commit().await.unwrap();
        assert!(done.await.unwrap()[0].ends_with("has 2 reserved now"));
        assert_eq!(pieces(&app, &mug).await, (20, 2));
        app.leave_jobs();
    }

    async fn an_order_under_way_is_filled_by_the_rule_that_it_found(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 2).await;
        let id = variant(&mug);
        let rules = |backorder| service::RulesInput { backorder: Some(backorder), low_stock: None };
        service::set_rules(&app, &app.system(), id, rules(true)).await.unwrap();
        // The order has looked, and the rule changes before it takes.
        let mut tx = app.db.begin().await.unwrap();
        service::hold(&mut tx, &[id]).await.unwrap();
        let staff = app.clone();
        let changed = tokio::spawn(async move {
            service::set_rules(&staff, &staff.system(), id, rules(false)).await
        });
        tokio::time::sleep(LONG_ENOUGH).await;
        let short = service::take(&mut tx, &app.system(), &[(id, 3)], "K7QM").await.unwrap();
        assert!(short.is_empty(), "{short:?}");
        tx.commit().await.unwrap();
        assert!(!changed.await.unwrap().unwrap().backorder);
        assert_eq!(pieces(&app, &mug).await, (-1, 0));
        // The rule changes, and the order, which waits for the shelf, looks after that.
        service::set_rules(&app, &app.system(), id, rules(true)).await.unwrap();
        let mut tx = app.db.begin().await.unwrap();
        service::hold(&mut tx, &[id]).await.unwrap();
        let sql = Sql::same("update variants set backorder = false");
        execute(&mut tx, sql, Vec::new()).await.unwrap();
        let buyer = app.clone();
        let short = tokio::spawn(async move { take(&buyer, &[(id, 3)], "W2ZZ").await });
        tokio::time::sleep(LONG_ENOUGH).await;
        tx.commit().await.unwrap();
        assert_eq!(short.await.unwrap()[0].wanted, 3);
        app.leave_jobs();
    }

    async fn a_count_is_of_all_places_and_the_difference_comes_from_where_there_is_some(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 2).await;
        let id = variant(&mug);
        run(&app, "insert into locations (code, name, position) values ('shop', 'Shop', 3)").await;
        run(&app, "insert into stock_levels (variant_id, location_id, on_hand)
            select v.id, l.id, 5 from variants as v, locations as l where l.code = 'shop'").await;
        run(&app, "insert into stock_movements (variant_id, location_id, quantity, reason, created_at)
            select v.id, l.id, 5, 'received', 0 from variants as v, locations as l where l.code = 'shop'").await;
        let set = |on_hand| {
            let app = app.clone();
            async move {
                let mut tx = app.db.begin().await.unwrap();
                let ctx = app.system();
                service::set_on_hand(&mut tx, &ctx, id, on_hand, Reason::Counted).await.unwrap();
                tx.commit().await.unwrap();
            }
        };
        set(7).await;
        assert_eq!(ledger(&app, &mug).await.len(), 2);
        set(9).await;
        assert_eq!(pieces(&app, &mug).await, (9, 0));
        set(3).await;
        let counted = ledger(&app, &mug).await.split_off(2);
        let moved: Vec<_> = counted.iter().map(|(place, pieces, ..)| (place.as_str(), *pieces)).collect();
        assert_eq!(moved, [("main", 2), ("main", -4), ("shop", -2)]);
        assert_eq!(pieces(&app, &mug).await, (3, 0));
        app.leave_jobs();
    }

    async fn beyond_its_stock_a_variant_is_owed(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 2).await;
        let id = variant(&mug);
        run(&app, "update variants set backorder = true").await;
        assert!(take(&app, &[(id, 3)], "K7QM").await.is_empty());
        assert!(reserve(&app, &[(id, 2)], "W2ZZ").await.is_empty());
        assert_eq!(pieces(&app, &mug).await, (-1, 2));
        assert_eq!(level(&app, &mug).await.available(), 0);
        // It was promised, whatever the variant allows by now.
        run(&app, "update variants set backorder = false").await;
        assert!(settle(&app, &[(id, 2)], "W2ZZ").await.is_empty());
        assert_eq!(pieces(&app, &mug).await, (-3, 0));
        assert_eq!(take(&app, &[(id, 1)], "X").await[0].available, 0);
        app.leave_jobs();
    }

    async fn a_fall_to_the_threshold_is_told_once(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 8).await;
        let id = variant(&mug);
        take(&app, &[(id, 2)], "A").await;
        assert!(events(&app, LOW).await.is_empty());
        reserve(&app, &[(id, 1)], "B").await;
        let low = json!({"variant_id": id, "available": 5, "threshold": 5});
        assert_eq!(events(&app, LOW).await, [low]);
        settle(&app, &[(id, 1)], "B").await;
        take(&app, &[(id, 5)], "C").await;
        assert_eq!(events(&app, LOW).await.len(), 1);
        assert!(events(&app, AVAILABLE).await.is_empty());
        run(&app, "insert into stock_waiters (variant_id, email, locale, created_at)
            select id, 'ada@example.com', 'en', 0 from variants").await;
        run(&app, "update variants set low_stock = 1").await;
        let mut tx = app.db.begin().await.unwrap();
        service::put_back(&mut tx, &app.system(), &[(id, 3)], "C").await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(events(&app, AVAILABLE).await, [json!({"variant_id": id})]);
        take(&app, &[(id, 1)], "D").await;
        assert_eq!(events(&app, LOW).await.len(), 1);
        take(&app, &[(id, 1)], "D").await;
        assert_eq!(events(&app, LOW).await[1]["threshold"], 1);
        app.leave_jobs();
    }

    async fn places_are_made_and_changed_by_page_and_api(app: TestApp) {
        app.staff("stock@example.com", &[Permission::Inventory]).await;
        let api = app.api().signed_in("stock@example.com").await;
        let mut browser = app.browser();
        browser.sign_in("stock@example.com").await;
        let mug = app.product("Everyday mug", "24.00", 3).await;
        let body = json!({"code": "shop", "name": "Shop", "address": "1 Main St"});
        let made = api.post("/api/admin/stock/locations", body.clone()).await.expect(201).json();
        assert_eq!((&made["position"], &made["active"]), (&json!(1), &json!(true)));
        let again = api.post("/api/admin/stock/locations", body).await.expect(422).json();
        assert_eq!(again["errors"][0]["code"], "taken");
        let wrong = json!({"code": "The Shop", "position": -1});
        let wrong = api.post("/api/admin/stock/locations", wrong).await.expect(422).json();
        assert_eq!(wrong["errors"].as_array().unwrap().len(), 3);

        let page = browser.get("/admin/stock/locations").await.expect(200);
        let fields = [("name", "Attic"), ("code", "-"), ("position", "7")];
        let refused = browser.submit(&page, "#place", &fields).await.expect(422);
        assert!(refused.body.contains("small letters, digits and hyphens"));
        assert!(refused.body.contains(r#"value="Attic""#));
        let fields = [("name", "Attic"), ("code", "attic"), ("position", "7")];
        browser.submit(&page, "#place", &fields).await.expect(200);
        let page = browser.get("/admin/stock/locations/attic").await.expect(200);
        let saved = browser.submit(&page, "#place", &[("name", "The attic")]).await.expect(200);
        assert!(saved.body.contains("The attic was saved."));
        let listed = api.get("/api/admin/stock/locations").await.expect(200).json();
        let codes: Vec<&Value> = listed["items"].as_array().unwrap().iter().map(|one| &one["code"]).collect();
        assert_eq!(codes, ["main", "shop", "attic"]);

        let path = "/api/admin/stock/locations/main";
        let stays = api.patch(path, json!({"active": false})).await.expect(422).json();
        assert_eq!(stays["errors"][0]["field"], "active");
        api.patch(path, json!({"code": "other"})).await.expect(422);
        api.get("/api/admin/stock/locations/none").await.expect(404);
        // What lies in an inactive place is not for sale.
        let (id, system) = (variant(&mug), app.system());
        let input = service::TransferInput {
            from: Some("main".to_owned()),
            to: Some("attic".to_owned()),
            lines: vec![service::TransferLine { variant_id: Some(id), quantity: Some(2) }],
            note: None,
        };
        service::transfer(&app, &system, input).await.unwrap();
        let path = "/api/admin/stock/locations/attic";
        api.patch(path, json!({"active": false})).await.expect(200);
        assert_eq!(pieces(&app, &mug).await, (1, 0));
        run(&app, "insert into stock_waiters (variant_id, email, locale, created_at)
            select id, 'ada@example.com', 'en', 0 from variants").await;
        assert!(take(&app, &[(id, 1)], "K7QM").await.is_empty());
        api.patch(path, json!({"active": true})).await.expect(200);
        assert_eq!(events(&app, AVAILABLE).await, [json!({"variant_id": id})]);
        let log: Vec<String> = audited(&app, "location attic").await;
        assert_eq!(log, ["location.created", "location.changed", "location.changed", "location.changed"]);
        app.leave_jobs();
    }

    async fn stock_is_changed_with_a_reason_by_page_and_api(app: TestApp) {
        app.staff("stock@example.com", &[Permission::Inventory]).await;
        let api = app.api().signed_in("stock@example.com").await;
        let mut browser = app.browser();
        browser.sign_in("stock@example.com").await;
        let mug = app.product("Everyday mug", "24.00", 9).await;
        let id = variant(&mug);
        let path = "/api/admin/stock/adjustments";
        let body = json!({"variant_id": id, "change": -2, "reason": "damaged", "note": "They fell"});
        let keyed = api.clone().with("idempotency-key", "one");
        for _ in 0..2 {
            let changed = keyed.post(path, body.clone()).await.expect(200).json();
            assert_eq!((&changed["on_hand"], &changed["low"]), (&json!(7), &json!(false)));
        }
        api.post(path, json!({"variant_id": id, "on_hand": 8, "reason": "counted"})).await.expect(200);
        api.post(path, json!({"variant_id": id, "on_hand": 8, "reason": "counted"})).await.expect(200);
        for (body, field) in [
            (json!({"variant_id": id, "change": 1, "on_hand": 1}), "change"),
            (json!({"variant_id": id}), "change"),
            (json!({"variant_id": id, "change": 0}), "change"),
            (json!({"variant_id": id, "change": -9}), "change"),
            (json!({"variant_id": id, "on_hand": -1}), "on_hand"),
            (json!({"variant_id": id, "change": 1, "reason": "sold"}), "reason"),
            (json!({"variant_id": id, "change": 1, "location": "moon"}), "location"),
            (json!({"variant_id": id, "change": 1, "note": "a\nb"}), "note"),
        ] {
            let refused = api.post(path, body).await.expect(422).json();
            assert_eq!(refused["errors"][0]["field"], field);
        }
        api.post(path, json!({"variant_id": 99, "change": 1})).await.expect(404);

        let place = format!("/admin/stock/variants/{id}");
        let page = browser.get(&place).await.expect(200);
        let fields = [("change", "many"), ("reason", "received")];
        let refused = browser.submit(&page, "#adjust-form", &fields).await.expect(422);
        assert!(refused.body.contains("Write how many more or fewer."));
        let fields = [("change", "12"), ("reason", "received"), ("note", "Delivery 7")];
        let shown = browser.submit(&page, "#adjust-form", &fields).await.expect(200);
        assert!(shown.body.contains("20 can be sold now."), "{}", shown.body);
        assert!(shown.body.contains("Delivery 7") && shown.body.contains("They fell"));
        let (guest, order) = guest_order(&app, &mug, 2).await;
        let shown = browser.get(&place).await.expect(200);
        assert!(shown.body.contains(&format!("/admin/orders/{}", order.number)));
        assert_eq!(pieces(&app, &mug).await, (18, 0));
        drop(guest);

        let path = format!("/api/admin/stock/movements?variant_id={id}&per_page=3");
        let listed = api.get(&path).await.expect(200).json();
        assert_eq!(listed["total"], 5);
        let brief = |entry: &Value| {
            (entry["quantity"].as_i64().unwrap(), entry["balance"].as_i64().unwrap(), entry["reason"].clone())
        };
        let entries: Vec<_> = listed["items"].as_array().unwrap().iter().map(brief).collect();
        assert_eq!(entries, [(-2, 18, json!("sold")), (12, 20, json!("received")), (1, 8, json!("counted"))]);
        assert_eq!(listed["items"][0]["reference"], order.number);
        assert!(listed["items"][1]["actor"].is_string());
        let rest = api.get(listed["next"].as_str().unwrap()).await.expect(200).json();
        assert_eq!(rest["items"][0]["note"], "They fell");
        let path = format!("/api/admin/stock/movements?reference={}&reason=sold&location=main", order.number);
        assert_eq!(api.get(&path).await.expect(200).json()["total"], 1);
        let log = audited(&app, &format!("variant {id}")).await;
        assert_eq!(log, ["stock.adjusted", "stock.adjusted", "stock.adjusted"]);
        app.run_jobs().await;
    }

    async fn stock_moves_from_place_to_place_by_page_and_api(app: TestApp) {
        app.staff("stock@example.com", &[Permission::Inventory]).await;
        let api = app.api().signed_in("stock@example.com").await;
        let mut browser = app.browser();
        browser.sign_in("stock@example.com").await;
        let mug = app.product("Everyday mug", "24.00", 9).await;
        let vase = app.product("Bottle vase", "58.00", 4).await;
        let (first, second) = (variant(&mug), variant(&vase));
        let body = json!({"code": "shop", "name": "Shop"});
        api.post("/api/admin/stock/locations", body).await.expect(201);
        reserve(&app, &[(first, 2)], "K7QM").await;
        let path = "/api/admin/stock/transfers";
        let body = json!({"from": "main", "to": "shop", "note": "For Saturday", "lines": [
            {"variant_id": second, "quantity": 1}, {"variant_id": first, "quantity": 7},
        ]});
        let made = api.post(path, body).await.expect(200).json();
        let reference = made["reference"].as_str().unwrap().to_owned();
        assert_eq!(pieces(&app, &mug).await, (9, 2));
        for (body, field) in [
            (json!({"from": "main", "to": "shop", "lines": []}), "lines"),
            (json!({"from": "main", "to": "main", "lines": [{"variant_id": first, "quantity": 1}]}), "to"),
            (json!({"from": "moon", "to": "shop", "lines": [{"variant_id": first, "quantity": 1}]}), "from"),
            // Two lie there, but somebody holds them.
            (json!({"from": "main", "to": "shop", "lines": [{"variant_id": first, "quantity": 1}]}), "lines.0.quantity"),
            (json!({"from": "main", "to": "shop", "lines": [{"variant_id": 99, "quantity": 1}]}), "lines.0.variant_id"),
            (json!({"from": "main", "to": "shop", "lines": [{"variant_id": second, "quantity": 0}]}), "lines.0.quantity"),
            (json!({"from": "main", "to": "shop", "lines": [
                {"variant_id": second, "quantity": 1}, {"variant_id": second, "quantity": 1}]}), "lines.1.variant_id"),
        ] {
            let refused = api.post(path, body).await.expect(422).json();
            assert_eq!(refused["errors"][0]["field"], field);
        }
        let page = browser.get(&format!("/admin/stock/variants/{first}")).await.expect(200);
        let fields = [("from", "shop"), ("to", "main"), ("quantity", "8")];
        let refused = browser.submit(&page, "#transfer-form", &fields).await.expect(422);
        assert!(refused.body.contains("Only 7 of it can leave Shop."));
        let fields = [("from", "shop"), ("to", "main"), ("quantity", "3")];
        let shown = browser.submit(&page, "#transfer-form", &fields).await.expect(200);
        assert!(shown.body.contains("Moved: T-") && shown.body.contains(&reference));
        let moved: Vec<_> = ledger(&app, &mug).await.into_iter().skip(1).map(|entry| (entry.0, entry.1)).collect();
        let entry = |place: &str, pieces| (place.to_owned(), pieces);
        assert_eq!(moved, [entry("main", -7), entry("shop", 7), entry("main", 3), entry("shop", -3)]);
        let shown = api.get(&format!("/api/admin/stock/variants/{first}")).await.expect(200).json();
        assert_eq!(shown["locations"][0]["on_hand"], 5);
        assert_eq!(shown["locations"][1]["on_hand"], 4);
        assert_eq!(audited(&app, &format!("variant {second}")).await, ["stock.transferred"]);
        app.leave_jobs();
    }

    async fn the_list_of_stock_says_what_is_where(app: TestApp) {
        app.staff("stock@example.com", &[Permission::Inventory]).await;
        let api = app.api().signed_in("stock@example.com").await;
        let mut browser = app.browser();
        browser.sign_in("stock@example.com").await;
        let mug = app.product("Everyday mug", "24.00", 4).await;
        app.product("Bottle vase", "58.00", 40).await;
        let listed = api.get("/api/admin/stock?show=low").await.expect(200).json();
        assert_eq!(listed["total"], 1);
        assert_eq!(listed["items"][0]["variant_id"], variant(&mug).0);
        assert_eq!(listed["items"][0]["low_stock"], 5);
        let listed = api.get("/api/admin/stock?search=vase").await.expect(200).json();
        assert_eq!(listed["items"][0]["available"], 40);
        api.get("/api/admin/stock?show=some").await.expect(400);
        let page = browser.get("/admin/stock?show=low").await.expect(200);
        assert!(page.body.contains("Everyday mug") && !page.body.contains("Bottle vase"));
        let page = browser.get("/admin/stock").await.expect(200);
        assert!(page.body.contains("Main warehouse") && page.body.contains("Bottle vase"));
        let page = browser.get("/admin/stock?search=nothing").await.expect(200);
        assert!(page.body.contains("Nothing fits."));
    }

    async fn what_holds_for_a_variant_is_said_by_page_and_api(app: TestApp) {
        app.staff("stock@example.com", &[Permission::Inventory]).await;
        let api = app.api().signed_in("stock@example.com").await;
        let mut browser = app.browser();
        browser.sign_in("stock@example.com").await;
        let mug = app.product("Everyday mug", "24.00", 4).await;
        let id = variant(&mug);
        let path = format!("/api/admin/stock/variants/{id}");
        let changed = api.patch(&path, json!({"backorder": true, "low_stock": 2})).await.expect(200).json();
        assert_eq!((&changed["backorder"], &changed["low_stock"], &changed["low"]), (&json!(true), &json!(2), &json!(false)));
        let same = api.patch(&path, json!({})).await.expect(200).json();
        assert_eq!(same, changed);
        assert!(take(&app, &[(id, 6)], "K7QM").await.is_empty());
        let changed = api.patch(&path, json!({"low_stock": null})).await.expect(200).json();
        assert_eq!((&changed["low_stock"], &changed["on_hand"]), (&json!(5), &json!(-2)));
        api.patch(&path, json!({"low_stock": -1})).await.expect(422);
        api.patch("/api/admin/stock/variants/99", json!({})).await.expect(404);
        let listed = api.get("/api/admin/stock?show=owed").await.expect(200).json();
        assert_eq!(listed["total"], 1);
        let page = browser.get(&format!("/admin/stock/variants/{id}")).await.expect(200);
        let refused = browser.submit(&page, "#rules-form", &[("low_stock", "few")]).await.expect(422);
        assert!(refused.body.contains("Write a number from 0"));
        let saved = browser.submit(&page, "#rules-form", &[("low_stock", "9")]).await.expect(200);
        assert!(saved.body.contains("Low from 9 pieces down"));
        let log = audited(&app, &format!("variant {id}")).await;
        assert_eq!(log, ["stock.rules_changed", "stock.rules_changed", "stock.rules_changed"]);
        app.leave_jobs();
    }

    async fn places_and_their_stock_are_nobodys_but_the_staffs(app: TestApp) {
        app.staff("catalog@example.com", &[Permission::Catalog]).await;
        let api = app.api().signed_in("catalog@example.com").await;
        for path in ["/api/admin/stock", "/api/admin/stock/movements", "/api/admin/stock/locations"] {
            app.api().get(path).await.expect(401);
            api.get(path).await.expect(403);
        }
    }

    async fn beyond_its_stock_it_is_bought_on_backorder(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 1).await;
        let id = variant(&mug);
        let rules = service::RulesInput { backorder: Some(true), low_stock: None };
        service::set_rules(&app, &app.system(), id, rules).await.unwrap();
        let mut browser = app.browser();
        let page = browser.get("/products/everyday-mug").await.expect(200);
        assert!(page.body.contains("Only 1 left"));
        let shown = browser.submit(&page, "#add", &[("quantity", "3")]).await.expect(200);
        assert!(shown.body.contains("Available on backorder, 1 at once"), "{}", shown.body);
        assert!(!shown.body.contains("you chose"));
        let ctx = guest_with(&app, &mug, 4).await;
        let client = app.api().with("cart-token", ctx.cart_token.as_deref().unwrap());
        let cart = client.get("/api/cart").await.expect(200).json();
        assert_eq!((&cart["items"][0]["available"], &cart["items"][0]["backorder"]), (&json!(1), &json!(true)));
        assert!(cart["notices"].as_array().unwrap().is_empty());
        client.post("/api/orders", body()).await.expect(201);
        assert_eq!(pieces(&app, &mug).await, (-3, 0));
        let page = browser.get("/products/everyday-mug").await.expect(200);
        assert!(page.body.contains("Available on backorder") && page.body.contains("Add to cart"));
        assert!(!page.body.contains("sold out"));
        let shown = app.api().get("/api/products/everyday-mug").await.expect(200).json();
        assert_eq!((&shown["in_stock"], &shown["stock"]), (&json!(true), &json!(0)));
        let listed = app.api().get("/api/products?in_stock=true").await.expect(200).json();
        assert_eq!((&listed["total"], &listed["items"][0]["in_stock"]), (&json!(1), &json!(true)));
        app.run_jobs().await;
    }

    async fn who_waits_gets_one_letter_when_it_is_back(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 0).await;
        let id = variant(&mug);
        let mut browser = app.browser();
        let page = browser.get("/products/everyday-mug").await.expect(200);
        let refused = browser.submit(&page, "#wait", &[("email", "nobody")]).await.expect(422);
        assert!(refused.body.contains("Write an e-mail address") && refused.body.contains(r#"value="nobody""#));
        for _ in 0..2 {
            let shown = browser.submit(&page, "#wait", &[("email", "ada@example.com")]).await.expect(200);
            assert!(shown.body.contains("We write to you once"));
        }
        app.customer("bob@example.com").await;
        let bob = app.api().signed_in("bob@example.com").await;
        bob.post("/api/back-in-stock", json!({"variant_id": id})).await.expect(204);
        bob.post("/api/back-in-stock", json!({"variant_id": id})).await.expect(204);
        app.api().post("/api/back-in-stock", json!({"variant_id": id})).await.expect(422);
        app.api().post("/api/back-in-stock", json!({"variant_id": 99, "email": "c@example.com"})).await.expect(422);
        let waiting = service::stock_row(&app, &app.system(), id).await.unwrap().waiting;
        assert_eq!(waiting, 2);
        let data = bob.get("/api/auth/me/export").await.expect(200).json();
        assert_eq!(data["waits"][0]["variant_id"], id.0);
        let add = |change| service::AdjustInput {
            variant_id: Some(id),
            change: Some(change),
            ..service::AdjustInput::default()
        };
        service::adjust(&app, &app.system(), add(2)).await.unwrap();
        app.run_jobs().await;
        let to_them = || {
            let letters = app.letters().into_iter().filter(|one| one.subject.contains("Back in stock"));
            letters.map(|one| (one.to.to_string(), one.text)).collect::<Vec<_>>()
        };
        let letters = to_them();
        assert_eq!(letters.len(), 2);
        assert_eq!((letters[0].0.as_str(), letters[1].0.as_str()), ("ada@example.com", "bob@example.com"));
        assert!(letters[0].1.contains(&format!("/products/everyday-mug?variant={id}")));
        let waiting = service::stock_row(&app, &app.system(), id).await.unwrap().waiting;
        assert_eq!(waiting, 0);
        let there = app.api().post("/api/back-in-stock", json!({"variant_id": id, "email": "c@example.com"})).await;
        assert_eq!(there.expect(409).json()["code"], "in_stock");
        service::adjust(&app, &app.system(), add(-2)).await.unwrap();
        service::adjust(&app, &app.system(), add(1)).await.unwrap();
        app.run_jobs().await;
        assert_eq!(to_them().len(), 2, "one letter each");
    }

    async fn stock_that_comes_while_somebody_asks_to_wait_is_told(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 0).await;
        let id = variant(&mug);
        let mut tx = app.db.begin().await.unwrap();
        let ctx = app.system();
        service::receive(&mut tx, &ctx, &[(id, 4)], Reason::Received, "").await.unwrap();
        let shopper = app.clone();
        let asked = tokio::spawn(async move {
            let wait = service::WaitInput {
                variant_id: Some(id),
                email: Some("ada@example.com".to_owned()),
            };
            service::wait_for(&shopper, &shopper.guest(), wait).await
        });
        tokio::time::sleep(LONG_ENOUGH).await;
        assert!(!asked.is_finished(), "it looks at the shelf once more");
        tx.commit().await.unwrap();
        asked.await.unwrap().unwrap();
        app.run_jobs().await;
        let letters = app.letters();
        assert!(letters.iter().any(|one| one.subject.contains("Back in stock")), "{letters:?}");
        assert_eq!(pieces(&app, &mug).await, (4, 0));
    }

    async fn who_leaves_waits_no_longer_and_nobody_is_written_to_too_often(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 0).await;
        let id = variant(&mug);
        app.customer("bob@example.com").await;
        let bob = app.api().signed_in("bob@example.com").await;
        for _ in 0..5 {
            bob.post("/api/back-in-stock", json!({"variant_id": id})).await.expect(204);
        }
        bob.post("/api/back-in-stock", json!({"variant_id": id})).await.expect(429);
        let password = json!({"password": crate::support::clients::PASSWORD}).to_string().into_bytes();
        bob.request(axum::http::Method::DELETE, "/api/auth/me", "application/json", password).await.expect(204);
        let waiting = service::stock_row(&app, &app.system(), id).await.unwrap().waiting;
        assert_eq!(waiting, 0);
        app.run_jobs().await;
    }

    async fn stock_that_falls_low_is_told_to_the_staff(app: TestApp) {
        let app = app.with_settings(|config| config.alerts_email = "stock@example.com".to_owned()).await;
        let mug = app.product("Everyday mug", "24.00", 7).await;
        let id = variant(&mug);
        take(&app, &[(id, 3)], "K7QM").await;
        take(&app, &[(id, 4)], "W2ZZ").await;
        app.run_jobs().await;
        let letters = app.letters();
        assert_eq!(letters.len(), 1);
        assert_eq!(letters[0].subject, "Everyday mug is low: 4 pieces left");
        assert!(letters[0].text.contains(&format!("/admin/stock/variants/{id}")));
    }
}
