//! SQL of imports.

use zoco::imports::model::{Batch, Change};
use zoco::imports::store::{self, Finding};
use zoco::imports::{BatchState, Format, Outcome, PictureState, Problem, Verdict};
use zoco::types::{ImageId, ImportId, ImportProductId, PageRequest, ProductId, Timestamp, UserId};

use crate::support::{TestApp, both};

fn batch(user: Option<UserId>, now: Timestamp) -> Batch {
    Batch {
        id: ImportId(0),
        file_name: "goods.csv".to_owned(),
        file_bytes: 1_000,
        format: Format::Shopify,
        delimiter: b';',
        columns: vec!["Handle".to_owned(), "Odd".to_owned()],
        ignored: vec!["Odd".to_owned()],
        state: BatchState::Reading,
        problem: String::new(),
        read_bytes: 12,
        read_line: 2,
        categories: Vec::new(),
        user_id: user,
        user_name: String::new(),
        created_at: now,
        updated_at: now,
    }
}

fn finding(id: ImportProductId, verdict: Verdict, product: Option<(ProductId, i64)>) -> Finding {
    Finding {
        id,
        name: format!("Product {id}"),
        verdict,
        product,
        described: "{}".to_owned(),
        changes: vec![Change {
            field: "Name".to_owned(),
            before: String::new(),
            after: "Mug".to_owned(),
        }],
    }
}

both! {
    async fn a_batch_is_kept_with_its_state(app: TestApp) {
        let admin = app.admin().await.user_id();
        let now = app.clock.now();
        let mut tx = app.db.begin().await.unwrap();
        let id = store::insert_batch(&mut tx, &batch(admin, now)).await.unwrap();
        let other = store::insert_batch(&mut tx, &batch(None, now)).await.unwrap();
        let found = store::batch(&mut tx, id).await.unwrap().unwrap();
        let name = found.user_name.clone();
        assert!(!name.is_empty());
        assert_eq!(found, Batch { id, user_name: name, ..batch(admin, now) });
        assert_eq!(store::batch(&mut tx, ImportId(99)).await.unwrap(), None);
        let page = store::batches(&mut tx, PageRequest::new(1, 1)).await.unwrap();
        assert_eq!((page.total, page.items[0].id), (2, other));
        assert_eq!(store::busy_batches(&mut tx).await.unwrap(), [id, other]);

        let later = now.plus_seconds(60);
        let locked = store::lock_batch(&mut tx, id, later).await.unwrap().unwrap();
        assert_eq!(locked.updated_at, later);
        store::set_state(&mut tx, id, BatchState::Failed, "No.").await.unwrap();
        store::set_user(&mut tx, id, None).await.unwrap();
        store::set_categories(&mut tx, id, &[3, 4]).await.unwrap();
        store::set_place(&mut tx, id, 500, 40).await.unwrap();
        let found = store::batch(&mut tx, id).await.unwrap().unwrap();
        assert_eq!((found.state, found.problem.as_str(), found.user_id), (BatchState::Failed, "No.", None));
        assert_eq!((found.read_bytes, found.read_line, found.categories), (500, 40, vec![3, 4]));
        assert_eq!(store::busy_batches(&mut tx).await.unwrap(), [other]);
        assert_eq!(store::old_batches(&mut tx, later).await.unwrap(), []);
        assert_eq!(store::old_batches(&mut tx, later.plus_seconds(1)).await.unwrap(), [id]);
        store::delete_batch(&mut tx, id).await.unwrap();
        assert_eq!(store::batch(&mut tx, id).await.unwrap(), None);
    }

    async fn rows_claims_and_mistakes_are_kept(app: TestApp) {
        let now = app.clock.now();
        let mut tx = app.db.begin().await.unwrap();
        let id = store::insert_batch(&mut tx, &batch(None, now)).await.unwrap();
        let row = |line: i64, handle: &str| (line, handle.to_owned(), vec![handle.to_owned(), "x".to_owned()]);
        store::insert_lines(&mut tx, id, &[row(2, "mug"), row(3, "bowl"), row(5, "mug")]).await.unwrap();
        store::insert_lines(&mut tx, id, &[row(6, "mug")]).await.unwrap();
        store::insert_lines(&mut tx, id, &[]).await.unwrap();
        let read = store::next_read(&mut tx, id, 10).await.unwrap();
        let seen: Vec<_> = read.iter().map(|one| (one.handle.as_str(), one.line, one.rows)).collect();
        assert_eq!(seen, [("mug", 2, 3), ("bowl", 3, 1)]);
        let lines = store::lines(&mut tx, id, &["mug".to_owned()]).await.unwrap();
        let numbers: Vec<i64> = lines.iter().map(|(_, line, _)| *line).collect();
        assert_eq!((numbers, &lines[0].2), (vec![2, 5, 6], &vec!["mug".to_owned(), "x".to_owned()]));
        store::delete_lines(&mut tx, id, &["mug".to_owned()]).await.unwrap();
        assert_eq!(store::lines(&mut tx, id, &["mug".to_owned()]).await.unwrap(), []);

        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<String>>();
        assert_eq!(store::claim(&mut tx, id, &names(&["sku A", "sku B"])).await.unwrap(), names(&[]));
        assert_eq!(store::claim(&mut tx, id, &names(&["sku B", "sku C"])).await.unwrap(), names(&["sku B"]));
        store::delete_claims(&mut tx, id).await.unwrap();
        assert_eq!(store::claim(&mut tx, id, &names(&["sku B"])).await.unwrap(), names(&[]));

        let problems = [Problem::new(9, "price", "No price."), Problem::new(4, "", "Too long.")];
        store::insert_errors(&mut tx, id, &problems).await.unwrap();
        let page = store::errors(&mut tx, id, PageRequest::new(1, 1)).await.unwrap();
        assert_eq!((page.total, &page.items[..]), (2, &problems[1..]));
    }

    async fn products_of_a_batch_go_their_way(app: TestApp) {
        let product = app.product("Everyday mug", "24.00", 5).await;
        let now = app.clock.now();
        let mut tx = app.db.begin().await.unwrap();
        let id = store::insert_batch(&mut tx, &batch(None, now)).await.unwrap();
        let rows: Vec<_> = ["a", "b", "c"].iter().zip(2..).map(|(one, line)| (line, (*one).to_owned(), Vec::new())).collect();
        store::insert_lines(&mut tx, id, &rows).await.unwrap();
        let read = store::next_read(&mut tx, id, 10).await.unwrap();
        let (a, b, c) = (read[0].id, read[1].id, read[2].id);
        let findings = [
            finding(a, Verdict::New, None),
            finding(b, Verdict::Changed, Some((product.id, product.version))),
            finding(c, Verdict::Error, None),
        ];
        store::set_findings(&mut tx, &findings).await.unwrap();
        assert!(store::next_read(&mut tx, id, 10).await.unwrap().is_empty());
        let counts = store::counts(&mut tx, id).await.unwrap();
        assert_eq!((counts.total(), counts.of(Verdict::New), counts.waiting(), counts.of(Verdict::Error)), (3, 1, 2, 1));
        let page = store::items(&mut tx, id, Some(Verdict::Changed), None, PageRequest::default()).await.unwrap();
        let item = &page.items[0];
        assert_eq!((page.total, item.id, item.line), (1, b, 3));
        assert_eq!((item.product_id, item.version), (Some(product.id), Some(product.version)));
        assert_eq!(item.changes, findings[1].changes);

        let ids = |work: Vec<store::Work>| work.into_iter().map(|work| work.id).collect::<Vec<_>>();
        assert_eq!(ids(store::next_waiting(&mut tx, id, 10).await.unwrap()), [a, b]);
        store::set_applied(&mut tx, a, product.id, 7, "before", "[]").await.unwrap();
        store::set_applied(&mut tx, b, product.id, 8, "", "").await.unwrap();
        assert!(store::next_waiting(&mut tx, id, 10).await.unwrap().is_empty());
        assert_eq!(ids(store::next_unrelated(&mut tx, id, 10).await.unwrap()), [a]);
        store::set_related(&mut tx, a, 9).await.unwrap();
        assert!(store::next_unrelated(&mut tx, id, 10).await.unwrap().is_empty());
        let applied = store::next_applied(&mut tx, id, 10).await.unwrap();
        assert_eq!((applied[1].id, applied[1].version, applied[1].former.as_str()), (a, Some(9), "before"));
        store::follow_version(&mut tx, a, 9, 10).await.unwrap();
        // Not any more the version that it was.
        store::follow_version(&mut tx, a, 9, 11).await.unwrap();
        let applied = store::next_applied(&mut tx, id, 1).await.unwrap();
        assert_eq!(applied[0].id, b);
        store::set_outcome(&mut tx, b, Outcome::Kept, "Changed since.").await.unwrap();
        let applied = store::next_applied(&mut tx, id, 10).await.unwrap();
        assert_eq!((applied.len(), applied[0].version), (1, Some(10)));
        let page = store::items(&mut tx, id, None, Some(Outcome::Kept), PageRequest::default()).await.unwrap();
        assert_eq!(page.items[0].problem, "Changed since.");
    }

    async fn pictures_are_taken_one_of_each_product(app: TestApp) {
        let product = app.product("Everyday mug", "24.00", 5).await.id;
        let now = app.clock.now();
        let mut tx = app.db.begin().await.unwrap();
        let id = store::insert_batch(&mut tx, &batch(None, now)).await.unwrap();
        store::insert_lines(&mut tx, id, &[(2, "a".to_owned(), Vec::new())]).await.unwrap();
        let item = store::next_read(&mut tx, id, 1).await.unwrap()[0].id;
        let picture = |url: &str| (url.to_owned(), "A mug".to_owned(), "Oat".to_owned());
        let pictures = [picture("https://example.com/1"), picture("https://example.com/2")];
        store::insert_pictures(&mut tx, id, item, product, &pictures, now).await.unwrap();
        store::insert_pictures(&mut tx, id, item, product, &[], now).await.unwrap();
        let again = now.plus_seconds(100);
        assert!(store::is_picture_due(&mut tx, now).await.unwrap());
        assert!(!store::is_picture_due(&mut tx, now.plus_seconds(-1)).await.unwrap());
        let taken = store::take_pictures(&mut tx, now, again, 10).await.unwrap();
        assert_eq!((taken.len(), taken[0].url.as_str(), taken[0].attempts), (1, "https://example.com/1", 1));
        let first = &taken[0];
        assert_eq!((first.batch_id, first.alt.as_str(), first.option_value.as_str()), (id, "A mug", "Oat"));
        // It is on its way, and the second one waits for it.
        assert_eq!(store::take_pictures(&mut tx, now, again, 10).await.unwrap(), []);
        store::put_off_picture(&mut tx, first.id, now, "Too slow.").await.unwrap();
        let taken = store::take_pictures(&mut tx, now, again, 10).await.unwrap();
        assert_eq!((taken[0].attempts, taken[0].problem.as_str()), (2, "Too slow."));
        assert!(store::set_picture(&mut tx, first.id, PictureState::Failed, "Gone.", None).await.unwrap());
        assert!(!store::set_picture(&mut tx, first.id, PictureState::Fetched, "", None).await.unwrap());
        let page = store::pictures(&mut tx, id, PictureState::Failed, PageRequest::default()).await.unwrap();
        assert_eq!((page.total, page.items[0].problem.as_str()), (1, "Gone."));
        let taken = store::take_pictures(&mut tx, now, again, 10).await.unwrap();
        let second = &taken[0];
        assert_eq!(second.url, "https://example.com/2");

        let image = zoco::catalog::Image {
            id: ImageId(0),
            storage_key: "ab/abc".to_owned(),
            alt: String::new(),
            width: 10,
            height: 10,
            option_value: String::new(),
            position: 0,
        };
        let image = zoco::catalog::store::insert_image(&mut tx, product, &image, now).await.unwrap();
        assert!(store::set_picture(&mut tx, second.id, PictureState::Fetched, "", Some(image)).await.unwrap());
        assert_eq!(store::brought_images(&mut tx, item).await.unwrap(), [image]);
        store::put_source(&mut tx, product, &second.url, image).await.unwrap();
        store::put_source(&mut tx, product, &second.url, image).await.unwrap();
        assert_eq!(store::sources(&mut tx, &[product]).await.unwrap(), [(product, second.url.clone())]);

        let counts = |state: &str, count: i64| (state.to_owned(), count);
        assert_eq!(store::picture_counts(&mut tx, id).await.unwrap(), [counts("failed", 1), counts("fetched", 1)]);
        assert_eq!(store::retry_pictures(&mut tx, id, now).await.unwrap(), 1);
        assert_eq!(store::picture_counts(&mut tx, id).await.unwrap(), [counts("fetched", 1), counts("waiting", 1)]);
        store::drop_pictures(&mut tx, id, "Put back.").await.unwrap();
        let page = store::pictures(&mut tx, id, PictureState::Failed, PageRequest::default()).await.unwrap();
        assert_eq!(page.items[0].problem, "Put back.");
    }
}
