//! Every store function of jobs, on both databases.

use zoco::db::query::{self, Sql};
use zoco::jobs::store;

use crate::support::{TestApp, both};

both! {
    async fn events_wait_in_their_order_until_they_are_passed_on(app: TestApp) {
        let now = app.clock.now();
        let mut tx = app.db.begin().await.unwrap();
        assert!(!store::has_work(&mut tx, now).await.unwrap());
        for topic in ["first", "second", "third"] {
            store::insert_event(&mut tx, topic, "{}", now)
                .await
                .unwrap();
        }
        assert!(store::has_work(&mut tx, now).await.unwrap());
        let events = store::waiting_events(&mut tx, 2).await.unwrap();
        let topics: Vec<&str> = events.iter().map(|event| event.topic.as_str()).collect();
        assert_eq!(topics, ["first", "second"]);
        store::mark_dispatched(&mut tx, events[0].id, now)
            .await
            .unwrap();
        let events = store::waiting_events(&mut tx, 9).await.unwrap();
        assert_eq!(
            (
                events.len(),
                events[0].topic.as_str(),
                events[0].payload.as_str()
            ),
            (2, "second", "{}")
        );
        assert_eq!(store::backlog(&mut tx).await.unwrap(), (2, 0));
    }

    async fn an_announcement_waits_for_nobody(app: TestApp) {
        let now = app.clock.now();
        let mut tx = app.db.begin().await.unwrap();
        store::insert_announcement(&mut tx, "topic", "{}", now)
            .await
            .unwrap();
        let more = ["1".to_owned(), "2".to_owned()];
        store::insert_announcements(&mut tx, "topic", &more, now).await.unwrap();
        assert!(!store::has_work(&mut tx, now).await.unwrap());
        assert_eq!(store::backlog(&mut tx).await.unwrap(), (0, 0));
        let sql = Sql::same("select payload from outbox order by id");
        let rows: Vec<(String,)> = query::fetch_all(&mut tx, sql, Vec::new()).await.unwrap();
        let payloads: Vec<&str> = rows.iter().map(|(payload,)| payload.as_str()).collect();
        assert_eq!(payloads, ["{}", "1", "2"]);
    }

    async fn jobs_are_claimed_when_due_and_end_one_way(app: TestApp) {
        let now = app.clock.now();
        let lease = now.plus_seconds(60);
        let mut tx = app.db.begin().await.unwrap();
        assert!(store::claim(&mut tx, now, lease).await.unwrap().is_none());
        store::insert_job(&mut tx, "later", "{}", now.plus_seconds(10))
            .await
            .unwrap();
        assert!(!store::has_work(&mut tx, now).await.unwrap());
        store::insert_job(&mut tx, "now", r#"{"a":1}"#, now)
            .await
            .unwrap();
        assert!(store::has_work(&mut tx, now).await.unwrap());
        let job = store::claim(&mut tx, now, lease).await.unwrap().unwrap();
        assert_eq!(
            (job.kind.as_str(), job.payload.as_str(), job.attempts),
            ("now", r#"{"a":1}"#, 1)
        );
        assert!(
            store::claim(&mut tx, now, lease).await.unwrap().is_none(),
            "it is taken"
        );
        let again = store::claim(&mut tx, lease, lease.plus_seconds(60))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            again.kind, "later",
            "the one that is due for longer comes first"
        );
        let again = store::claim(&mut tx, lease, lease.plus_seconds(60))
            .await
            .unwrap()
            .unwrap();
        assert_eq!((again.id, again.attempts), (job.id, 2), "its lease ended");

        store::fail_job(&mut tx, job.id, "no paper", Some(now))
            .await
            .unwrap();
        assert_eq!(
            store::claim(&mut tx, now, lease).await.unwrap().unwrap().id,
            job.id
        );
        store::fail_job(&mut tx, job.id, "no paper", None)
            .await
            .unwrap();
        assert_eq!(store::backlog(&mut tx).await.unwrap(), (1, 1));
        let late = now.plus_seconds(9999);
        let other = store::claim(&mut tx, late, late).await.unwrap().unwrap();
        assert_eq!(other.kind, "later", "the dead one is left alone");
        store::delete_job(&mut tx, other.id).await.unwrap();
        store::delete_job(&mut tx, job.id).await.unwrap();
        assert_eq!(store::backlog(&mut tx).await.unwrap(), (0, 0));
    }

    async fn a_topic_is_followed_and_pruned(app: TestApp) {
        let now = app.clock.now();
        let mut tx = app.db.begin().await.unwrap();
        assert_eq!(store::newest_event(&mut tx).await.unwrap(), None);
        assert_eq!(store::progress(&mut tx, &["a"], 0).await.unwrap(), (0, 0));
        for topic in ["a", "other", "b", "a"] {
            store::insert_announcement(&mut tx, topic, "{}", now).await.unwrap();
        }
        let topics = ["a", "b"];
        let ids = store::newest_events(&mut tx, &topics, 9).await.unwrap();
        assert_eq!(ids.len(), 3);
        assert!(ids.is_sorted_by(|one, other| one > other));
        assert_eq!(store::newest_event(&mut tx).await.unwrap(), Some(ids[0]));
        assert_eq!(store::progress(&mut tx, &topics, ids[2]).await.unwrap(), (2, ids[0]));
        let later = store::events_after(&mut tx, &topics, ids[2], 1).await.unwrap();
        assert_eq!(later.iter().map(|event| (event.id, event.topic.as_str())).collect::<Vec<_>>(), [(ids[1], "b")]);
        assert_eq!(store::delete_events(&mut tx, now, 9).await.unwrap(), 0);
        assert_eq!(store::delete_events(&mut tx, now.plus_seconds(1), 3).await.unwrap(), 3);
        assert_eq!(store::newest_events(&mut tx, &topics, 9).await.unwrap(), [ids[0]]);
    }
}
