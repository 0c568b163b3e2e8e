//! The audit log: its chain and what breaks it, erasing, searching, exporting, and that staff do
//! nothing without an entry.

use axum::http::Method;
use serde_json::{Value, json};
use zoco::audit::service::{chain, verify};
use zoco::audit::{self, Change, Head, Verdict, erase_person, record, record_about};
use zoco::catalog::ProductKey;
use zoco::ctx::{Ctx, Permission};
use zoco::db::query::{Sql, execute};
use zoco::db::{FromRow, Query};
use zoco::error::Error;
use zoco::reviews::service::ReviewInput;
use zoco::types::{Email, PageRequest, UserId};

use crate::support::{TestApp, both};

/// Writes an entry in a transaction of its own.
async fn write(app: &TestApp, ctx: &Ctx, action: &str, subject: &str, after: Value) {
    let mut tx = app.db.begin().await.unwrap();
    record(&mut tx, ctx, action, subject, Value::Null, after)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// Does something to the database that no service would do.
async fn tamper(app: &TestApp, statements: &[&'static str]) {
    let mut tx = app.db.begin().await.unwrap();
    for statement in statements {
        execute(&mut tx, Sql::same(statement), Vec::new())
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
}

async fn check(app: &TestApp) -> Verdict {
    verify(app, None).await.unwrap()
}

#[derive(Debug, FromRow)]
struct Seen {
    action: String,
    subject: String,
    before: String,
    after: String,
    actor_name: String,
    address: String,
}

async fn log(app: &TestApp) -> Vec<Seen> {
    let query = Query::new(
        "select action, subject, before, after, actor_name, address
        from audit_log
        order by id",
    );
    let mut conn = app.db.conn().await.unwrap();
    query.fetch_all(&mut conn).await.unwrap()
}

/// Entries of staff, of somebody about themselves, and of the shop.
async fn five_entries(app: &TestApp) -> Ctx {
    let staff = app.customer("stella@example.com").await;
    let ctx = Ctx {
        address: Some("192.0.2.7".parse().unwrap()),
        ..staff
    };
    let ada = format!("user {}", ctx.user_id().unwrap());
    tamper(app, &["delete from audit_log"]).await;
    for (ctx, action, subject) in [
        (&ctx, "product.created", "product 1"),
        (&ctx, "product.updated", "product 1"),
        (&app.system(), "product.published", "product 1"),
        (&ctx, "user.updated", ada.as_str()),
        (&ctx, "order.cancelled", "order K7"),
    ] {
        write(app, ctx, action, subject, json!({"name": "Mug"})).await;
    }
    ctx
}

const START: &str = "update audit_head
    set position = 0, hash = '0000000000000000000000000000000000000000000000000000000000000000'";

both! {
    async fn entries_of_many_writers_become_one_chain(app: TestApp) {
        let ctx = app.system();
        let writers = (0..8).map(|writer| {
            let (app, ctx) = (app.clone(), ctx.clone());
            tokio::spawn(async move {
                for turn in 0..10 {
                    write(&app, &ctx, "product.updated", &format!("product {writer}"), json!(turn)).await;
                }
            })
        });
        let sealers = (0..3).map(|_| {
            let app = app.clone();
            tokio::spawn(async move {
                for _ in 0..10 {
                    chain(&app).await.unwrap();
                    tokio::task::yield_now().await;
                }
            })
        });
        let tasks: Vec<_> = writers.chain(sealers).collect();
        for task in tasks {
            task.await.unwrap();
        }
        let verdict = check(&app).await;
        assert_eq!((verdict.findings.as_slice(), verdict.head.position), (&[][..], 80));
        let query = Query::new("select count(distinct position), min(position), max(position) from audit_log");
        let places: (i64, i64, i64) = query.fetch_one(&mut app.db.conn().await.unwrap()).await.unwrap();
        assert_eq!(places, (80, 1, 80));
        assert_eq!(chain(&app).await.unwrap(), 0);
        // More than one lot, and pages of them to walk.
        let many: Vec<Change> = (0..1_203)
            .map(|id| Change { subject: format!("product {id}"), before: Value::Null, after: json!({"id": id}) })
            .collect();
        let mut tx = app.db.begin().await.unwrap();
        audit::record_all(&mut tx, &ctx, "product.updated", &many).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(chain(&app).await.unwrap(), 1_203);
        let later = check(&app).await;
        assert_eq!((later.findings.as_slice(), later.head.position), (&[][..], 1_283));
        // The old end is still on the way to the new one.
        assert_eq!(verify(&app, Some(&verdict.head)).await.unwrap().findings, [] as [&str; 0]);
    }

    async fn whatever_is_done_to_the_log_is_found(app: TestApp) {
        five_entries(&app).await;
        let sound = check(&app).await;
        assert_eq!((sound.findings.as_slice(), sound.head.position, sound.erased), (&[][..], 5, 0));
        tamper(&app, &[
            "create table kept_log as select * from audit_log",
            "create table kept_head as select * from audit_head",
        ]).await;
        let undo = ["delete from audit_log", "insert into audit_log select * from kept_log",
            "delete from audit_head", "insert into audit_head select * from kept_head"];
        let fit = "was altered: it does not fit behind the entry before it.";
        let who = "was altered: its actor or address is another.";
        let what = "was altered: what it says was before or after is another.";
        let cases: &[(&[&'static str], &str)] = &[
            (&["update audit_log set action = 'product.deleted' where position = 2"], fit),
            (&["update audit_log set subject = 'product 2' where position = 2"], fit),
            (&["update audit_log set actor_id = 99 where position = 2"], fit),
            (&["update audit_log set actor_id = null where position = 2"], fit),
            (&["update audit_log set person_id = 99 where position = 2"], fit),
            (&["update audit_log set created_at = created_at + 1 where position = 2"], fit),
            (&["update audit_log set id = id + 1000 where position = 2"], fit),
            (&["update audit_log set hash = upper(hash) where position = 2"], fit),
            (&["update audit_log set actor_name = 'Nobody' where position = 2"], who),
            (&["update audit_log set address = '' where position = 2"], who),
            (&["update audit_log set actor_name = '', address = actor_name || address where position = 2"], who),
            (&["update audit_log set who_salt = '' where position = 2"], who),
            (&["update audit_log set who_hash = what_hash where position = 2"], who),
            (&["update audit_log set after = '{}' where position = 2"], what),
            (&["update audit_log set before = after, after = '' where position = 2"], what),
            (&["update audit_log set what_salt = who_salt where position = 2"], what),
            // What nobody's personal data stand in is not erased.
            (&["update audit_log set before = '', after = '', what_salt = '', erased_at = 1 where position = 2"], what),
            (&["update audit_log set actor_name = '', address = '', who_salt = '', erased_at = 1 where position = 3"], who),
            (&["update audit_log set what_salt = '', erased_at = 1 where position = 4"], what),
            (&["update audit_log set erased_at = 1 where position = 2"], "was altered: it is marked as erased and is not."),
            (&["update audit_log set before = '', after = '', what_salt = '', erased_at = 1 where position = 4"],
                "are gone from the entry 4, and no entry tells that they were erased."),
            (&["update audit_log set actor_name = '', address = '', who_salt = '', erased_at = 1 where position = 2"],
                "are gone from the entry 2, and no entry tells that they were erased."),
            (&["delete from audit_log where position = 1"], "The entry 1 is missing."),
            (&["delete from audit_log where position = 3"], "The entry 3 is missing."),
            (&["delete from audit_log where position >= 4"], "The entries from 4 to 5, the last ones, are missing."),
            (&["delete from audit_log"], "The entries from 1 to 5, the last ones, are missing."),
            (&["update audit_head set hash = upper(hash)"], "The end of the chain is not what seals the entry 5."),
            (&["update audit_head set position = 4"], "The end of the chain is not what seals the entry 4."),
            (&["update audit_log set position = 9 where position = 2", "update audit_log set position = 2 where position = 3",
                "update audit_log set position = 3 where position = 9"], fit),
            (&["update audit_log set subject = (select subject from kept_log where position = 5) where position = 1"], fit),
            (&["insert into audit_log (action, subject, actor_name, created_at, position) values ('x', 'y', 'z', 1, 6)"],
                "The entry 6 stands outside of the chain: it was added."),
            (&["insert into audit_log (action, subject, actor_name, created_at, position) values ('x', 'y', 'z', 1, 0)"],
                "The entry 0 stands outside of the chain: it was added."),
            (&["insert into audit_log (action, subject, actor_name, created_at, position) values ('x', 'y', 'z', 1, -7)"],
                "The entry -7 stands outside of the chain: it was added."),
            // A place for an entry of one's own in the middle.
            (&["update audit_log set position = position + 100 where position > 2",
                "insert into audit_log (action, subject, actor_name, created_at, position) values ('x', 'y', 'z', 1, 3)",
                "update audit_log set position = position - 99 where position > 100"], "its actor or address is another."),
            // Somebody else's entry waits behind it, and cannot be sealed: that is no way to hide.
            (&["insert into audit_log (action, subject, actor_name, created_at, position) values ('x', 'y', 'z', 1, 6)",
                "insert into audit_log (action, subject, actor_name, created_at) values ('x', 'y', 'z', 1)"],
                "The entry 6 stands outside of the chain: it was added."),
        ];
        for (statements, words) in cases {
            tamper(&app, statements).await;
            let found = check(&app).await.findings;
            assert_eq!(found.len(), 1, "{statements:?}: {found:?}");
            assert!(found[0].contains(words), "{statements:?}: {found:?}");
            tamper(&app, &undo).await;
            assert_eq!(check(&app).await, sound, "{statements:?} was not undone");
        }
    }

    async fn a_chain_made_anew_is_told_by_what_was_noted(app: TestApp) {
        five_entries(&app).await;
        let noted = check(&app).await.head;
        // The end is cut off as if it had never been.
        tamper(&app, &["delete from audit_log where position = 5",
            "update audit_head set position = 4, hash = (select hash from audit_log where position = 4)"]).await;
        assert_eq!(check(&app).await.findings, [] as [&str; 0]);
        let found = verify(&app, Some(&noted)).await.unwrap().findings;
        assert_eq!(found, ["The entry 5 was noted, and the chain ends at 4."]);
        // All of it is sealed again after a change.
        tamper(&app, &["update audit_log set subject = 'product 9', position = null, hash = ''", START]).await;
        let again = check(&app).await;
        assert_eq!((again.findings.as_slice(), again.head.position), (&[][..], 4));
        write(&app, &app.system(), "product.updated", "product 1", Value::Null).await;
        let found = verify(&app, Some(&noted)).await.unwrap().findings;
        assert_eq!(found, ["The entry 5 is not what was noted: the chain was made anew."]);
        let wrong = Head { position: 0, hash: "1".repeat(64) };
        assert_eq!(verify(&app, Some(&wrong)).await.unwrap().findings.len(), 1);
        assert_eq!(verify(&app, Some(&Head::start())).await.unwrap().findings, [] as [&str; 0]);
    }

    async fn a_person_is_erased_and_the_chain_holds(app: TestApp) {
        let ctx = five_entries(&app).await;
        let user = ctx.user_id().unwrap();
        let noted = check(&app).await.head;
        let staff = app.admin().await;
        let told = Change { subject: "review 3".to_owned(), before: json!({"author": "Stella", "body": "My mug."}), after: Value::Null };
        let mut tx = app.db.begin().await.unwrap();
        record_about(&mut tx, &staff, user, "review.deleted", told).await.unwrap();
        record(&mut tx, &staff, "user.updated", &format!("user {}", user.0 + 1000), json!({"name": "Eve"}), json!({"name": "Eva"})).await.unwrap();
        // As deleting an account will do it: the last entry in somebody's name is erased, too.
        record(&mut tx, &ctx, "user.deleted", &format!("user {user}"), json!({"email": "stella@example.com"}), Value::Null).await.unwrap();
        assert_eq!(erase_person(&app, &mut tx, &ctx, user).await.unwrap(), 5 + 3);
        tx.commit().await.unwrap();
        let entries = log(&app).await;
        let all = format!("{entries:?}").to_lowercase();
        assert!(!all.contains("stella") && !all.contains("192.0.2.7") && !all.contains("my mug"), "{all}");
        let last = entries.last().unwrap();
        assert_eq!((last.action.as_str(), last.after.as_str()), ("person.erased", r#"{"actor_of":5,"content_of":3}"#));
        assert_eq!(last.subject, format!("user {user}"));
        // What was done to goods stays, and so do others.
        assert_eq!((entries[0].action.as_str(), entries[0].after.as_str()), ("product.created", r#"{"name":"Mug"}"#));
        let other = entries.iter().find(|entry| entry.after.contains("Eva")).unwrap();
        assert_eq!((other.actor_name.as_str(), other.before.as_str()), (staff.actor_name().as_str(), r#"{"name":"Eve"}"#));
        assert_eq!((entries[2].actor_name.as_str(), entries[2].address.as_str()), ("The shop", ""));

        let verdict = verify(&app, Some(&noted)).await.unwrap();
        assert_eq!((verdict.findings.as_slice(), verdict.erased), (&[][..], 6));
        // Somebody else may erase, too, and is named.
        let mut tx = app.db.begin().await.unwrap();
        assert_eq!(erase_person(&app, &mut tx, &staff, user).await.unwrap(), 0);
        tx.commit().await.unwrap();
        assert_eq!(log(&app).await.last().unwrap().actor_name, staff.actor_name());
        assert_eq!(check(&app).await.findings, [] as [&str; 0]);
        // What is erased is not changed any more unseen.
        tamper(&app, &["update audit_log set actor_name = 'Eve' where position = 1"]).await;
        assert!(check(&app).await.findings[0].starts_with("The entry 1 (id "));

        let mut browser = app.browser();
        browser.sign_in("admin@example.com").await;
        let page = browser.get("/admin/audit?search=product.created").await.expect(200);
        let id = page.attributes("td .name", "href")[0].clone();
        let page = browser.get(&id).await.expect(200);
        assert!(page.has("Personal data erased"), "{}", page.body);
    }

    async fn who_ends_their_account_is_erased(app: TestApp) {
        let ada = app.customer("ada.lovelace@example.com").await;
        let ada = Ctx { address: Some("192.0.2.9".parse().unwrap()), ..ada };
        let subject = format!("user {}", ada.user_id().unwrap());
        write(&app, &ada, "user.email_changed", &subject, json!({"email": "ada.lovelace@example.com"})).await;
        let noted = check(&app).await.head;
        let password = zoco::accounts::service::CloseAccount { password: crate::support::clients::PASSWORD.to_owned(), forfeit_credit: false };
        zoco::privacy::service::close_account(&app, &ada, password).await.unwrap();
        let entries = log(&app).await;
        let told: Vec<&str> = entries.iter().rev().take(2).map(|entry| entry.action.as_str()).collect();
        assert_eq!(told, ["person.erased", "user.deleted"]);
        let all = format!("{entries:?}").to_lowercase();
        assert!(!all.contains("lovelace") && !all.contains("192.0.2.9"), "{all}");
        let verdict = verify(&app, Some(&noted)).await.unwrap();
        assert_eq!(verdict.findings, [] as [&str; 0]);
        assert!(verdict.erased >= 2, "{verdict:?}");
        app.run_jobs().await;
    }

    async fn the_daily_check_is_kept_and_shown(app: TestApp) {
        five_entries(&app).await;
        app.admin().await;
        let mut browser = app.browser();
        browser.sign_in("admin@example.com").await;
        let page = browser.get("/admin/audit").await.expect(200);
        assert!(page.has("0 entries sealed, 6 to be sealed within seconds. Not checked yet."), "{}", page.body);
        let run = audit::service::VERIFY.run;
        assert_eq!(run((*app).clone()).await.unwrap(), 6);
        let page = browser.get("/admin/audit").await.expect(200);
        assert!(page.has("6 entries sealed. 6 of them were as they were written on"), "{}", page.body);
        let head = check(&app).await.head;
        assert_eq!(page.text(".address code"), head.to_string());
        tamper(&app, &["update audit_log set actor_name = 'Nobody' where position = 2"]).await;
        // Not again on the same day.
        assert_eq!(run((*app).clone()).await.unwrap(), 0);
        assert!(!browser.get("/admin/audit").await.has("not what was written"));
        app.clock.advance_seconds(24 * 3600);
        run((*app).clone()).await.unwrap();
        // Who works here was signed out meanwhile.
        browser.sign_in("admin@example.com").await;
        let page = browser.get("/admin/audit").await.expect(200);
        assert!(page.text(".alert p").starts_with("The entry 2 (id "), "{}", page.body);
    }

    async fn page_and_api_show_the_same_entries(app: TestApp) {
        five_entries(&app).await;
        app.admin().await;
        chain(&app).await.unwrap();
        let api = app.api().signed_in("admin@example.com").await;
        let mut browser = app.browser();
        browser.sign_in("admin@example.com").await;
        let subjects = |list: &Value| -> Vec<String> {
            let items = list["items"].as_array().unwrap().iter();
            items.map(|item| format!("{} {}", item["action"].as_str().unwrap(), item["subject"].as_str().unwrap())).collect()
        };
        for (query, count) in [
            ("", 6),
            ("?search=product", 3),
            ("?search=stella+cancelled", 1),
            ("?search=192.0.2.7", 4),
            ("?search=nothing", 0),
            ("?subject=product+1", 3),
            ("?action=user.updated", 1),
            ("?actor=the+shop", 2),
            ("?actor=1", 4),
            ("?from=2026-11-24&until=2026-11-24", 6),
            ("?from=2026-11-25", 0),
            ("?until=2026-11-23", 0),
        ] {
            let list = api.get(&format!("/api/admin/audit{query}")).await.expect(200).json();
            assert_eq!(list["total"], count, "{query}: {list}");
            let page = browser.get(&format!("/admin/audit{query}")).await.expect(200);
            let rows: Vec<String> = page.texts("td .name").iter().zip(page.texts("td .about"))
                .map(|(action, subject)| format!("{action} {subject}")).collect();
            assert_eq!(rows, subjects(&list), "{query}");
        }
        let list = api.get("/api/admin/audit?per_page=4").await.expect(200).json();
        assert_eq!(list["next"], "/api/admin/audit?per_page=4&page=2");
        let newest = &list["items"][0];
        assert_eq!((&newest["action"], &newest["after"]["role"], &newest["position"]), (&json!("user.made_admin"), &json!("admin"), &json!(6)));
        assert_eq!((&newest["before"], &newest["actor"], &newest["actor_id"]), (&Value::Null, &json!("The shop"), &Value::Null));
        let id = newest["id"].as_i64().unwrap();
        assert_eq!(&api.get(&format!("/api/admin/audit/{id}")).await.expect(200).json(), newest);
        api.get("/api/admin/audit/999999").await.expect(404);
        browser.get("/admin/audit/999999").await.expect(404);
        let page = browser.get(&format!("/admin/audit/{id}")).await.expect(200);
        assert!(page.texts("dt").contains(&"role".to_owned()) && page.has(newest["hash"].as_str().unwrap()));
        for wrong in ["?from=yesterday", "?until=2026-13-01", "?page=0", "?colour=red"] {
            api.get(&format!("/api/admin/audit{wrong}")).await.expect(400);
        }
        assert_eq!(browser.get("/admin/audit?from=yesterday&page=x&format=doc").await.expect(200).texts("td .name").len(), 6);

        // The form keeps what was looked for.
        let page = browser.get("/admin/audit?subject=product+1").await.expect(200);
        let found = browser.submit(&page, ".filters", &[("action", "product.updated"), ("actor", "stella")]).await.expect(200);
        assert_eq!(found.texts("td .about"), ["product 1"]);
        assert_eq!(found.attributes("#f-actor", "value"), ["stella"]);
        let files = found.attributes("a[download]", "href");
        assert_eq!(files[0], "/admin/audit/export?format=csv&subject=product+1&action=product.updated&actor=stella");
        let file = browser.get(&files[0]).await.expect(200);
        assert_eq!(file.body.lines().count(), 2, "{}", file.body);
    }

    async fn what_changed_is_told_by_field(app: TestApp) {
        let admin = app.admin().await;
        let product = app.product("Mug", "5.00", 3).await;
        let input = serde_json::from_value(json!({"name": "Cup", "price": "6.00"})).unwrap();
        zoco::catalog::service::update_product(&app, &admin, &ProductKey::Id(product.id), None, input).await.unwrap();
        let mut browser = app.browser();
        browser.sign_in("admin@example.com").await;
        let page = browser.get("/admin/audit?action=product.updated").await.expect(200);
        let price = format!("variants.{}.price", product.variants[0].id);
        assert_eq!(page.texts(".diff dt"), ["name", price.as_str()]);
        assert_eq!(page.texts(".diff dd"), ["Mug → Cup", "5.00 → 6.00"]);
        let entry = log(&app).await.pop().unwrap();
        let variant = product.variants[0].id;
        assert_eq!(entry.after, format!(r#"{{"name":"Cup","variants":{{"{variant}":{{"price":"6.00"}}}}}}"#));
        // A long list is cut, and its entry shows all of it.
        let page = browser.get("/admin/audit?action=product.created").await.expect(200);
        assert!(page.has("more</a>"));
        let href = &page.attributes("td .name", "href")[0];
        let shown = browser.get(href).await.expect(200);
        assert!(shown.texts(".diff dt").iter().any(|field| field.ends_with(".sku")));
        assert_eq!(shown.attributes("a[href^='/admin/products/']", "href").len(), 1);
    }

    async fn the_log_is_exported_and_that_is_told(app: TestApp) {
        let mut ctx = app.customer("eve@example.com").await;
        if let zoco::ctx::Actor::User(user) = &mut ctx.actor {
            user.name = "=HYPERLINK(\"http://evil.example\")".to_owned();
        }
        write(&app, &ctx, "user.updated", "user 1", json!({"name": "+1, \"2\"\r\n3"})).await;
        app.admin().await;
        chain(&app).await.unwrap();
        let api = app.api().signed_in("admin@example.com").await;
        let file = api.get("/api/admin/audit/export").await.expect(200);
        assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
        assert_eq!(file.header("content-disposition"), "attachment; filename=\"audit-2026-11-24.csv\"");
        let mut rows = csv::ReaderBuilder::new().from_reader(file.body.as_bytes());
        let header = rows.headers().unwrap().clone();
        let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
        let cell = |row: &csv::StringRecord, name: &str| {
            let at = header.iter().position(|column| column == name).unwrap();
            row[at].to_owned()
        };
        assert_eq!(cell(&rows[0], "action"), "audit.exported");
        let row = rows.iter().find(|row| cell(row, "action") == "user.updated").unwrap();
        assert_eq!(cell(row, "actor"), "'=HYPERLINK(\"http://evil.example\")");
        assert_eq!(cell(row, "after"), r#"{"name":"+1, \"2\"\r\n3"}"#);
        assert_eq!((cell(row, "at").as_str(), cell(row, "position").as_str()), ("2026-11-24T12:00:00Z", "1"));

        let file = api.get("/api/admin/audit/export?format=jsonl&search=user").await.expect(200);
        assert_eq!(file.header("content-type"), "application/jsonl");
        let lines: Vec<Value> = file.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let list = api.get("/api/admin/audit?search=user").await.expect(200).json();
        assert_eq!(json!(lines), list["items"]);
        let told = api.get("/api/admin/audit?action=audit.exported").await.expect(200).json();
        assert_eq!(told["total"], 2);
        assert_eq!((&told["items"][0]["after"]["search"], &told["items"][0]["after"]["format"]), (&json!("user"), &json!("jsonl")));
        api.get("/api/admin/audit/export?format=doc").await.expect(400);
        // More than one piece.
        let mut tx = app.db.begin().await.unwrap();
        let change = |id| Change { subject: format!("product {id}"), before: Value::Null, after: Value::Null };
        let many: Vec<Change> = (0..1_100).map(change).collect();
        audit::record_all(&mut tx, &app.system(), "product.updated", &many).await.unwrap();
        tx.commit().await.unwrap();
        let file = api.get("/api/admin/audit/export?action=product.updated").await.expect(200);
        assert_eq!(file.body.lines().count(), 1_101);
    }

    async fn only_those_who_may_see_the_log(app: TestApp) {
        let others = [Permission::Catalog, Permission::Inventory, Permission::Orders, Permission::Customers, Permission::Promotions, Permission::Reports];
        app.staff("others@example.com", &others).await;
        app.staff("settings@example.com", &[Permission::Settings]).await;
        let customer = app.customer("ada@example.com").await;
        write(&app, &app.system(), "product.updated", "product 1", Value::Null).await;
        let client = app.api().signed_in("others@example.com").await;
        let allowed = app.api().signed_in("settings@example.com").await;
        for path in ["/api/admin/audit", "/api/admin/audit/1", "/api/admin/audit/export"] {
            app.api().get(path).await.expect(401);
            client.get(path).await.expect(403);
            allowed.get(path).await.expect(200);
        }
        let page = PageRequest::default();
        let refused = audit::service::list(&app, &customer, &audit::Filter::default(), page).await;
        assert!(matches!(refused, Err(Error::Forbidden)));
        assert!(matches!(audit::service::state(&app, &customer).await, Err(Error::Forbidden)));
        assert!(matches!(audit::service::actions(&app, &customer).await, Err(Error::Forbidden)));
    }

    async fn staff_change_nothing_without_an_entry(app: TestApp) {
        let admin = app.admin().await;
        let customer = app.customer("ada@example.com").await;
        let api = app.api().signed_in("admin@example.com").await;
        let product = app.product("Mug", "24.00", 50).await;
        let other = app.product("Bowl", "12.00", 50).await;
        let order = crate::admin::order(&app, &customer, &product, 1, "bank_transfer").await;
        let gone = crate::admin::order(&app, &customer, &product, 1, "bank_transfer").await;
        let input = ReviewInput { rating: 1, title: "No".to_owned(), body: "It leaks.".to_owned() };
        let key = ProductKey::Id(product.id);
        let review = zoco::reviews::service::create(&app, &customer, &key, input).await.unwrap().id;
        let import = crate::imports::bring(&app, &admin, "slug,name,price\npot,Pot,9.00\n").await;
        let image = zoco::catalog::service::add_image(&app, &app.system(), &key, crate::admin::png(10, 10), "").await.unwrap().id;
        app.api().get("/api/products?search=zebra").await.expect(200);
        api.get("/api/admin/search/misses").await.expect(200);
        let (product, variant, bowl) = (product.id, product.variants[0].id, other.id);
        let body = |body: Value| Some(body);
        let steps: Vec<(Method, String, Option<Value>, &str)> = vec![
            (Method::POST, "categories".to_owned(), body(json!({"name": "Cups"})), "category.created"),
            (Method::PATCH, "categories/cups".to_owned(), body(json!({"name": "Mugs"})), "category.updated"),
            (Method::DELETE, "categories/cups".to_owned(), None, "category.deleted"),
            (Method::POST, "products".to_owned(), body(json!({"name": "Jar", "price": "3.00", "stock": 1})), "product.created"),
            (Method::PATCH, format!("products/{product}"), body(json!({"description": "New"})), "product.updated"),
            (Method::PATCH, format!("products/{product}/images/{image}"), body(json!({"alt": "A mug"})), "product.image_changed"),
            (Method::DELETE, format!("products/{product}/images/{image}"), None, "product.image_removed"),
            (Method::PATCH, format!("products/{product}/variants/{variant}"), body(json!({"price": "25.00"})), "product.updated"),
            (Method::POST, format!("products/{product}/duplicate"), body(json!({})), "product.duplicated"),
            (Method::PATCH, "admin/stock".to_owned(), body(json!({"edits": [{"variant_id": variant, "on_hand": 7}]})), "product.stock_counted"),
            (Method::DELETE, format!("products/{bowl}"), None, "product.deleted"),
            (Method::PATCH, format!("admin/reviews/{review}"), body(json!({"hidden": true})), "review.moderated"),
            (Method::DELETE, format!("products/{product}/reviews/{review}"), None, "review.deleted"),
            (Method::POST, "admin/search/synonyms".to_owned(), body(json!({"words": ["sofa", "couch"]})), "synonym.created"),
            (Method::PATCH, "admin/search/synonyms/1".to_owned(), body(json!({"words": ["sofa", "divan"]})), "synonym.updated"),
            (Method::DELETE, "admin/search/synonyms/1".to_owned(), None, "synonym.deleted"),
            (Method::POST, "taxes/classes".to_owned(), body(json!({"name": "Zero"})), "tax_class.created"),
            (Method::PATCH, "taxes/classes/zero".to_owned(), body(json!({"name": "None"})), "tax_class.updated"),
            (Method::DELETE, "taxes/classes/zero".to_owned(), None, "tax_class.deleted"),
            (Method::POST, "taxes/rates".to_owned(), body(json!({"tax_class": "standard", "country": "FR", "name": "TVA", "percent": "20"})), "tax_rate.created"),
            (Method::PATCH, "taxes/rates/2".to_owned(), body(json!({"percent": "19"})), "tax_rate.updated"),
            (Method::DELETE, "taxes/rates/2".to_owned(), None, "tax_rate.deleted"),
            (Method::POST, "shipping/zones".to_owned(), body(json!({"name": "Home", "countries": ["ES"]})), "shipping_zone.created"),
            (Method::PATCH, "shipping/zones/2".to_owned(), body(json!({"name": "Spain"})), "shipping_zone.updated"),
            (Method::POST, "shipping/zones/2/methods".to_owned(), body(json!({"name": "Express", "price": "9.50"})), "shipping_method.created"),
            (Method::PATCH, "shipping/methods/express".to_owned(), body(json!({"price": "9.00"})), "shipping_method.updated"),
            (Method::DELETE, "shipping/methods/express".to_owned(), None, "shipping_method.deleted"),
            (Method::DELETE, "shipping/zones/2".to_owned(), None, "shipping_zone.deleted"),
            (Method::DELETE, "admin/search/misses?words=zebra".to_owned(), None, "miss.dismissed"),
            (Method::POST, format!("admin/orders/{order}/transitions"), body(json!({"to": "confirmed"})), "order.status_changed"),
            (Method::POST, format!("admin/orders/{order}/payments"), body(json!({})), "order.payment_recorded"),
            (Method::POST, format!("admin/orders/{gone}/transitions"), body(json!({"to": "cancelled"})), "order.cancelled"),
            (Method::POST, format!("admin/imports/{import}/pictures"), body(json!({})), "import.pictures_retried"),
            (Method::POST, format!("admin/imports/{import}/apply"), body(json!({})), "import.started"),
            (Method::POST, format!("admin/imports/{import}/stop"), body(json!({})), "import.stopped"),
            (Method::DELETE, format!("admin/imports/{import}"), None, "import.deleted"),
        ];
        for (method, path, body, action) in steps {
            let before = log(&app).await.len();
            let content = if body.is_some() { "application/json" } else { "" };
            let text = body.map(|body| body.to_string()).unwrap_or_default();
            let reply = api.request(method, &format!("/api/{path}"), content, text.into_bytes()).await;
            assert!(reply.status.is_success(), "{path}: {}", reply.body);
            let entries = log(&app).await;
            let told: Vec<&str> = entries[before..].iter().map(|entry| entry.action.as_str()).collect();
            assert!(told.contains(&action), "{path}: {told:?}");
            let entry = entries[before..].iter().find(|entry| entry.action == action).unwrap();
            assert_eq!((entry.actor_name.as_str(), entry.address.as_str()), ("admin", "127.0.0.1"), "{path}");
            assert_ne!(entry.before, entry.after, "{path} tells nothing");
        }
        app.run_jobs().await;
        assert_eq!(check(&app).await.findings, [] as [&str; 0]);
    }

    async fn an_admin_who_is_made_is_told_without_the_password(app: TestApp) {
        let ada = app.customer("ada@example.com").await;
        let made = zoco::accounts::service::create_admin(&app, "ada@example.com", "another password").await.unwrap();
        assert!(ada.is(made.id));
        let people = [(Email::parse("bo@example.com").unwrap(), "Bo".to_owned())];
        zoco::accounts::service::ensure_customers(&app, &app.system(), &people).await.unwrap();
        let entries = log(&app).await;
        let [.., promoted, created] = entries.as_slice() else { panic!("{entries:?}") };
        assert_eq!((promoted.action.as_str(), promoted.before.as_str()), ("user.made_admin", r#"{"role":"customer"}"#));
        let after: Value = serde_json::from_str(&promoted.after).unwrap();
        assert_eq!(after, json!({"role": "admin", "password": "set"}));
        assert_eq!((created.action.as_str(), created.after.as_str()), ("user.created", r#"{"email":"bo@example.com","role":"customer"}"#));
        assert!(!format!("{entries:?}").contains("another password"));
        // What a user is called goes with them.
        let user = UserId(created.subject.strip_prefix("user ").unwrap().parse().unwrap());
        let mut tx = app.db.begin().await.unwrap();
        assert_eq!(erase_person(&app, &mut tx, &app.system(), user).await.unwrap(), 1);
        tx.commit().await.unwrap();
        assert_eq!(check(&app).await.findings, [] as [&str; 0]);
    }
}
