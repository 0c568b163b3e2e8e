//! Every store function of inventory, on both databases.

use zoco::db::Tx;
use zoco::db::query::{self, Sql};
use zoco::inventory::store::{self, Movement, Watched};
use zoco::inventory::{
    Imbalance, Location, MovementFilter, Piece, Reason, ReservedImbalance, Shelf, StockFilter,
    StockLevel, StockShow,
};
use zoco::types::{Email, Locale, LocationId, PageRequest, VariantId};

use crate::support::{TestApp, both};

fn on_hand(pieces: i64) -> StockLevel {
    StockLevel {
        on_hand: pieces,
        reserved: 0,
    }
}

fn piece(variant_id: VariantId, location_id: LocationId, quantity: i64) -> Piece {
    Piece {
        variant_id,
        location_id,
        quantity,
    }
}

async fn run(tx: &mut Tx, sql: &'static str) -> u64 {
    query::execute(tx, Sql::same(sql), Vec::new())
        .await
        .unwrap()
}

both! {
    async fn levels_are_added_and_taken(app: TestApp) {
        let first = app.product("One", "1", 0).await.variants[0].id;
        let second = app.product("Two", "1", 0).await.variants[0].id;
        let mut tx = app.db.begin().await.unwrap();
        let main = store::main_location(&mut tx).await.unwrap();
        store::add(&mut tx, &[piece(first, main, 3), piece(second, main, 9)]).await.unwrap();
        store::add(&mut tx, &[piece(first, main, 2), piece(second, main, -2)]).await.unwrap();
        store::add(&mut tx, &[]).await.unwrap();
        let mut levels = store::levels(&mut tx, &[second, first, VariantId(99)]).await.unwrap();
        levels.sort_by_key(|(id, _)| *id);
        assert_eq!(levels, [(first, on_hand(5)), (second, on_hand(7))]);

        assert!(!store::take(&mut tx, &piece(first, main, 6)).await.unwrap());
        assert!(store::take(&mut tx, &piece(first, main, 5)).await.unwrap());
        assert!(!store::take(&mut tx, &piece(VariantId(99), main, 1)).await.unwrap());
        assert!(!store::reserve(&mut tx, &piece(second, main, 8)).await.unwrap());
        assert!(store::reserve(&mut tx, &piece(second, main, 3)).await.unwrap());
        assert!(!store::take(&mut tx, &piece(second, main, 5)).await.unwrap());
        assert!(store::take(&mut tx, &piece(second, main, 4)).await.unwrap());
        assert!(!store::reserve(&mut tx, &piece(second, main, 1)).await.unwrap());
        assert!(!store::unreserve(&mut tx, &piece(second, main, 4)).await.unwrap());
        assert!(store::unreserve(&mut tx, &piece(second, main, 1)).await.unwrap());
        assert!(!store::take_reserved(&mut tx, &piece(second, main, 3)).await.unwrap());
        assert!(store::take_reserved(&mut tx, &piece(second, main, 2)).await.unwrap());
        assert_eq!(store::levels(&mut tx, &[second]).await.unwrap(), [(second, on_hand(1))]);
        assert!(store::levels(&mut tx, &[]).await.unwrap().is_empty());
    }

    async fn beyond_the_stock_it_is_sold_where_the_variant_says_so(app: TestApp) {
        let first = app.product("One", "1", 1).await.variants[0].id;
        let second = app.product("Two", "1", 1).await.variants[0].id;
        let mut tx = app.db.begin().await.unwrap();
        let main = store::main_location(&mut tx).await.unwrap();
        assert_eq!(store::open_backorder_shelves(&mut tx, &[first, second]).await.unwrap(), 0);
        run(&mut tx, "update variants set backorder = true where id = (select min(id) from variants)").await;
        assert!(store::take(&mut tx, &piece(first, main, 3)).await.unwrap());
        assert!(store::reserve(&mut tx, &piece(first, main, 2)).await.unwrap());
        assert!(!store::take(&mut tx, &piece(second, main, 3)).await.unwrap());
        assert!(!store::reserve(&mut tx, &piece(second, main, 2)).await.unwrap());
        run(&mut tx, "delete from stock_levels").await;
        assert_eq!(store::open_backorder_shelves(&mut tx, &[first, second]).await.unwrap(), 1);
        assert_eq!(store::levels(&mut tx, &[first, second]).await.unwrap(), [(first, on_hand(0))]);
    }

    async fn shelves_are_locked_in_one_order(app: TestApp) {
        let first = app.product("One", "1", 4).await.variants[0].id;
        let second = app.product("Two", "1", 0).await.variants[0].id;
        let mut tx = app.db.begin().await.unwrap();
        let main = store::main_location(&mut tx).await.unwrap();
        run(&mut tx, "insert into locations (id, code, name, position, active)
            values (7, 'shop', 'Shop', 3, true), (8, 'attic', 'Attic', 1, false)").await;
        run(&mut tx, "update variants set backorder = true where id = (select max(id) from variants)").await;
        let (shop, attic) = (LocationId(7), LocationId(8));
        store::add(&mut tx, &[piece(first, shop, 2), piece(first, attic, 1)]).await.unwrap();
        let shelf = |variant_id, location_id, pieces, position, backorder| Shelf {
            variant_id,
            location_id,
            stock: on_hand(pieces),
            position,
            backorder,
        };
        assert_eq!(
            store::lock_shelves(&mut tx, &[first, second]).await.unwrap(),
            [
                shelf(first, main, 4, Some(0), false),
                shelf(first, shop, 2, Some(3), false),
                shelf(first, attic, 1, None, false),
                shelf(second, main, 0, Some(0), true),
            ]
        );
        assert_eq!(store::levels(&mut tx, &[first]).await.unwrap(), [(first, on_hand(6))]);
        let watched = store::watched(&mut tx, &[first]).await.unwrap();
        let plain = Watched { variant_id: first, available: 6, low_stock: None, waiting: false };
        assert_eq!(watched, [plain]);
        run(&mut tx, "update variants set low_stock = 2").await;
        run(&mut tx, "insert into stock_waiters (variant_id, email, locale, created_at)
            select min(id), 'ada@example.com', 'en', 0 from variants").await;
        let watched = store::watched(&mut tx, &[first]).await.unwrap();
        assert_eq!(watched, [Watched { low_stock: Some(2), waiting: true, ..plain }]);
        run(&mut tx, "update stock_waiters set notified_at = 1").await;
        assert!(!store::watched(&mut tx, &[first]).await.unwrap()[0].waiting);
    }

    async fn reservations_are_kept_extended_and_freed(app: TestApp) {
        let first = app.product("One", "1", 9).await.variants[0].id;
        let second = app.product("Two", "1", 9).await.variants[0].id;
        let now = app.clock.now();
        let [soon, later] = [60, 120].map(|seconds| now.plus_seconds(seconds));
        let mut tx = app.db.begin().await.unwrap();
        let main = store::main_location(&mut tx).await.unwrap();
        let held = [piece(first, main, 2), piece(second, main, 1)];
        store::insert_reservations(&mut tx, "K7QM", &held, soon, now).await.unwrap();
        store::insert_reservations(&mut tx, "K7QM", &held[..1], soon, now).await.unwrap();
        store::insert_reservations(&mut tx, "W2ZZ", &held[..1], soon, now).await.unwrap();
        assert_eq!(store::reserved_pieces(&mut tx).await.unwrap(), 7);
        assert_eq!(store::reserved_variants(&mut tx, "K7QM").await.unwrap(), [first, second]);
        let found = store::reserved_imbalances(&mut tx).await.unwrap();
        assert_eq!(found, [
            ReservedImbalance { variant_id: first, reserved: 0, reservations: 6 },
            ReservedImbalance { variant_id: second, reserved: 0, reservations: 1 },
        ]);
        store::extend(&mut tx, "K7QM", later).await.unwrap();
        store::extend(&mut tx, "K7QM", soon).await.unwrap();
        assert_eq!(store::held_until(&mut tx, "K7QM").await.unwrap(), Some(later));
        assert_eq!(store::held_until(&mut tx, "W2ZZ").await.unwrap(), Some(soon));
        assert_eq!(store::held_until(&mut tx, "nobody").await.unwrap(), None);
        assert!(store::expired_variants(&mut tx, now, 9).await.unwrap().is_empty());
        assert_eq!(store::expired_variants(&mut tx, soon, 9).await.unwrap(), [first]);
        assert_eq!(store::expired_variants(&mut tx, later, 9).await.unwrap(), [first, second]);
        assert_eq!(store::expired_variants(&mut tx, later, 1).await.unwrap(), [first]);
        assert!(store::free_expired(&mut tx, &[second], soon).await.unwrap().is_empty());
        assert_eq!(store::free_expired(&mut tx, &[first, second], soon).await.unwrap(), [held[0]]);
        let mine = [piece(first, main, 4), piece(second, main, 1)];
        assert_eq!(store::free(&mut tx, "K7QM").await.unwrap(), mine);
        assert!(store::free(&mut tx, "K7QM").await.unwrap().is_empty());
        assert!(store::reserved_imbalances(&mut tx).await.unwrap().is_empty());
        store::insert_reservations(&mut tx, "K7QM", &[], soon, now).await.unwrap();
        assert_eq!(store::reserved_pieces(&mut tx).await.unwrap(), 0);
    }

    async fn the_books_are_brought_into_balance(app: TestApp) {
        let now = app.clock.now();
        let id = app.product("One", "1", 4).await.variants[0].id;
        let mut tx = app.db.begin().await.unwrap();
        let main = store::main_location(&mut tx).await.unwrap();
        assert_eq!(store::balance_ledger(&mut tx, "doctor", "", now).await.unwrap(), []);
        assert_eq!(store::recount_reserved(&mut tx).await.unwrap(), []);
        run(&mut tx, "update stock_levels set on_hand = on_hand - 3, reserved = 9").await;
        let held = [piece(id, main, 1)];
        store::insert_reservations(&mut tx, "K7QM", &held, now.plus_seconds(9), now).await.unwrap();
        let written = store::balance_ledger(&mut tx, "doctor", "why", now).await.unwrap();
        assert_eq!(written, [piece(id, main, -3)]);
        assert_eq!(store::recount_reserved(&mut tx).await.unwrap(), held);
        assert!(store::imbalances(&mut tx).await.unwrap().is_empty());
        assert!(store::reserved_imbalances(&mut tx).await.unwrap().is_empty());
        assert_eq!(store::balance_ledger(&mut tx, "doctor", "", now).await.unwrap(), []);
    }

    async fn the_books_are_compared_with_the_shelf(app: TestApp) {
        let id = app.product("One", "1", 4).await.variants[0].id;
        let mut tx = app.db.begin().await.unwrap();
        assert!(store::imbalances(&mut tx).await.unwrap().is_empty());
        let main = store::main_location(&mut tx).await.unwrap();
        let gone = [piece(id, main, -1)];
        let movement = Movement {
            pieces: &gone,
            reason: Reason::Sold,
            reference: "K7QM",
            note: "",
            actor: None,
            at: app.clock.now(),
        };
        store::record(&mut tx, &movement).await.unwrap();
        let found = store::imbalances(&mut tx).await.unwrap();
        assert_eq!(found, [Imbalance { variant_id: id, on_hand: 4, ledger: 3 }]);
        let empty = Movement { pieces: &[], ..movement };
        store::record(&mut tx, &empty).await.unwrap();
        assert_eq!(store::imbalances(&mut tx).await.unwrap().len(), 1);
        // What an order has of it, and where from.
        let lost = Movement { reason: Reason::Lost, ..movement };
        store::record(&mut tx, &lost).await.unwrap();
        let other = Movement { reference: "W2ZZ", ..movement };
        store::record(&mut tx, &other).await.unwrap();
        let taken = store::outstanding(&mut tx, &[id], "K7QM").await.unwrap();
        assert_eq!(taken, [piece(id, main, 1)]);
        let back = [piece(id, main, 1)];
        let returned = Movement { pieces: &back, reason: Reason::Returned, ..movement };
        store::record(&mut tx, &returned).await.unwrap();
        assert_eq!(store::outstanding(&mut tx, &[id], "K7QM").await.unwrap(), [piece(id, main, 0)]);
        let never = Movement { reference: "M3AA", ..returned };
        store::record(&mut tx, &never).await.unwrap();
        assert!(store::outstanding(&mut tx, &[id], "M3AA").await.unwrap().is_empty());
    }

    async fn locations_are_made_and_changed(app: TestApp) {
        let id = app.product("One", "1", 4).await.variants[0].id;
        let mut tx = app.db.begin().await.unwrap();
        let main = store::main_location(&mut tx).await.unwrap();
        let mut shop = Location {
            id: LocationId(0),
            code: "shop".to_owned(),
            name: "Shop".to_owned(),
            address: "1 Main St".to_owned(),
            position: 0,
            active: true,
        };
        shop.id = store::insert_location(&mut tx, &shop).await.unwrap();
        assert_eq!(store::locations(&mut tx).await.unwrap()[1], shop);
        shop.position = 5;
        shop.name = "The shop".to_owned();
        shop.active = false;
        store::update_location(&mut tx, &shop).await.unwrap();
        assert_eq!(store::locations(&mut tx).await.unwrap()[1], shop);
        assert_eq!(store::free_at(&mut tx, main).await.unwrap(), [piece(id, main, 4)]);
        assert!(store::free_at(&mut tx, shop.id).await.unwrap().is_empty());
    }

    async fn lists_for_staff_are_narrowed(app: TestApp) {
        let mug = app.product("Everyday mug", "1", 4).await.variants[0].id;
        let vase = app.product("Bottle vase", "1", 40).await.variants[0].id;
        let plate = app.product("Plate 100%", "1", 0).await.variants[0].id;
        let mut tx = app.db.begin().await.unwrap();
        let main = store::main_location(&mut tx).await.unwrap();
        assert!(store::reserve(&mut tx, &piece(vase, main, 2)).await.unwrap());
        run(&mut tx, "insert into stock_waiters (variant_id, email, locale, created_at)
            select max(id), 'ada@example.com', 'en', 0 from variants").await;
        let page = PageRequest::new(1, 10);
        for (show, search, expected) in [
            (StockShow::All, "", vec![vase, mug, plate]),
            (StockShow::Low, "", vec![plate, mug]),
            (StockShow::Out, "", vec![plate]),
            (StockShow::Owed, "", vec![]),
            (StockShow::Reserved, "", vec![vase]),
            (StockShow::Waiting, "", vec![plate]),
            (StockShow::All, "EVERY", vec![mug]),
            (StockShow::All, "0%", vec![plate]),
            (StockShow::All, "bottle-v", vec![vase]),
        ] {
            let filter = StockFilter { show, search: search.to_owned() };
            let ids = store::stock_ids(&mut tx, &filter, page).await.unwrap();
            assert_eq!(ids, expected, "{show} {search}");
            let count = store::count_stock(&mut tx, &filter).await.unwrap();
            assert_eq!(count, expected.len() as i64);
        }
        store::set_rules(&mut tx, vase, true, Some(50)).await.unwrap();
        let low = StockFilter { show: StockShow::Low, search: String::new() };
        assert_eq!(store::stock_ids(&mut tx, &low, page).await.unwrap(), [plate, mug, vase]);
        let rows = store::stock_rows(&mut tx, &[plate, VariantId(99), vase]).await.unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].product.as_str(), rows[0].waiting), ("Plate 100%", 1));
        assert_eq!(rows[1].level(), StockLevel { on_hand: 40, reserved: 2 });
        assert_eq!(store::shelves(&mut tx, &[vase, mug]).await.unwrap().len(), 2);

        let all = MovementFilter::default();
        assert_eq!(store::count_movements(&mut tx, &all).await.unwrap(), 2);
        let found = store::movements(&mut tx, &all, page).await.unwrap();
        assert_eq!(found.iter().map(|one| one.variant_id).collect::<Vec<_>>(), [vase, mug]);
        let gone = [piece(mug, main, -1)];
        let movement = Movement {
            pieces: &gone,
            reason: Reason::Damaged,
            reference: "R",
            note: "It fell",
            actor: None,
            at: app.clock.now(),
        };
        store::record(&mut tx, &movement).await.unwrap();
        let narrow = MovementFilter {
            variant_id: Some(mug),
            location: Some("main".to_owned()),
            reason: Some(Reason::Damaged),
            reference: Some("R".to_owned()),
        };
        assert_eq!(store::count_movements(&mut tx, &narrow).await.unwrap(), 1);
        let found = store::movements(&mut tx, &narrow, page).await.unwrap();
        assert_eq!((found[0].quantity, found[0].balance), (-1, 3));
        assert_eq!((found[0].note.as_str(), found[0].order()), ("It fell", None));
        let other = MovementFilter { location: Some("shop".to_owned()), ..narrow };
        assert_eq!(store::count_movements(&mut tx, &other).await.unwrap(), 0);
    }

    async fn people_wait_are_called_and_forgotten(app: TestApp) {
        let mug = app.product("Mug", "1", 0).await.variants[0].id;
        let ada = app.customer("ada@example.com").await;
        let user = ada.user().unwrap();
        let other = Email::parse("bob@example.com").unwrap();
        let now = app.clock.now();
        let mut tx = app.db.begin().await.unwrap();
        for _ in 0..2 {
            store::insert_waiter(&mut tx, mug, &user.email, Some(user.id), Locale::English, now).await.unwrap();
            store::insert_waiter(&mut tx, mug, &other, None, Locale::Spanish, now).await.unwrap();
        }
        let ids = store::call_waiters(&mut tx, mug, now).await.unwrap();
        assert_eq!(ids.len(), 2);
        assert!(store::call_waiters(&mut tx, mug, now).await.unwrap().is_empty());
        let found = store::waiter(&mut tx, ids[1]).await.unwrap().unwrap();
        assert_eq!((found.email, found.locale), (other.clone(), Locale::Spanish));
        let own = store::waits_of_user(&mut tx, user.id, &user.email).await.unwrap();
        assert_eq!(own.len(), 1);
        store::delete_waits_of_user(&mut tx, user.id, &user.email).await.unwrap();
        assert!(store::waiter(&mut tx, ids[0]).await.unwrap().is_none());
        store::delete_waiter(&mut tx, ids[1]).await.unwrap();
        assert!(store::waiter(&mut tx, ids[1]).await.unwrap().is_none());
    }

    async fn many_rows_go_in_chunks(app: TestApp) {
        let first = app.product("One", "1", 0).await.variants[0].id;
        let mut tx = app.db.begin().await.unwrap();
        // More variants than one statement takes; only the first is there.
        let ids: Vec<VariantId> = (0..2_500).map(|n| VariantId(first.0 + n)).collect();
        assert_eq!(store::levels(&mut tx, &ids).await.unwrap(), [(first, on_hand(0))]);
        assert_eq!(store::lock_shelves(&mut tx, &ids).await.unwrap().len(), 1);
        assert_eq!(store::watched(&mut tx, &ids).await.unwrap().len(), 1);
        let now = app.clock.now();
        assert!(store::free_expired(&mut tx, &ids, now).await.unwrap().is_empty());
    }
}
