//! Reviews: reading and writing them through both faces, and what they come to.

use serde_json::json;
use zoco::catalog::{self, ProductKey, ProductStatus, Rating};
use zoco::ctx::{Ctx, Permission};
use zoco::error::Error;
use zoco::reviews::service::{self, ReviewInput};
use zoco::reviews::{Histogram, Review};
use zoco::types::{PageRequest, ReviewId};

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
    let (page, histogram) = service::list(app, ctx, &mug(), PageRequest::default())
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
        let refused = service::update(&app, &eve, &mug(), id, stars(1)).await;
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
        let gone = service::update(&app, &ada, &mug(), ReviewId(999), stars(1)).await;
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
        assert!(matches!(service::list(&app, &ada, &mug(), PageRequest::default()).await, Err(Error::NotFound)));
        assert!(matches!(service::own(&app, &ada, &mug()).await, Err(Error::NotFound)));
        assert!(matches!(service::update(&app, &ada, &mug(), id, stars(1)).await, Err(Error::NotFound)));
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
}
