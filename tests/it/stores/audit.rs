//! SQL of the audit log.

use serde_json::{Value, json};
use zoco::audit::store::{self, Entry};
use zoco::ctx::Ctx;
use zoco::db::{FromRow, Query};
use zoco::types::UserId;

use crate::support::{TestApp, both};

#[derive(Debug, PartialEq, FromRow)]
struct Row {
    action: String,
    subject: String,
    before: String,
    after: String,
    actor_id: Option<i64>,
    actor_name: String,
    address: String,
    created_at: i64,
}

async fn log(app: &TestApp) -> Vec<Row> {
    let mut conn = app.db.conn().await.unwrap();
    let rows = Query::new(
        "select action, subject, before, after, actor_id, actor_name, address, created_at
        from audit_log
        order by id",
    );
    rows.fetch_all(&mut conn).await.unwrap()
}

both! {
    async fn an_entry_keeps_all_that_is_known(app: TestApp) {
        let entry = Entry {
            action: "product.updated",
            subject: "product 12",
            before: String::new(),
            after: "{}".to_owned(),
            actor: Some(UserId(7)),
            actor_name: "Ada",
            address: "192.0.2.1",
        };
        let now = app.clock.now();
        let mut tx = app.db.begin().await.unwrap();
        store::insert(&mut tx, &[], now).await.unwrap();
        store::insert(&mut tx, &[entry], now).await.unwrap();
        tx.commit().await.unwrap();
        let row = Row {
            action: "product.updated".to_owned(),
            subject: "product 12".to_owned(),
            before: String::new(),
            after: "{}".to_owned(),
            actor_id: Some(7),
            actor_name: "Ada".to_owned(),
            address: "192.0.2.1".to_owned(),
            created_at: now.0,
        };
        assert_eq!(log(&app).await, [row]);
    }

    async fn an_entry_lasts_with_its_transaction_only(app: TestApp) {
        let ada = app.customer("ada@example.com").await;
        let ctx = Ctx { address: Some("2001:db8::1".parse().unwrap()), ..ada };
        let record = async |lasts: bool| {
            let mut tx = app.db.begin().await.unwrap();
            let after = json!({"status": "active"});
            zoco::audit::record(&mut tx, &ctx, "product.updated", "product 1", Value::Null, after).await.unwrap();
            if lasts {
                tx.commit().await.unwrap();
            }
        };
        record(false).await;
        assert_eq!(log(&app).await, []);
        record(true).await;
        let entries = log(&app).await;
        let [row] = entries.as_slice() else { panic!("{entries:?}") };
        assert_eq!((row.before.as_str(), row.after.as_str()), ("", "{\"status\":\"active\"}"));
        assert_eq!((row.actor_id, row.actor_name.as_str()), (ctx.user_id().map(|user| user.0), "ada"));
        assert_eq!(row.address, "2001:db8::1");
    }
}
