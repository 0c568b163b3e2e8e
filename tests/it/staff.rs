//! Who works here: said by admins, on both faces.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Barrier;
use zoco::accounts::service::{self, StaffInput};
use zoco::ctx::{Ctx, Permission, Role};
use zoco::db::query::{Sql, fetch_all};
use zoco::error::Error;
use zoco::types::UserId;

use crate::api::problem;
use crate::support::clients::PASSWORD;
use crate::support::{Api, Browser, Reply, TestApp, both};

fn id(ctx: &Ctx) -> UserId {
    ctx.user_id().unwrap()
}

/// Another admin than the usual one.
async fn second_admin(app: &TestApp) -> Ctx {
    let user = service::create_admin(app, "boss@example.com", PASSWORD)
        .await
        .unwrap();
    Ctx {
        actor: zoco::ctx::Actor::User(user.current()),
        ..app.guest()
    }
}

/// The usual admin in a browser and through the API.
async fn admin(app: &TestApp) -> (Browser, Api) {
    app.admin().await;
    let mut browser = app.browser();
    browser.sign_in("admin@example.com").await;
    (browser, app.api().signed_in("admin@example.com").await)
}

/// What the audit log says of somebody, oldest first: action, before, after.
async fn audited(app: &TestApp, user: UserId) -> Vec<(String, Value, Value)> {
    let sql =
        Sql::same("select action, before, after from audit_log where subject = $1 order by id");
    let mut conn = app.db.conn().await.unwrap();
    let subject = format!("user {user}");
    let rows: Vec<(String, String, String)> = fetch_all(&mut conn, sql, vec![subject.into()])
        .await
        .unwrap();
    let json = |text: String| serde_json::from_str(&text).unwrap_or_default();
    rows.into_iter()
        .map(|(action, before, after)| (action, json(before), json(after)))
        .collect()
}

/// The permissions that a form shows as ticked.
fn ticked(page: &Reply) -> Vec<String> {
    page.attributes("#staff [name=permissions][checked]", "value")
}

fn path(user: UserId) -> String {
    format!("/admin/staff/{user}")
}

both! {
    async fn staff_are_added_changed_and_removed_on_both_faces(app: TestApp) {
        let (mut browser, api) = admin(&app).await;
        let ann = id(&app.customer("ann@example.com").await);
        let bob = id(&app.customer("bob@example.com").await);
        let mut anns = app.browser();
        anns.sign_in("ann@example.com").await;
        let bobs = app.api().signed_in("bob@example.com").await;
        anns.get("/admin/orders").await.expect(403);
        bobs.get("/api/admin/orders").await.expect(403);

        let form = browser.get("/admin/staff/new").await.expect(200);
        assert_eq!(form.attributes("#staff [name=role][checked]", "value"), ["staff"]);
        assert!(ticked(&form).is_empty());
        let page = browser
            .submit(&form, "#staff", &[("email", " Ann@Example.com"), ("permissions", "orders")])
            .await
            .expect(200);
        assert_eq!(page.path, "/admin/staff");
        assert!(page.has("ann works here now."), "{}", page.body);
        let added = json!({"email": "bob@example.com", "permissions": ["reports", "orders", "orders"]});
        let reply = api.post("/api/admin/staff", added).await.expect(201);
        assert_eq!(reply.header("location"), format!("/api{}", path(bob)));
        assert_eq!(reply.header("etag"), "\"v1\"");
        assert_eq!(reply.json()["permissions"], json!(["orders", "reports"]));

        // It holds at once, for those who were signed in before.
        anns.get("/admin/orders").await.expect(200);
        bobs.get("/api/admin/orders").await.expect(200);
        let customer = json!({"role": "customer", "permissions": []});
        let staff = |permissions: &[&str]| json!({"role": "staff", "permissions": permissions});
        assert_eq!(audited(&app, ann).await, [("staff.added".to_owned(), customer.clone(), staff(&["orders"]))]);

        let page = browser.get(&path(ann)).await.expect(200);
        assert_eq!(ticked(&page), ["orders"]);
        browser.submit(&page, "#staff", &[("permissions", "catalog")]).await.expect(200);
        anns.get("/admin/orders").await.expect(403);
        anns.get("/admin/products").await.expect(200);
        let reply = api.patch(&format!("/api{}", path(bob)), json!({"permissions": ["catalog"]})).await.expect(200);
        assert_eq!((reply.json()["role"].as_str(), reply.header("etag").as_str()), (Some("staff"), "\"v2\""));
        bobs.get("/api/admin/orders").await.expect(403);
        bobs.get("/api/admin/products").await.expect(200);

        // An admin needs no permissions, and keeps none for later.
        let reply = api.patch(&format!("/api{}", path(bob)), json!({"role": "admin"})).await.expect(200);
        assert_eq!(reply.json()["permissions"], json!([]));
        bobs.get("/api/admin/staff").await.expect(200);
        let page = browser.get("/admin/staff").await.expect(200);
        assert_eq!(page.texts("td .name"), ["admin", "bob", "ann"], "admins first");
        assert_eq!(page.texts("[data-l='May work on']"), ["Everything", "Everything", "Catalog"]);

        let page = browser.get(&path(ann)).await.expect(200);
        let page = browser.submit(&page, "#staff", &[("role", "customer")]).await.expect(200);
        assert!(page.has("ann works here no more."), "{}", page.body);
        anns.get("/admin/products").await.expect(403);
        anns.get("/account").await.expect(200);
        let reply = api.patch(&format!("/api{}", path(bob)), json!({"role": "customer"})).await.expect(200);
        assert_eq!(reply.json()["role"], "customer");
        bobs.get("/api/admin/products").await.expect(403);
        bobs.get("/api/auth/me").await.expect(200);
        for user in [ann, bob] {
            browser.get(&path(user)).await.expect(404);
            problem(&api.get(&format!("/api{}", path(user))).await, 404, "not_found");
            problem(&api.patch(&format!("/api{}", path(user)), json!({"role": "staff"})).await, 404, "not_found");
            let told = audited(&app, user).await;
            let last = told.last().unwrap();
            assert_eq!((last.0.as_str(), &last.2["role"]), ("staff.removed", &customer["role"]));
            assert_eq!(told.len(), if user == ann { 3 } else { 4 });
        }
    }

    async fn mistakes_are_told_at_their_fields(app: TestApp) {
        let (mut browser, api) = admin(&app).await;
        app.customer("ann@example.com").await;
        app.staff("eve@example.com", &[]).await;
        let form = browser.get("/admin/staff/new").await.expect(200);
        for (email, code, message) in [
            ("", "required", "Write your e-mail."),
            ("nobody", "email", "This is no e-mail address."),
            ("nobody@example.com", "unknown", "Nobody has an account with this e-mail. Ask them to create one first."),
            ("eve@example.com", "works_here", "eve works here already."),
        ] {
            let page = browser.submit(&form, "#staff", &[("email", email), ("permissions", "orders")]).await.expect(422);
            assert_eq!(page.text("#e-email"), message);
            assert_eq!(page.attributes("#f-email", "value"), [email], "what was typed stays");
            assert_eq!(ticked(&page), ["orders"], "what was ticked stays");
            let reply = api.post("/api/admin/staff", json!({"email": email})).await;
            let errors = problem(&reply, 422, "invalid")["errors"].clone();
            assert_eq!((&errors[0]["field"], &errors[0]["code"]), (&json!("email"), &json!(code)));
        }
        for (field, body) in [
            ("role", json!({"email": "ann@example.com", "role": "owner"})),
            ("role", json!({"email": "ann@example.com", "role": "customer"})),
            ("permissions", json!({"email": "ann@example.com", "permissions": ["orders", "everything"]})),
        ] {
            let reply = api.post("/api/admin/staff", body).await;
            assert_eq!(problem(&reply, 422, "invalid")["errors"][0]["field"], field);
        }
        assert_eq!(api.get("/api/admin/staff").await.json()["total"], 2, "nobody was added");
    }

    async fn somebody_elses_change_is_not_overwritten_unseen(app: TestApp) {
        let (mut browser, api) = admin(&app).await;
        let ann = id(&app.staff("ann@example.com", &[Permission::Orders]).await);
        let address = format!("/api{}", path(ann));
        let seen = api.get(&address).await.expect(200).header("etag");
        let page = browser.get(&path(ann)).await.expect(200);
        let change = json!({"permissions": ["reports"]});
        api.with("if-match", &seen).patch(&address, change.clone()).await.expect(200);
        problem(&api.with("if-match", &seen).patch(&address, change).await, 412, "stale");

        let page = browser.submit(&page, "#staff", &[("permissions", "catalog")]).await.expect(409);
        assert!(page.has("Somebody else changed this meanwhile."), "{}", page.body);
        assert!(page.text("[role=alert]").contains("may work on: Reports"), "{}", page.body);
        assert_eq!(ticked(&page), ["catalog"], "what was ticked stays");
        assert_eq!(api.get(&address).await.json()["permissions"], json!(["reports"]));
        browser.submit(&page, "#staff", &[]).await.expect(200);
        assert_eq!(api.get(&address).await.json()["permissions"], json!(["catalog"]));
        // Nothing changed, nothing is counted.
        let before = api.get(&address).await.header("etag");
        assert_eq!(api.patch(&address, json!({})).await.expect(200).header("etag"), before);
    }

    async fn there_is_always_an_admin(app: TestApp) {
        let (mut browser, api) = admin(&app).await;
        let me = UserId(api.get("/api/auth/me").await.json()["id"].as_i64().unwrap());
        let address = format!("/api{}", path(me));
        let no_more = StaffInput { role: Some("customer".to_owned()), permissions: None };
        for role in ["staff", "customer"] {
            problem(&api.patch(&address, json!({"role": role})).await, 409, "last_admin");
            let page = browser.get(&path(me)).await.expect(200);
            let page = browser.submit(&page, "#staff", &[("role", role)]).await.expect(409);
            assert!(page.text("[role=alert]").contains("The shop needs an admin."), "{}", page.body);
        }
        let refused = service::update_staff(&app, &app.system(), me, None, no_more.clone()).await;
        assert!(matches!(refused, Err(Error::Conflict { code: "last_admin", .. })), "{refused:?}");

        let other = second_admin(&app).await;
        problem(&api.patch(&address, json!({"role": "staff"})).await, 409, "own_role");
        let page = browser.get(&path(me)).await.expect(200);
        assert!(page.has("This is you."));
        let page = browser.submit(&page, "#staff", &[("role", "customer")]).await.expect(409);
        assert!(page.text("[role=alert]").contains("Another admin can change it."), "{}", page.body);
        assert!(audited(&app, me).await.iter().all(|(action, _, _)| action == "user.made_admin"));

        service::update_staff(&app, &other, me, None, no_more).await.unwrap();
        browser.get("/admin").await.expect(403);
        problem(&api.get("/api/admin/staff").await, 403, "forbidden");
    }

    async fn of_two_admins_who_demote_each_other_one_stays(app: TestApp) {
        app.admin().await;
        let one = UserId(1);
        let two = id(&second_admin(&app).await);
        let as_admin = |user: UserId| {
            let app = app.clone();
            async move {
                let user = service::current_user(&app, user).await.unwrap().unwrap();
                Ctx { actor: zoco::ctx::Actor::User(user), ..app.guest() }
            }
        };
        for _ in 0..5 {
            let barrier = Arc::new(Barrier::new(2));
            let mut racers = Vec::new();
            for (asker, target) in [(one, two), (two, one)] {
                let (app, ctx, barrier) = (app.clone(), as_admin(asker).await, barrier.clone());
                assert_eq!(ctx.user().unwrap().role, Role::Admin);
                racers.push(tokio::spawn(async move {
                    barrier.wait().await;
                    let no_more = StaffInput { role: Some("staff".to_owned()), permissions: None };
                    service::update_staff(&app, &ctx, target, None, no_more).await
                }));
            }
            let mut demoted = Vec::new();
            for racer in racers {
                match racer.await.unwrap() {
                    Ok(member) => demoted.push(member.user.id),
                    Err(Error::Forbidden) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            assert_eq!(demoted.len(), 1, "{demoted:?}");
            let back = StaffInput { role: Some("admin".to_owned()), permissions: None };
            service::update_staff(&app, &app.system(), demoted[0], None, back).await.unwrap();
        }
    }

    async fn those_with_settings_look_and_change_nothing(app: TestApp) {
        app.admin().await;
        let eve = id(&app.staff("eve@example.com", &[Permission::Orders, Permission::Settings]).await);
        let mut browser = app.browser();
        browser.sign_in("eve@example.com").await;
        let page = browser.get("/admin/staff").await.expect(200);
        assert_eq!(page.texts("td .name"), ["admin", "eve"]);
        assert_eq!(page.texts("[data-l='Last sign-in']"), ["not known", "24 November 2026, 12:00 UTC"]);
        assert!(!page.has("/admin/staff/new"));
        let page = browser.get(&path(eve)).await.expect(200);
        assert!(page.has("May work on: Orders, Settings"), "{}", page.body);
        assert!(page.texts("#staff").is_empty());
        browser.post_only(&path(eve), &[("role", "admin")]).await.expect(403);
    }
}
