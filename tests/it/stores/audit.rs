//! SQL of the audit log.

use serde_json::{Value, json};
use zoco::audit::store::{self, NewEntry, Record};
use zoco::audit::{Check, Filter, Head, Who};
use zoco::ctx::Ctx;
use zoco::db::{FromRow, Query};
use zoco::types::{PageRequest, UserId};

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
    person_id: Option<i64>,
    created_at: i64,
}

async fn log(app: &TestApp) -> Vec<Row> {
    let mut conn = app.db.conn().await.unwrap();
    let rows = Query::new(
        "select action, subject, before, after, actor_id, actor_name, address, person_id, created_at
        from audit_log
        order by id",
    );
    rows.fetch_all(&mut conn).await.unwrap()
}

fn entry<'a>(action: &'a str, subject: &'a str, name: &'a str) -> NewEntry<'a> {
    NewEntry {
        action,
        subject,
        before: String::new(),
        after: "{}".to_owned(),
        actor: Some(UserId(7)),
        actor_name: name,
        address: "192.0.2.1",
        person: None,
    }
}

both! {
    async fn an_entry_keeps_all_that_is_known(app: TestApp) {
        let now = app.clock.now();
        let mut tx = app.db.begin().await.unwrap();
        store::insert(&mut tx, &[], now).await.unwrap();
        let about = NewEntry { person: Some(UserId(9)), ..entry("product.updated", "product 12", "Ada") };
        store::insert(&mut tx, &[about], now).await.unwrap();
        tx.commit().await.unwrap();
        let row = Row {
            action: "product.updated".to_owned(),
            subject: "product 12".to_owned(),
            before: String::new(),
            after: "{}".to_owned(),
            actor_id: Some(7),
            actor_name: "Ada".to_owned(),
            address: "192.0.2.1".to_owned(),
            person_id: Some(9),
            created_at: now.0,
        };
        assert_eq!(log(&app).await, [row]);
    }

    async fn an_entry_lasts_with_its_transaction_only(app: TestApp) {
        let ada = app.customer("ada@example.com").await;
        let ctx = Ctx { address: Some("2001:db8::1".parse().unwrap()), ..ada };
        let before = log(&app).await.len();
        let record = async |lasts: bool| {
            let mut tx = app.db.begin().await.unwrap();
            let after = json!({"status": "active"});
            zoco::audit::record(&mut tx, &ctx, "product.updated", "product 1", Value::Null, after).await.unwrap();
            if lasts {
                tx.commit().await.unwrap();
            }
        };
        record(false).await;
        assert_eq!(log(&app).await.len(), before);
        record(true).await;
        let entries = log(&app).await;
        assert_eq!(entries.len(), before + 1);
        let row = &entries[before];
        assert_eq!((row.before.as_str(), row.after.as_str()), ("", "{\"status\":\"active\"}"));
        assert_eq!((row.actor_id, row.actor_name.as_str()), (ctx.user_id().map(|user| user.0), "ada"));
        assert_eq!((row.address.as_str(), row.person_id), ("2001:db8::1", None));
    }

    async fn entries_get_their_places_and_lose_what_is_personal(app: TestApp) {
        let now = app.clock.now();
        let mut tx = app.db.begin().await.unwrap();
        assert_eq!(store::lock_head(&mut tx).await.unwrap(), Head::start());
        assert_eq!(store::bounds(&mut tx).await.unwrap(), (1, 0));
        let own = NewEntry { person: Some(UserId(7)), ..entry("user.updated", "user 7", "Ada") };
        store::insert(&mut tx, &[entry("product.updated", "product 12", "Ada"), own], now).await.unwrap();
        assert_eq!(store::count_unchained(&mut tx).await.unwrap(), 2);
        let mut records = store::unchained(&mut tx, 10).await.unwrap();
        assert_eq!(store::unchained(&mut tx, 1).await.unwrap(), records[..1]);
        for (position, record) in (1..).zip(&mut records) {
            *record = Record {
                position,
                hash: format!("hash {position}"),
                who_salt: "salt".to_owned(),
                who_hash: "who".to_owned(),
                what_salt: "salt".to_owned(),
                what_hash: "what".to_owned(),
                ..record.clone()
            };
        }
        store::chain(&mut tx, &[]).await.unwrap();
        store::chain(&mut tx, &records).await.unwrap();
        let head = Head { position: 2, hash: "hash 2".to_owned() };
        store::set_head(&mut tx, &head).await.unwrap();
        assert_eq!(store::count_unchained(&mut tx).await.unwrap(), 0);
        assert_eq!(store::chained_after(&mut tx, 0, 10).await.unwrap(), records);
        assert_eq!(store::chained_after(&mut tx, 0, 1).await.unwrap(), records[..1]);
        assert_eq!(store::chained_after(&mut tx, 1, 10).await.unwrap(), records[1..]);
        assert_eq!(store::bounds(&mut tx).await.unwrap(), (1, 2));
        assert_eq!(store::head(&mut tx).await.unwrap(), head);

        let state = store::state(&mut tx).await.unwrap();
        assert_eq!((&state.head, state.waiting, state.check), (&head, 0, None));
        let check = Check { at: now, position: 2, finding: "Broken.".to_owned() };
        store::set_check(&mut tx, &check).await.unwrap();
        assert_eq!(store::state(&mut tx).await.unwrap().check, Some(check));

        assert_eq!(store::erase_who(&mut tx, UserId(8), now).await.unwrap(), 0);
        assert_eq!(store::erase_what(&mut tx, UserId(7), now).await.unwrap(), 1);
        let kept = store::chained_after(&mut tx, 0, 10).await.unwrap();
        assert_eq!((kept[0].after.as_str(), kept[0].erased_at), ("{}", None));
        assert_eq!((kept[1].after.as_str(), kept[1].what_salt.as_str(), kept[1].what_hash.as_str()), ("", "", "what"));
        assert_eq!((kept[1].actor_name.as_str(), kept[1].erased_at), ("Ada", Some(now)));
        assert_eq!(store::erase_who(&mut tx, UserId(7), now).await.unwrap(), 2);
        assert_eq!(store::erase_who(&mut tx, UserId(7), now).await.unwrap(), 0);
        let kept = store::chained_after(&mut tx, 0, 10).await.unwrap();
        let who = |record: &Record| (record.actor_name.clone(), record.address.clone(), record.who_salt.clone());
        assert!(kept.iter().all(|record| who(record) == Default::default() && record.who_hash == "who"));
        assert_eq!(kept[0].after, "{}");
    }

    async fn entries_are_found_by_all_that_they_say(app: TestApp) {
        let start = app.clock.now();
        let mut tx = app.db.begin().await.unwrap();
        assert_eq!(store::actions(&mut tx).await.unwrap(), [] as [&str; 0]);
        let first = [entry("product.updated", "product 12", "Ada Lovelace"), entry("order.cancelled", "order A_B", "Stella")];
        store::insert(&mut tx, &first, start).await.unwrap();
        let system = NewEntry { actor: None, address: "", ..entry("product.published", "product 1", "The shop") };
        let later = start.plus_seconds(60);
        store::insert(&mut tx, &[system], later).await.unwrap();
        assert_eq!(store::actions(&mut tx).await.unwrap(), ["order.cancelled", "product.published", "product.updated"]);
        assert!(store::exists(&mut tx, "order.cancelled", "order A_B").await.unwrap());
        assert!(!store::exists(&mut tx, "order.cancelled", "product 1").await.unwrap());

        let all = store::list(&mut tx, &Filter::default(), PageRequest::default()).await.unwrap();
        let ids: Vec<i64> = all.iter().map(|entry| entry.id).collect();
        assert!(ids.is_sorted_by(|one, next| one > next), "{ids:?}");
        assert_eq!(store::by_id(&mut tx, ids[0]).await.unwrap().as_ref(), Some(&all[0]));
        assert_eq!(store::by_id(&mut tx, 0).await.unwrap(), None);
        let second = store::list(&mut tx, &Filter::default(), PageRequest::new(2, 2)).await.unwrap();
        assert_eq!(second, all[2..]);
        let below = store::below(&mut tx, &Filter::default(), ids[0], 1).await.unwrap();
        assert_eq!(below, all[1..2]);

        let of = |words: &str| Filter { search: words.to_owned(), ..Filter::default() };
        for (filter, wanted) in [
            (of("product"), &[2, 0][..]),
            (of("LOVELACE product"), &[0]),
            (of("192.0.2.1 cancelled"), &[1]),
            (of("a_b"), &[1]),
            (of("a%b"), &[]),
            (of("!"), &[]),
            (of("product_12"), &[]),
            (Filter { subject: "product 1".to_owned(), ..Filter::default() }, &[2]),
            (Filter { action: "product.updated".to_owned(), ..Filter::default() }, &[0]),
            (Filter { who: Who::read("7"), ..Filter::default() }, &[1, 0]),
            (Filter { who: Who::read("stel"), ..Filter::default() }, &[1]),
            (Filter { who: Who::read("the shop"), ..Filter::default() }, &[2]),
            (Filter { from: Some(later), ..Filter::default() }, &[2]),
            (Filter { until: Some(later), ..Filter::default() }, &[1, 0]),
            (Filter { from: Some(later), ..of("lovelace") }, &[]),
        ] {
            let found = store::list(&mut tx, &filter, PageRequest::default()).await.unwrap();
            let found: Vec<i64> = found.iter().map(|entry| entry.id).collect();
            let wanted: Vec<i64> = wanted.iter().map(|at: &usize| ids[ids.len() - 1 - at]).collect();
            assert_eq!(found, wanted, "{filter:?}");
            assert_eq!(store::count(&mut tx, &filter).await.unwrap(), found.len() as i64);
        }
    }
}
