//! SQL of reviews.

use zoco::reviews::{Histogram, store};
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
        let page = store::list(&mut tx, product, PageRequest::default()).await.unwrap();
        let ids: Vec<ReviewId> = page.iter().map(|review| review.id).collect();
        assert_eq!(ids, [second, first]);
        let page = store::list(&mut tx, product, PageRequest::new(2, 1)).await.unwrap();
        assert_eq!((page.len(), page[0].author.as_str()), (1, "ada"));
        assert_eq!(store::histogram(&mut tx, product).await.unwrap(), Histogram([0, 1, 0, 0, 1]));

        store::update(&mut tx, first, 4, "Good", "More tea.", later).await.unwrap();
        let review = store::by_id(&mut tx, product, first).await.unwrap().unwrap();
        assert_eq!((review.rating, review.title.as_str(), review.body.as_str()), (4, "Good", "More tea."));
        assert_eq!((review.created_at, review.updated_at), (now, later));
        assert_eq!(store::by_id(&mut tx, other, first).await.unwrap(), None);
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
}
