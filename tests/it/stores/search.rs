//! Every store function of search, on both databases.

use zoco::search::store;
use zoco::search::{Miss, Synonym};
use zoco::types::PageRequest;

use crate::support::{TestApp, both};

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

both! {
    async fn rules_about_words_are_kept(app: TestApp) {
        let now = app.clock.now();
        let mut tx = app.db.begin().await.unwrap();
        let empty = store::synonyms_mark(&mut tx).await.unwrap();
        let mut rule = Synonym {
            id: 0,
            words: texts(&["sofa", "coffee maker"]),
            targets: Vec::new(),
            version: 1,
            updated_at: now,
        };
        rule.id = store::insert_synonym(&mut tx, &rule).await.unwrap();
        let first = store::synonyms_mark(&mut tx).await.unwrap();
        assert_ne!(first, empty);
        assert_eq!(store::synonym(&mut tx, rule.id).await.unwrap(), Some(rule.clone()));
        assert_eq!(store::synonym(&mut tx, rule.id + 1).await.unwrap(), None);
        rule.targets = texts(&["couch"]);
        rule.version = 2;
        rule.updated_at = now.plus_seconds(1);
        assert!(!store::update_synonym(&mut tx, &rule, 2).await.unwrap());
        assert!(store::update_synonym(&mut tx, &rule, 1).await.unwrap());
        assert_ne!(store::synonyms_mark(&mut tx).await.unwrap(), first);
        assert_eq!(store::synonyms(&mut tx).await.unwrap(), [rule.clone()]);
        assert!(!store::delete_synonym(&mut tx, rule.id, 1).await.unwrap());
        assert!(store::delete_synonym(&mut tx, rule.id, 2).await.unwrap());
        assert_eq!(store::synonyms_mark(&mut tx).await.unwrap(), empty);
    }

    async fn what_was_not_found_is_counted_and_pruned(app: TestApp) {
        let now = app.clock.now();
        let mut tx = app.db.begin().await.unwrap();
        let miss = |words: &str, count, last_at| Miss { words: words.to_owned(), count, last_at };
        store::add_misses(&mut tx, &[]).await.unwrap();
        store::add_misses(&mut tx, &[miss("zebra", 1, now), miss("yak", 2, now)]).await.unwrap();
        let later = now.plus_seconds(60);
        store::add_misses(&mut tx, &[miss("zebra", 4, later)]).await.unwrap();
        assert_eq!(store::count_misses(&mut tx).await.unwrap(), 2);
        let all = store::misses(&mut tx, PageRequest::default()).await.unwrap();
        assert_eq!(all, [miss("zebra", 5, later), miss("yak", 2, now)]);
        let second = store::misses(&mut tx, PageRequest::new(2, 1)).await.unwrap();
        assert_eq!(second, [miss("yak", 2, now)]);
        assert!(store::delete_miss(&mut tx, "yak").await.unwrap());
        assert!(!store::delete_miss(&mut tx, "yak").await.unwrap());
        store::add_misses(&mut tx, &[miss("rare", 1, later), miss("old", 9, now)]).await.unwrap();
        // One is too old, one too rare.
        assert_eq!(store::prune_misses(&mut tx, now.plus_seconds(1), 2).await.unwrap(), 2);
        let kept = store::misses(&mut tx, PageRequest::default()).await.unwrap();
        assert_eq!(kept.len(), 1);
    }
}
