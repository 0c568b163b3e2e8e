//! SQL of reviews.

use zoco::reviews::{
    Histogram, Reply, Review, ReviewFilter, ReviewSort, ReviewState, StaffFilter, store,
};
use zoco::types::{PageRequest, ProductId, ReviewId};

use crate::support::{TestApp, both};

both! {
    async fn reviews_are_written_read_and_removed(app: TestApp) {
        let product = app.product("Everyday mug", "24.00", 5).await.id;
        let other = app.product("Bowl", "18.00", 5).await.id;
        let ada = app.customer("ada@example.com").await.user_id().unwrap();
        let eve = app.customer("eve@example.com").await.user_id().unwrap();
        let now = app.clock.now();
        let later = now.plus_seconds(1);
        let mut tx = app.db.begin().await.unwrap();
        assert_eq!(store::lock_product(&mut tx, product).await.unwrap().as_deref(), Some("active"));
        assert_eq!(store::lock_product(&mut tx, ProductId(99)).await.unwrap(), None);
        let first = store::insert(&mut tx, product, ada, 5, "Lovely", "Tea.", now).await.unwrap();
        let second = store::insert(&mut tx, product, eve, 2, "", "", now).await.unwrap();
        store::insert(&mut tx, other, ada, 1, "", "", now).await.unwrap();

        // The newest first; of one moment, the last written.
        let page = store::list(&mut tx, product, ReviewFilter::default(), PageRequest::default()).await.unwrap();
        let ids: Vec<ReviewId> = page.iter().map(|review| review.id).collect();
        assert_eq!(ids, [second, first]);
        let page = store::list(&mut tx, product, ReviewFilter::default(), PageRequest::new(2, 1)).await.unwrap();
        assert_eq!((page.len(), page[0].author.as_str()), (1, "ada"));
        assert_eq!(store::histogram(&mut tx, product).await.unwrap(), Histogram([0, 1, 0, 0, 1]));

        store::update(&mut tx, first, 4, "Good", "More tea.", later).await.unwrap();
        let found = store::by_id(&mut tx, first).await.unwrap().unwrap();
        assert_eq!((found.product_slug.as_str(), found.product_name.as_str()), ("everyday-mug", "Everyday mug"));
        let review = found.review;
        assert_eq!((review.version, review.verified, review.hidden), (2, false, false));
        assert_eq!((review.rating, review.title.as_str(), review.body.as_str()), (4, "Good", "More tea."));
        assert_eq!((review.created_at, review.updated_at), (now, later));
        assert_eq!(store::by_id(&mut tx, ReviewId(99)).await.unwrap(), None);
        assert_eq!(store::by_user(&mut tx, product, eve).await.unwrap().unwrap().id, second);
        assert_eq!(store::by_user(&mut tx, product, ada).await.unwrap(), Some(review));

        store::delete(&mut tx, first).await.unwrap();
        assert_eq!(store::by_user(&mut tx, product, ada).await.unwrap(), None);
        let again = store::insert(&mut tx, product, eve, 1, "", "", now).await;
        assert!(again.unwrap_err().is_unique());
    }

    async fn a_products_rating_is_kept(app: TestApp) {
        let product = app.product("Everyday mug", "24.00", 5).await;
        let mut tx = app.db.begin().await.unwrap();
        store::set_rating(&mut tx, product.id, 9, 2, 4083).await.unwrap();
        tx.commit().await.unwrap();
        let mut conn = app.db.conn().await.unwrap();
        let row = zoco::db::Query::new("select rating_sum, rating_count, rating_score, version from products");
        let row: (i64, i64, i64, i64) = row.fetch_one(&mut conn).await.unwrap();
        assert_eq!(row, (9, 2, 4083, product.version));
    }

    async fn reviews_are_sorted_filtered_and_searched(app: TestApp) {
        let product = app.product("Everyday mug", "24.00", 5).await.id;
        let other = app.product("Bowl", "18.00", 5).await.id;
        let ada = app.customer("ada@example.com").await.user_id().unwrap();
        let eve = app.customer("eve@example.com").await.user_id().unwrap();
        let now = app.clock.now();
        let mut tx = app.db.begin().await.unwrap();
        let first = store::insert(&mut tx, product, ada, 2, "Small", "Müsli fits.", now).await.unwrap();
        let second = store::insert(&mut tx, product, eve, 5, "", "", now.plus_seconds(1)).await.unwrap();
        let third = store::insert(&mut tx, other, ada, 3, "", "", now.plus_seconds(2)).await.unwrap();
        store::insert_received(&mut tx, ada, &[product, ProductId(99), product], now).await.unwrap();
        store::insert_received(&mut tx, ada, &[product], now).await.unwrap();
        store::insert_received(&mut tx, eve, &[], now).await.unwrap();

        let ids = |reviews: &[Review]| reviews.iter().map(|review| review.id).collect::<Vec<_>>();
        for (sort, expected) in [
            (ReviewSort::Newest, [second, first]),
            (ReviewSort::Highest, [second, first]),
            (ReviewSort::Lowest, [first, second]),
            (ReviewSort::Verified, [first, second]),
        ] {
            let filter = ReviewFilter { sort, stars: None };
            let found = store::list(&mut tx, product, filter, PageRequest::default()).await.unwrap();
            assert_eq!(ids(&found), expected, "{sort}");
            let verified: Vec<_> = found.iter().filter(|review| review.verified).collect();
            assert_eq!((verified.len(), verified[0].id), (1, first));
        }
        let two = ReviewFilter { stars: Some(2), ..ReviewFilter::default() };
        let found = store::list(&mut tx, product, two, PageRequest::default()).await.unwrap();
        assert_eq!(ids(&found), [first]);

        // Hidden and answered.
        let reply = Reply { text: "Sorry.".to_owned(), author: "Stella S.".to_owned(), at: now };
        store::moderate(&mut tx, first, true, None).await.unwrap();
        store::moderate(&mut tx, second, false, Some(&reply)).await.unwrap();
        assert_eq!(store::histogram(&mut tx, product).await.unwrap(), Histogram([0, 0, 0, 0, 1]));
        let found = store::list(&mut tx, product, ReviewFilter::default(), PageRequest::default()).await.unwrap();
        assert_eq!((ids(&found), found[0].reply.as_ref()), (vec![second], Some(&reply)));
        for (state, stars, search, expected) in [
            (None, None, "", vec![third, second, first]),
            (Some(ReviewState::Shown), None, "", vec![third, second]),
            (Some(ReviewState::Hidden), None, "", vec![first]),
            (Some(ReviewState::Unanswered), None, "", vec![third]),
            (None, Some(5), "", vec![second]),
            (None, None, "musli SMALL", vec![first]),
            (None, None, "mug", vec![second, first]),
            (None, None, "mug saucer", vec![]),
        ] {
            let filter = StaffFilter { state, stars, search: search.to_owned() };
            let found = store::list_all(&mut tx, &filter, PageRequest::default()).await.unwrap();
            let found: Vec<ReviewId> = found.iter().map(|found| found.review.id).collect();
            assert_eq!(found, expected, "{filter:?}");
            let count = store::count_all(&mut tx, &filter).await.unwrap();
            assert_eq!(count, expected.len() as i64, "{filter:?}");
        }
        store::moderate(&mut tx, second, false, None).await.unwrap();
        assert_eq!(store::by_id(&mut tx, second).await.unwrap().unwrap().review.reply, None);
    }

    async fn rows_that_disagree_with_their_reviews_are_found(app: TestApp) {
        let product = app.product("Everyday mug", "24.00", 5).await.id;
        app.product("Bowl", "18.00", 5).await;
        let ada = app.customer("ada@example.com").await.user_id().unwrap();
        let mut tx = app.db.begin().await.unwrap();
        assert_eq!(store::imbalances(&mut tx, 40_000, 10).await.unwrap(), []);
        store::insert(&mut tx, product, ada, 5, "", "", app.clock.now()).await.unwrap();
        let found = store::imbalances(&mut tx, 40_000, 10).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].product_id, found[0].kept, found[0].counted), (product, (0, 0), (5, 1)));
        store::set_rating(&mut tx, product, 5, 1, 4_000).await.unwrap();
        let found = store::imbalances(&mut tx, 40_000, 10).await.unwrap();
        assert_eq!((found.len(), found[0].score), (1, 4_000));
        store::set_rating(&mut tx, product, 5, 1, 45_000 / 11).await.unwrap();
        assert_eq!(store::imbalances(&mut tx, 40_000, 10).await.unwrap(), []);
    }

    async fn reviews_are_read_by_user(app: TestApp) {
        let ada = app.customer("ada@example.com").await.user_id().unwrap();
        let eve = app.customer("eve@example.com").await.user_id().unwrap();
        let mug = app.product("Mug", "5.00", 1).await.id;
        let cup = app.product("Cup", "5.00", 1).await.id;
        let now = app.clock.now();
        let mut tx = app.db.begin().await.unwrap();
        for (product, user) in [(cup, ada), (mug, ada), (mug, eve)] {
            store::insert(&mut tx, product, user, 4, "Good", "", now).await.unwrap();
        }
        let found = store::of_user(&mut tx, ada).await.unwrap();
        assert_eq!(found.iter().map(|found| found.review.product_id).collect::<Vec<_>>(), [mug, cup]);
    }
}
