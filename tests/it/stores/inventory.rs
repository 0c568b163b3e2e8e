//! Every store function of inventory, on both databases.

use zoco::db::query::{self, Sql};
use zoco::inventory::store::{self, Movement};
use zoco::inventory::{Imbalance, Reason, StockLevel};
use zoco::types::VariantId;

use crate::support::{TestApp, both};

fn on_hand(pieces: i64) -> StockLevel {
    StockLevel {
        on_hand: pieces,
        reserved: 0,
    }
}

both! {
    async fn levels_are_added_set_and_taken(app: TestApp) {
        let first = app.product("One", "1", 0).await.variants[0].id;
        let second = app.product("Two", "1", 0).await.variants[0].id;
        let mut tx = app.db.begin().await.unwrap();
        let main = store::main_location(&mut tx).await.unwrap();
        store::add(&mut tx, &[(first, 3), (second, 1)], main).await.unwrap();
        store::add(&mut tx, &[(first, 2)], main).await.unwrap();
        store::set(&mut tx, &[(second, 7)], main).await.unwrap();
        let mut levels = store::levels(&mut tx, &[second, first, VariantId(99)]).await.unwrap();
        levels.sort_by_key(|(id, _)| *id);
        assert_eq!(levels, [(first, on_hand(5)), (second, on_hand(7))]);

        assert!(!store::take(&mut tx, first, main, 6).await.unwrap());
        assert!(store::take(&mut tx, first, main, 5).await.unwrap());
        assert!(!store::take(&mut tx, VariantId(99), main, 1).await.unwrap());
        query::execute(&mut tx, Sql::same("update stock_levels set reserved = 3"), Vec::new()).await.unwrap();
        assert!(!store::take(&mut tx, second, main, 5).await.unwrap());
        assert!(store::take(&mut tx, second, main, 4).await.unwrap());
        let levels = store::levels(&mut tx, &[]).await.unwrap();
        assert!(levels.is_empty());
    }

    async fn a_lock_makes_the_level_that_is_missing(app: TestApp) {
        let id = app.product("One", "1", 4).await.variants[0].id;
        let mut tx = app.db.begin().await.unwrap();
        let main = store::main_location(&mut tx).await.unwrap();
        assert_eq!(store::lock(&mut tx, &[id], main).await.unwrap(), [(id, on_hand(4))]);
        query::execute(&mut tx, Sql::same("delete from stock_levels"), Vec::new()).await.unwrap();
        assert_eq!(store::lock(&mut tx, &[id], main).await.unwrap(), [(id, on_hand(0))]);
    }

    async fn the_books_are_compared_with_the_shelf(app: TestApp) {
        let id = app.product("One", "1", 4).await.variants[0].id;
        let mut tx = app.db.begin().await.unwrap();
        assert!(store::imbalances(&mut tx).await.unwrap().is_empty());
        let location = store::main_location(&mut tx).await.unwrap();
        let movement = Movement {
            changes: &[(id, -1)],
            location,
            reason: Reason::Sold,
            reference: "K7QM",
            actor: None,
            at: app.clock.now(),
        };
        store::record(&mut tx, &movement).await.unwrap();
        let found = store::imbalances(&mut tx).await.unwrap();
        assert_eq!(found, [Imbalance { variant_id: id, on_hand: 4, ledger: 3 }]);
        let empty = Movement { changes: &[], ..movement };
        store::record(&mut tx, &empty).await.unwrap();
        assert_eq!(store::imbalances(&mut tx).await.unwrap().len(), 1);
    }

    async fn many_rows_go_in_chunks(app: TestApp) {
        let first = app.product("One", "1", 0).await.variants[0].id;
        let mut tx = app.db.begin().await.unwrap();
        // More variants than one statement takes; only the first is there.
        let ids: Vec<VariantId> = (0..2_500).map(|n| VariantId(first.0 + n)).collect();
        assert_eq!(store::levels(&mut tx, &ids).await.unwrap(), [(first, on_hand(0))]);
    }
}
