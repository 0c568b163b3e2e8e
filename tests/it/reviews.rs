//! Reviews: reading and writing them through both faces, and what they come to.

use serde_json::json;
use zoco::catalog::{self, ProductKey, ProductStatus, Rating};
use zoco::config::Switch;
use zoco::ctx::{Ctx, Permission};
use zoco::db::count_statements;
use zoco::error::Error;
use zoco::orders::OrderStatus;
use zoco::reviews::service::{self, ModerationInput, ReviewInput};
use zoco::reviews::{Histogram, Review, ReviewFilter, StaffFilter};
use zoco::types::{PageRequest, ReviewId};

use crate::checkout::{guest_order, order_of};
use crate::orders::drive;
use crate::support::{TestApp, both};

fn stars(rating: i64) -> ReviewInput {
    ReviewInput {
        rating,
        title: "As expected".to_owned(),
        body: "It holds tea.".to_owned(),
    }
}

fn mug() -> ProductKey {
    ProductKey::parse("everyday-mug")
}

async fn rating(app: &TestApp) -> Rating {
    catalog::service::product(app, &app.guest(), &mug())
        .await
        .unwrap()
        .rating
}

async fn reviews(app: &TestApp, ctx: &Ctx) -> (Vec<Review>, Histogram) {
    let (page, histogram) = service::list(
        app,
        ctx,
        &mug(),
        ReviewFilter::default(),
        PageRequest::default(),
    )
    .await
    .unwrap();
    (page.items, histogram)
}

both! {
    async fn a_review_is_written_on_both_faces(app: TestApp) {
        app.product("Everyday mug", "24.00", 5).await;
        app.customer("ada@example.com").await;
        let eve = app.customer("eve@example.com").await;

        let mut browser = app.browser();
        let form = browser.get("/products/everyday-mug/reviews/new").await;
        assert_eq!(form.path, "/sign-in?next=%2Fproducts%2Feveryday-mug%2Freviews%2Fnew");
        browser.sign_in("ada@example.com").await;
        let form = browser.get("/products/everyday-mug/reviews/new").await.expect(200);
        let fields = [("rating", "5"), ("title", " Lovely "), ("body", "Holds\r\ntea.")];
        browser.submit(&form, "#review", &fields).await;

        let client = app.api().signed_in("eve@example.com").await;
        let body = json!({"rating": 2, "title": "Small", "body": "Too small."});
        let made = client.post("/api/products/everyday-mug/reviews", body).await.expect(201).json();
        assert_eq!((made["author"].as_str(), made["mine"].as_bool()), (Some("eve"), Some(true)));

        let (items, histogram) = reviews(&app, &app.guest()).await;
        let ada = items.iter().find(|review| review.author == "ada").unwrap();
        assert_eq!((ada.rating, ada.title.as_str(), ada.body.as_str()), (5, "Lovely", "Holds\ntea."));
        assert_eq!(histogram, Histogram([0, 1, 0, 0, 1]));
        assert_eq!(rating(&app).await, Rating { sum: 7, count: 2 });

        let own = service::own(&app, &eve, &mug()).await.unwrap().unwrap();
        assert_eq!(own.title, "Small");
        assert_eq!(service::own(&app, &app.guest(), &mug()).await.unwrap(), None);
    }

    async fn one_review_of_each_user_and_product(app: TestApp) {
        app.product("Everyday mug", "24.00", 5).await;
        let ada = app.customer("ada@example.com").await;
        let review = service::create(&app, &ada, &mug(), stars(5)).await.unwrap();
        let client = app.api().signed_in("ada@example.com").await;
        let refused = client.post("/api/products/everyday-mug/reviews", json!({"rating": 1})).await.expect(409);
        assert_eq!(refused.json()["code"], "already_reviewed");

        // A form that was open in another tab comes back as the form of a change.
        let mut browser = app.browser();
        browser.sign_in("ada@example.com").await;
        let path = "/products/everyday-mug/reviews";
        let again = browser.post(path, &[("rating", "3"), ("body", "Well.")]).await.expect(422);
        assert!(again.text("#errors").contains("You wrote about this before"));
        assert_eq!(again.attributes("#review", "action"), [format!("{path}/{}/edit", review.id)]);
        browser.submit(&again, "#review", &[]).await;
        assert_eq!(rating(&app).await, Rating { sum: 3, count: 1 });
        let edit = browser.get(&format!("{path}/new")).await.expect(200);
        assert_eq!(edit.path, format!("{path}/{}/edit", review.id));
    }

    async fn a_review_is_changed_on_both_faces(app: TestApp) {
        app.product("Everyday mug", "24.00", 5).await;
        let ada = app.customer("ada@example.com").await;
        let eve = app.customer("eve@example.com").await;
        let id = service::create(&app, &ada, &mug(), stars(5)).await.unwrap().id;
        app.clock.advance_seconds(60);

        let mut browser = app.browser();
        browser.sign_in("ada@example.com").await;
        let path = format!("/products/everyday-mug/reviews/{id}/edit");
        let form = browser.get(&path).await.expect(200);
        assert_eq!(form.attributes("#f-title", "value"), ["As expected"]);
        browser.submit(&form, "#review", &[("rating", "4")]).await;
        assert_eq!(rating(&app).await, Rating { sum: 4, count: 1 });

        // What is left out stays.
        let client = app.api().signed_in("ada@example.com").await;
        let path = format!("/api/products/everyday-mug/reviews/{id}");
        let changed = client.patch(&path, json!({"rating": 3})).await.expect(200).json();
        assert_eq!((changed["rating"].as_i64(), changed["title"].as_str()), (Some(3), Some("As expected")));
        assert_eq!(changed["created_at"], "2026-11-24T12:00:00Z");
        assert_eq!(changed["updated_at"], "2026-11-24T12:01:00Z");
        client.patch(&path, json!({"rating": 6})).await.expect(422);
        client.patch(&path, json!({"user_id": 2})).await.expect(422);

        // Nobody else changes it.
        let refused = service::update(&app, &eve, &mug(), id, None, stars(1)).await;
        assert!(matches!(refused, Err(Error::Forbidden)));
        let other = app.api().signed_in("eve@example.com").await;
        other.patch(&path, json!({"rating": 1})).await.expect(403);
        app.api().patch(&path, json!({"rating": 1})).await.expect(401);
        let mut other = app.browser();
        other.sign_in("eve@example.com").await;
        other.get(&format!("/products/everyday-mug/reviews/{id}/edit")).await.expect(404);
        let posted = [("rating", "1")];
        other.post(&format!("/products/everyday-mug/reviews/{id}/edit"), &posted).await.expect(403);
        assert_eq!(rating(&app).await, Rating { sum: 3, count: 1 });
        let gone = service::update(&app, &ada, &mug(), ReviewId(999), None, stars(1)).await;
        assert!(matches!(gone, Err(Error::NotFound)));
        client.patch("/api/products/everyday-mug/reviews/x", json!({"rating": 1})).await.expect(404);
    }

    async fn a_review_is_removed_on_both_faces(app: TestApp) {
        app.product("Everyday mug", "24.00", 5).await;
        let ada = app.customer("ada@example.com").await;
        let eve = app.customer("eve@example.com").await;
        let staff = app.staff("stella@example.com", &[Permission::Catalog]).await;
        let first = service::create(&app, &ada, &mug(), stars(5)).await.unwrap().id;
        let second = service::create(&app, &eve, &mug(), stars(1)).await.unwrap().id;
        let third = service::create(&app, &staff, &mug(), stars(4)).await.unwrap().id;

        let client = app.api().signed_in("eve@example.com").await;
        let path = |id: ReviewId| format!("/api/products/everyday-mug/reviews/{id}");
        client.delete(&path(first)).await.expect(403);
        app.api().delete(&path(first)).await.expect(401);
        client.delete(&path(second)).await.expect(204);
        client.delete(&path(second)).await.expect(404);
        assert_eq!(rating(&app).await, Rating { sum: 9, count: 2 });

        // Staff may remove anybody's, and the log keeps what it said.
        service::delete(&app, &staff, &mug(), first).await.unwrap();
        let mut conn = app.db.conn().await.unwrap();
        let log = zoco::db::Query::new("select action, before from audit_log where action like 'review.%'");
        let log: Vec<(String, String)> = log.fetch_all(&mut conn).await.unwrap();
        assert_eq!(log.len(), 1);
        assert_eq!(log[0].0, "review.deleted");
        assert!(log[0].1.contains("It holds tea."));
        drop(conn);

        let mut browser = app.browser();
        browser.sign_in("stella@example.com").await;
        let path = format!("/products/everyday-mug/reviews/{third}/delete");
        let answer = browser.post_only(&path, &[]).await.expect(303);
        assert_eq!(answer.header("location"), "/products/everyday-mug#reviews");
        assert_eq!(rating(&app).await, Rating::default());
        let guest = app.browser().post_only(&path, &[]).await.expect(303);
        assert_eq!(guest.header("location"), "/sign-in?next=%2F");
    }

    async fn a_wrong_review_comes_back_with_its_values(app: TestApp) {
        app.product("Everyday mug", "24.00", 5).await;
        app.customer("ada@example.com").await;
        let mut browser = app.browser();
        browser.sign_in("ada@example.com").await;
        let form = browser.get("/products/everyday-mug/reviews/new").await.expect(200);
        let again = browser.submit(&form, "#review", &[("title", "Nice"), ("body", "Tea & more")]).await.expect(422);
        assert_eq!(again.text(".err"), "Give 1 to 5 stars.");
        assert_eq!(again.attributes("#f-title", "value"), ["Nice"]);
        assert_eq!(again.text("#f-body"), "Tea & more");

        let client = app.api().signed_in("ada@example.com").await;
        let path = "/api/products/everyday-mug/reviews";
        for (body, field) in [
            (json!({"rating": 0}), "rating"),
            (json!({"rating": 6}), "rating"),
            (json!({"rating": 5, "title": "x".repeat(121)}), "title"),
            (json!({"rating": 5, "title": "a\nb"}), "title"),
            (json!({"rating": 5, "body": "x".repeat(5001)}), "body"),
            (json!({"rating": 5, "author": "Somebody else"}), "author"),
            (json!({"rating": "five"}), "rating"),
        ] {
            let reply = client.post(path, body).await.expect(422).json();
            assert_eq!(reply["errors"][0]["field"], field);
        }
        app.api().post(path, json!({"rating": 5})).await.expect(401);
        assert_eq!(rating(&app).await, Rating::default());
    }

    async fn the_list_comes_in_pages_with_a_histogram(app: TestApp) {
        app.product("Everyday mug", "24.00", 5).await;
        for (number, given) in [5, 4, 5].into_iter().enumerate() {
            let ctx = app.customer(&format!("user{number}@example.com")).await;
            let ctx = Ctx { now: ctx.now.plus_seconds(number as i64), ..ctx };
            service::create(&app, &ctx, &mug(), stars(given)).await.unwrap();
        }
        let reply = app.api().get("/api/products/everyday-mug/reviews?per_page=2").await.expect(200).json();
        assert_eq!(reply["total"], 3);
        assert_eq!(reply["next"], "/api/products/everyday-mug/reviews?per_page=2&page=2");
        let authors: Vec<_> = reply["items"].as_array().unwrap().iter().map(|review| review["author"].as_str().unwrap()).collect();
        assert_eq!(authors, ["user2", "user1"]);
        assert_eq!(reply["histogram"], json!({"1": 0, "2": 0, "3": 0, "4": 1, "5": 2}));
        assert!(reply["items"][0].get("user_id").is_none());
        app.api().get("/api/products/everyday-mug/reviews?sort=best").await.expect(400);
        app.api().get("/api/products/nothing/reviews").await.expect(404);
    }

    async fn only_what_is_for_sale_is_reviewed(app: TestApp) {
        let product = app.product("Everyday mug", "24.00", 5).await;
        let ada = app.customer("ada@example.com").await;
        let staff = app.staff("stella@example.com", &[Permission::Catalog]).await;
        let id = service::create(&app, &ada, &mug(), stars(5)).await.unwrap().id;
        let mut tx = app.db.begin().await.unwrap();
        zoco::db::Query::new("update products set status = 'draft'").execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        let product = catalog::service::product(&app, &staff, &ProductKey::Id(product.id)).await.unwrap();
        assert_eq!(product.status, ProductStatus::Draft);

        // For a shopper it does not exist; staff see it, but do not review it either.
        assert!(matches!(service::list(&app, &ada, &mug(), ReviewFilter::default(), PageRequest::default()).await, Err(Error::NotFound)));
        assert!(matches!(service::own(&app, &ada, &mug()).await, Err(Error::NotFound)));
        assert!(matches!(service::update(&app, &ada, &mug(), id, None, stars(1)).await, Err(Error::NotFound)));
        assert!(matches!(service::create(&app, &staff, &mug(), stars(1)).await, Err(Error::NotFound)));
        assert_eq!(reviews(&app, &staff).await.0.len(), 1);
    }

    async fn parallel_reviews_are_all_counted(app: TestApp) {
        app.product("Everyday mug", "24.00", 5).await;
        let mut writers = Vec::new();
        for number in 0..8_i64 {
            let ctx = app.customer(&format!("user{number}@example.com")).await;
            let app = app.clone();
            writers.push(tokio::spawn(async move {
                service::create(&app, &ctx, &mug(), stars(number % 5 + 1)).await.unwrap();
            }));
        }
        for writer in writers {
            writer.await.unwrap();
        }
        assert_eq!(rating(&app).await, Rating { sum: 21, count: 8 });
        let mut conn = app.db.conn().await.unwrap();
        let score = zoco::db::Query::new("select rating_score from products");
        let (score,): (i64,) = score.fetch_one(&mut conn).await.unwrap();
        assert_eq!(score, Rating { sum: 21, count: 8 }.score());
    }

    async fn who_received_it_is_verified_before_and_after(app: TestApp) {
        let product = app.product("Everyday mug", "24.00", 9).await;
        let ada = app.customer("ada@example.com").await;
        let eve = app.customer("eve@example.com").await;
        service::create(&app, &ada, &mug(), stars(5)).await.unwrap();
        service::create(&app, &eve, &mug(), stars(4)).await.unwrap();
        let order = order_of(&app, &ada, &product, 1).await;
        let guest = guest_order(&app, &product, 1).await;
        let by_ada = async || service::own(&app, &ada, &mug()).await.unwrap().unwrap();

        // On its way is not received yet.
        drive(&app, &order.number, OrderStatus::Shipped).await;
        assert!(!by_ada().await.verified);
        let updated_at = by_ada().await.updated_at;
        let stella = app.staff("stella@example.com", &[Permission::Orders]).await;
        zoco::orders::service::transition(&app, &stella, &order.number, OrderStatus::Delivered).await.unwrap();
        let review = by_ada().await;
        assert_eq!((review.verified, review.updated_at, review.version), (true, updated_at, 1));
        drive(&app, &guest.1.number, OrderStatus::Delivered).await;

        let list = app.api().get("/api/products/everyday-mug/reviews?sort=verified").await.expect(200).json();
        let seen: Vec<_> = list["items"].as_array().unwrap().iter().map(|review| (review["author"].as_str().unwrap(), review["verified"].as_bool().unwrap())).collect();
        assert_eq!(seen, [("ada", true), ("eve", false)]);
        let page = app.browser().get("/products/everyday-mug").await.expect(200);
        assert_eq!(page.texts(".review .verified"), ["Verified buyer"]);

        // One that is written later is verified, too.
        service::delete(&app, &ada, &mug(), review.id).await.unwrap();
        let client = app.api().signed_in("ada@example.com").await;
        let made = client.post("/api/products/everyday-mug/reviews", json!({"rating": 3})).await.expect(201);
        assert_eq!(made.json()["verified"], true);
        app.run_jobs().await;
    }

    async fn a_hidden_review_counts_for_nothing_on_both_faces(app: TestApp) {
        app.product("Everyday mug", "24.00", 5).await;
        let ada = app.customer("ada@example.com").await;
        let eve = app.customer("eve@example.com").await;
        app.staff("stella@example.com", &[Permission::Catalog]).await;
        let first = service::create(&app, &ada, &mug(), stars(1)).await.unwrap().id;
        let second = service::create(&app, &eve, &mug(), stars(5)).await.unwrap().id;
        let score = async || {
            let mut conn = app.db.conn().await.unwrap();
            let score = zoco::db::Query::new("select rating_score from products");
            let (score,): (i64,) = score.fetch_one(&mut conn).await.unwrap();
            score
        };
        let before = score().await;

        // By the page.
        let mut staff = app.browser();
        staff.sign_in("stella@example.com").await;
        let list = staff.get("/admin/reviews?stars=1").await.expect(200);
        assert_eq!(list.texts(".moderated h2"), ["As expected"]);
        let again = staff.submit(&list, ".moderated form", &[("hidden!", "true")]).await.expect(200);
        assert_eq!(again.path, "/admin/reviews?stars=1");
        assert!(again.text(".flash").contains("hidden"), "{}", again.body);
        assert_eq!(again.texts(".badge.bad"), ["Hidden"]);
        assert_eq!(rating(&app).await, Rating { sum: 5, count: 1 });
        assert!(score().await > before);

        // By the API.
        let client = app.api().signed_in("stella@example.com").await;
        let path = format!("/api/admin/reviews/{second}");
        let reply = client.patch(&path, json!({"hidden": true})).await.expect(200);
        assert_eq!((reply.json()["hidden"].as_bool(), reply.json()["product_slug"].as_str()), (Some(true), Some("everyday-mug")));
        assert_eq!(rating(&app).await, Rating::default());

        // Nobody sees it but its author and staff.
        let seen = app.api().get("/api/products/everyday-mug/reviews").await.expect(200).json();
        assert_eq!((seen["total"].as_i64(), seen["items"].as_array().unwrap().len()), (Some(0), 0));
        assert_eq!(seen["histogram"]["1"], 0);
        assert!(seen["own"].is_null());
        let one = format!("/api/products/everyday-mug/reviews/{first}");
        app.api().get(&one).await.expect(404);
        let author = app.api().signed_in("ada@example.com").await;
        assert_eq!(author.get(&one).await.expect(200).json()["hidden"], true);
        assert_eq!(author.get("/api/products/everyday-mug/reviews").await.json()["own"]["hidden"], true);
        client.get(&one).await.expect(200);
        let other = app.api().signed_in("eve@example.com").await;
        other.patch(&one, json!({"rating": 5})).await.expect(404);
        assert!(!app.browser().get("/products/everyday-mug").await.expect(200).has("It holds tea."));
        let mut browser = app.browser();
        browser.sign_in("ada@example.com").await;
        let page = browser.get("/products/everyday-mug").await.expect(200);
        assert_eq!(page.texts(".review .chip"), ["Hidden"]);
        assert!(page.text("#reviews .alert").contains("Only you see it"));
        assert!(page.attributes("#reviews form", "action").is_empty(), "nothing to delete it with");

        // Its author may mend it, and cannot bring it back by writing it again.
        author.patch(&one, json!({"rating": 4})).await.expect(200);
        let refused = author.delete(&one).await.expect(409).json();
        assert_eq!(refused["code"], "review_hidden");
        let refused = browser.post(&format!("/products/everyday-mug/reviews/{first}/delete"), &[]).await.expect(200);
        assert!(refused.text(".flash.warning").contains("Ask the shop"));
        assert_eq!(rating(&app).await, Rating::default());

        // Back again, as it is now.
        client.patch(&format!("/api/admin/reviews/{first}"), json!({"hidden": false})).await.expect(200);
        assert_eq!(rating(&app).await, Rating { sum: 4, count: 1 });
        let show = staff.get("/admin/reviews?state=hidden").await.expect(200);
        let shown = staff.submit(&show, ".moderated form", &[("hidden!", "false")]).await.expect(200);
        assert!(shown.text(".flash").contains("see the review again"));
        assert_eq!(rating(&app).await, Rating { sum: 9, count: 2 });
        let mut conn = app.db.conn().await.unwrap();
        assert_eq!(service::imbalances(&mut conn).await.unwrap(), []);
        let log = zoco::db::Query::new("select before, after from audit_log where action = 'review.moderated' order by id");
        let log: Vec<(String, String)> = log.fetch_all(&mut conn).await.unwrap();
        assert_eq!(log.len(), 4);
        assert_eq!(log[0], (r#"{"hidden":false}"#.to_owned(), r#"{"hidden":true}"#.to_owned()));
    }

    async fn staff_answer_on_both_faces(app: TestApp) {
        app.product("Everyday mug", "24.00", 5).await;
        let ada = app.customer("ada@example.com").await;
        app.staff("stella.stone@example.com", &[Permission::Catalog]).await;
        let id = service::create(&app, &ada, &mug(), stars(2)).await.unwrap().id;
        app.clock.advance_seconds(60);
        let mut staff = app.browser();
        staff.sign_in("stella.stone@example.com").await;
        let list = staff.get("/admin/reviews?state=unanswered").await.expect(200);
        let form = staff.get(&list.attributes(".moderated a.btn", "href")[0]).await.expect(200);
        let wrong = staff.submit(&form, "#answer", &[("reply", &"x".repeat(2001))]).await.expect(422);
        assert_eq!(wrong.text(".err"), "At most 2000 characters.");
        assert_eq!(wrong.text("#f-reply").len(), 2001);
        let done = staff.submit(&wrong, "#answer", &[("reply", "Sorry.\r\nWe mend it.")]).await.expect(200);
        assert_eq!(done.path, "/admin/reviews?state=unanswered");
        assert!(done.has("No review fits."));

        let review = service::review(&app, &app.guest(), &mug(), id).await.unwrap();
        let reply = review.reply.unwrap();
        assert_eq!((reply.text.as_str(), reply.at), ("Sorry.\nWe mend it.", app.clock.now()));
        let page = app.browser().get("/products/everyday-mug").await.expect(200);
        assert_eq!(page.text(".review .reply .text"), "Sorry. We mend it.");
        assert!(page.text(".review .reply").contains(&format!("{} answers", reply.author)));
        let seen = app.api().get(&format!("/api/products/everyday-mug/reviews/{id}")).await.expect(200);
        assert_eq!((seen.header("etag"), seen.json()["reply"]["at"].as_str().unwrap().to_owned()), ("\"v2\"".to_owned(), reply.at.rfc3339()));

        // What somebody else changed meanwhile is not written over.
        let client = app.api().signed_in("stella.stone@example.com").await;
        let path = format!("/api/admin/reviews/{id}");
        let stale = client.with("if-match", "\"v1\"").patch(&path, json!({"reply": "No."})).await.expect(412);
        assert_eq!(stale.json()["code"], "stale");
        let again = staff.submit(&form, "#answer", &[("reply", "Mine")]).await.expect(422);
        assert!(again.text("#errors").contains("meanwhile"));
        assert_eq!(again.text("#f-reply"), "Mine");
        app.api().signed_in("ada@example.com").await.with("if-match", "\"v1\"")
            .patch(&format!("/api/products/everyday-mug/reviews/{id}"), json!({"rating": 5})).await.expect(412);

        // An answer stays until it is taken back; the same one again is no change.
        let etag = client.get(&path).await.expect(200).header("etag");
        let same = client.with("if-match", &etag).patch(&path, json!({"reply": " Sorry.\nWe mend it. "})).await.expect(200);
        assert_eq!(same.header("etag"), etag);
        let hidden = client.patch(&path, json!({"hidden": true})).await.expect(200).json();
        assert_eq!(hidden["reply"]["text"], "Sorry.\nWe mend it.");
        let gone = client.patch(&path, json!({"hidden": false, "reply": ""})).await.expect(200).json();
        assert!(gone["reply"].is_null());
        client.patch(&path, json!({"reply": "x".repeat(2001)})).await.expect(422);
        client.patch(&path, json!({"rating": 5})).await.expect(422);
        client.patch("/api/admin/reviews/999", json!({"hidden": true})).await.expect(404);
        client.get("/api/admin/reviews/x").await.expect(404);
        staff.get("/admin/reviews/x").await.expect(404);
        staff.post_only("/admin/reviews/999", &[("reply", "?")]).await.expect(404);
    }

    async fn only_staff_of_the_catalog_moderate(app: TestApp) {
        app.product("Everyday mug", "24.00", 5).await;
        let ada = app.customer("ada@example.com").await;
        let id = service::create(&app, &ada, &mug(), stars(2)).await.unwrap().id;
        let clerk = app.staff("carl@example.com", &[Permission::Orders]).await;
        for (ctx, denied) in [(&app.guest(), Error::Unauthenticated), (&ada, Error::Forbidden), (&clerk, Error::Forbidden)] {
            let denied = std::mem::discriminant(&denied);
            let filter = StaffFilter::default();
            let refused = service::list_for_staff(&app, ctx, &filter, PageRequest::default()).await.unwrap_err();
            assert_eq!(std::mem::discriminant(&refused), denied);
            let refused = service::review_for_staff(&app, ctx, id).await.unwrap_err();
            assert_eq!(std::mem::discriminant(&refused), denied);
            let refused = service::moderate(&app, ctx, id, None, ModerationInput::default()).await.unwrap_err();
            assert_eq!(std::mem::discriminant(&refused), denied);
        }
        let clerk = app.api().signed_in("carl@example.com").await;
        for (client, status) in [(app.api(), 401), (clerk, 403)] {
            client.get("/api/admin/reviews").await.expect(status);
            client.get(&format!("/api/admin/reviews/{id}")).await.expect(status);
            client.patch(&format!("/api/admin/reviews/{id}"), json!({"hidden": true})).await.expect(status);
        }
        let mut clerk = app.browser();
        clerk.sign_in("carl@example.com").await;
        clerk.get("/admin/reviews").await.expect(403);
        clerk.get(&format!("/admin/reviews/{id}")).await.expect(403);
        clerk.post_only(&format!("/admin/reviews/{id}"), &[("hidden", "true")]).await.expect(403);
        assert!(!clerk.get("/admin").await.expect(200).has("/admin/reviews"));
        assert_eq!(rating(&app).await, Rating { sum: 2, count: 1 });
    }

    async fn the_list_is_filtered_and_sorted_on_both_faces(app: TestApp) {
        app.product("Everyday mug", "24.00", 5).await;
        for (number, given) in [5, 1, 5, 3, 5, 5, 5, 5].into_iter().enumerate() {
            let ctx = app.customer(&format!("user{number}@example.com")).await;
            let ctx = Ctx { now: ctx.now.plus_seconds(number as i64), ..ctx };
            service::create(&app, &ctx, &mug(), stars(given)).await.unwrap();
        }
        let mut browser = app.browser();
        let page = browser.get("/products/everyday-mug?sort=lowest").await.expect(200);
        let given = page.attributes(".review [role=img]", "aria-label");
        assert_eq!(given[..3], ["1 out of 5", "3 out of 5", "5 out of 5"]);
        let five = page.attributes(".bars a", "href");
        assert_eq!(five[0], "/products/everyday-mug?stars=5&sort=lowest#reviews");
        let page = browser.get(&five[0]).await.expect(200);
        assert!(page.attributes(".review [role=img]", "aria-label").iter().all(|label| label == "5 out of 5"));
        assert!(page.text("#reviews").contains("6 reviews with 5 stars"));
        let next = page.attributes(".pager [rel=next]", "href");
        assert_eq!(next, ["/products/everyday-mug?stars=5&sort=lowest&reviews=2#reviews"]);
        assert_eq!(browser.get(&next[0]).await.expect(200).texts(".review h3").len(), 1);
        assert_eq!(page.attributes("link[rel=canonical]", "href"), ["http://127.0.0.1:8000/products/everyday-mug"]);

        // A page of its own has them all, under an old address, too.
        let all = browser.get("/products/everyday-mug/reviews").await.expect(200);
        assert_eq!(all.texts(".review h3").len(), 8);
        assert_eq!(all.attributes("link[rel=canonical]", "href"), ["http://127.0.0.1:8000/products/everyday-mug/reviews"]);
        let highest = browser.get("/products/everyday-mug/reviews?sort=highest&page=2").await.expect(200);
        assert!(highest.text("#reviews").contains("ends before this page"));
        assert_eq!(highest.attributes("meta[name=robots]", "content"), ["noindex, follow"]);
        let input = catalog::service::ProductInput { slug: Some("daily-mug".to_owned()), ..Default::default() };
        catalog::service::update_product(&app, &app.system(), &mug(), None, input).await.unwrap();
        let old = browser.request(axum::http::Method::GET, "/products/everyday-mug/reviews", "", Vec::new()).await.expect(301);
        assert_eq!(old.header("location"), "/products/daily-mug/reviews");
        browser.get("/products/nothing/reviews").await.expect(404);

        let list = async |query: &str| {
            let reply = app.api().get(&format!("/api/products/daily-mug/reviews?{query}")).await.expect(200).json();
            let given: Vec<_> = reply["items"].as_array().unwrap().iter().map(|review| review["rating"].as_i64().unwrap()).collect();
            (reply["total"].as_i64().unwrap(), given, reply["histogram"]["5"].as_i64().unwrap())
        };
        assert_eq!(list("stars=3").await, (1, vec![3], 6));
        assert_eq!(list("sort=lowest&per_page=2").await, (8, vec![1, 3], 6));
        assert_eq!(list("sort=highest&per_page=1").await, (8, vec![5], 6));
        for wrong in ["stars=6", "stars=x", "sort=best"] {
            app.api().get(&format!("/api/products/daily-mug/reviews?{wrong}")).await.expect(400);
        }
        app.admin().await;
        let staff = app.api().signed_in("admin@example.com").await;
        let found = staff.get("/api/admin/reviews?search=mug&stars=5&state=shown&per_page=1").await.expect(200).json();
        assert_eq!((found["total"].as_i64(), found["items"][0]["product_name"].as_str()), (Some(6), Some("Everyday mug")));
        for wrong in ["stars=6", "state=lost", "sort=newest"] {
            staff.get(&format!("/api/admin/reviews?{wrong}")).await.expect(400);
        }
        app.run_jobs().await;
    }

    async fn many_reviews_take_as_many_statements_as_one(app: TestApp) {
        app.product("Everyday mug", "24.00", 5).await;
        app.admin().await;
        let mut browser = app.browser();
        browser.sign_in("admin@example.com").await;
        let pages = ["/products/everyday-mug", "/products/everyday-mug/reviews", "/admin/reviews"];
        let mut counts = Vec::new();
        for number in 0..12 {
            let ctx = app.customer(&format!("user{number}@example.com")).await;
            service::create(&app, &ctx, &mug(), stars(4)).await.unwrap();
            if number == 0 || number == 11 {
                for page in pages {
                    counts.push(count_statements(browser.get(page)).await.1);
                }
            }
        }
        assert_eq!(counts[..3], counts[3..]);
    }

    async fn nobody_writes_without_end(app: TestApp) {
        app.product("Everyday mug", "24.00", 5).await;
        let ada = app.customer("ada@example.com").await;
        let id = service::create(&app, &ada, &mug(), stars(5)).await.unwrap().id;
        for number in 1..20 {
            service::update(&app, &ada, &mug(), id, None, stars(number % 5 + 1)).await.unwrap();
        }
        let refused = service::update(&app, &ada, &mug(), id, None, stars(1)).await;
        assert!(matches!(refused, Err(Error::TooMany { retry_after: 1.., .. })));
        let client = app.api().signed_in("ada@example.com").await;
        let refused = client.patch(&format!("/api/products/everyday-mug/reviews/{id}"), json!({"rating": 1})).await.expect(429);
        assert!(!refused.header("retry-after").is_empty());
        let mut browser = app.browser();
        browser.sign_in("ada@example.com").await;
        browser.post_only(&format!("/products/everyday-mug/reviews/{id}/edit"), &[("rating", "1")]).await.expect(429);
        app.clock.advance_seconds(901);
        let ada = Ctx { now: app.clock.now(), ..ada };
        service::update(&app, &ada, &mug(), id, None, stars(1)).await.unwrap();
        let unlimited = app.with_settings(|config| config.rate_limits = Switch::Off).await;
        for _ in 0..21 {
            service::update(&unlimited, &ada, &mug(), id, None, stars(1)).await.unwrap();
        }
    }

    async fn one_vote_does_not_beat_a_hundred(app: TestApp) {
        let loved = app.product("Loved", "24.00", 5).await.id;
        let lucky = app.product("Lucky", "24.00", 5).await.id;
        app.product("New", "24.00", 5).await;
        for number in 0..12 {
            let ctx = app.customer(&format!("user{number}@example.com")).await;
            let given = if number == 0 { 4 } else { 5 };
            service::create(&app, &ctx, &ProductKey::Id(loved), stars(given)).await.unwrap();
            if number == 0 {
                service::create(&app, &ctx, &ProductKey::Id(lucky), stars(5)).await.unwrap();
            }
        }
        let featured = catalog::service::featured_products(&app, &app.guest(), 3).await.unwrap();
        let names: Vec<&str> = featured.iter().map(|card| card.name.as_str()).collect();
        assert_eq!(names, ["Loved", "Lucky", "New"]);
        let list = app.api().get("/api/products").await.expect(200).json();
        assert_eq!(list["items"][0]["name"], "Loved");
    }
}
