//! Events and jobs: the confirmation of an order, jobs that fail, panic or cannot be run, and a
//! worker that stops when it is told to.

use std::collections::HashMap;
use std::sync::Mutex;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use zoco::app::App;
use zoco::checkout::service::{self as checkout, PaymentInput, PlaceOrder};
use zoco::ctx::Ctx;
use zoco::error::Error;
use zoco::jobs::{self, JobFuture, MAX_ATTEMPTS, Observer, store};
use zoco::mail::Letter;
use zoco::orders::{Order, service as orders};

use crate::cart::{guest_with, mug_in_two_colours};
use crate::checkout::{guest_order, order_of, wish};
use crate::support::{TestApp, both};

/// How often the jobs of a shop ran, by its database and a word of the test's.
static RUNS: Mutex<Option<HashMap<String, usize>>> = Mutex::new(None);

fn key(app: &App, word: &str) -> String {
    format!("{} {word}", app.config.database_url())
}

fn count(app: &App, word: &str) {
    let mut runs = RUNS.lock().unwrap();
    *runs
        .get_or_insert_default()
        .entry(key(app, word))
        .or_default() += 1;
}

fn runs(app: &App, word: &str) -> usize {
    let runs = RUNS.lock().unwrap();
    let found = runs.as_ref().and_then(|runs| runs.get(&key(app, word)));
    found.copied().unwrap_or_default()
}

fn succeed(app: App, payload: Value) -> JobFuture {
    Box::pin(async move {
        count(&app, payload["word"].as_str().unwrap());
        Ok(())
    })
}

fn fail(app: App, _: Value) -> JobFuture {
    Box::pin(async move {
        count(&app, "fail");
        Err(Error::Internal(anyhow::anyhow!("the printer is on fire")))
    })
}

fn panic(app: App, _: Value) -> JobFuture {
    Box::pin(async move {
        count(&app, "panic");
        panic!("the printer is on fire")
    })
}

const SUCCEEDS: Observer = Observer {
    topic: "test.happened",
    job: "test.succeed",
    run: succeed,
};
const FAILS: Observer = Observer {
    topic: "test.happened",
    job: "test.fail",
    run: fail,
};
const PANICS: Observer = Observer {
    topic: "test.happened",
    job: "test.panic",
    run: panic,
};

async fn emit(app: &TestApp, word: &str) {
    let mut tx = app.db.begin().await.unwrap();
    let payload = json!({ "word": word });
    jobs::emit(&mut tx, &app.system(), "test.happened", &payload)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// A job without an event, as another version of the shop may have left it.
async fn enqueue(app: &TestApp, kind: &str, payload: &str) {
    let mut tx = app.db.begin().await.unwrap();
    store::insert_job(&mut tx, kind, payload, app.clock.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// The letter of an order, with what differs from shop to shop replaced by names.
pub fn tidy(text: &str, app: &TestApp, order: &Order) -> String {
    let token = app.guest_tokens.token(&order.number);
    text.replace(&order.number, "[number]")
        .replace(&token, "[token]")
        .replace('\u{a0}', " ")
}

async fn only_letter(app: &TestApp) -> Letter {
    app.run_jobs().await;
    let letters = app.letters();
    assert_eq!(letters.len(), 1);
    letters[0].clone()
}

/// The address in the plain text of a letter.
fn link(letter: &Letter) -> &str {
    let line = letter
        .text
        .lines()
        .find(|line| line.starts_with("Your order: "));
    line.unwrap().trim_start_matches("Your order: ")
}

both! {
    async fn a_guest_gets_a_confirmation_whose_link_opens_the_order(app: TestApp) {
        let mug = mug_in_two_colours(&app).await;
        let ctx = guest_with(&app, &mug, 2).await;
        let input = PlaceOrder {
            payment: Some(PaymentInput {
                provider: Some("bank_transfer".to_owned()),
                token: None,
            }),
            ..wish()
        };
        let placed = checkout::place_order(&app, &ctx, ctx.cart_token.as_deref(), input)
            .await
            .unwrap();
        let order = placed.order;
        let letter = only_letter(&app).await;
        assert_eq!(letter.to.as_str(), "ada@example.com");
        assert_eq!(
            tidy(&letter.subject, &app, &order),
            "Your order [number] at olmo"
        );
        insta::assert_snapshot!("order_confirmation_text", tidy(&letter.text, &app, &order));
        insta::assert_snapshot!("order_confirmation_html", tidy(&letter.html, &app, &order));

        let path = link(&letter)
            .strip_prefix(&app.config.base_url)
            .unwrap()
            .to_owned();
        assert!(letter.html.contains(link(&letter)));
        let mut browser = app.browser();
        browser
            .get(path.split('?').next().unwrap())
            .await
            .expect(404);
        let page = browser.get(&path).await.expect(200);
        assert_eq!(page.path, format!("/orders/{}", order.number));
        // A job may run twice: the reader gets the same letter, not another one.
        enqueue(
            &app,
            "orders.confirmation_mail",
            &json!({"number": order.number}).to_string(),
        )
        .await;
        app.run_jobs().await;
        assert_eq!(app.letters()[1], letter);
    }

    async fn the_link_of_an_accounts_order_needs_its_account(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 9).await;
        let ada = app.customer("ada@example.com").await;
        let order = order_of(&app, &ada, &mug, 1).await;
        let letter = only_letter(&app).await;
        assert_eq!(
            link(&letter),
            format!("{}/orders/{}", app.config.base_url, order.number)
        );
        assert!(letter.text.contains("Please have the total ready"));
    }

    async fn a_letter_that_is_late_asks_for_no_money_in_vain(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 9).await;
        let (guest, order) = guest_order(&app, &mug, 1).await;
        orders::cancel(&app, &guest, &order.number).await.unwrap();
        app.run_jobs().await;
        let letters = app.letters();
        assert_eq!(letters.len(), 2, "that it was placed, and that it was cancelled");
        let letter = &letters[0];
        assert!(!letter.text.contains("Please have the total ready"));
    }

    async fn an_event_is_passed_on_to_each_of_its_observers(app: TestApp) {
        let again = Observer {
            job: "test.again",
            ..SUCCEEDS
        };
        let elsewhere = Observer {
            topic: "test.other",
            job: "test.other",
            ..SUCCEEDS
        };
        emit(&app, "word").await;
        assert_eq!(jobs::backlog(&app).await.unwrap(), (1, 0));
        let steps = jobs::drain(&app, &[SUCCEEDS, again, elsewhere])
            .await
            .unwrap();
        assert_eq!(steps, 3, "one to pass it on, one for each job");
        assert_eq!(runs(&app, "word"), 2);
        assert_eq!(jobs::drain(&app, &[SUCCEEDS]).await.unwrap(), 0);
        // What is rolled back was never said.
        let mut tx = app.db.begin().await.unwrap();
        jobs::emit(
            &mut tx,
            &app.system(),
            "test.happened",
            &json!({"word": "word"}),
        )
        .await
        .unwrap();
        drop(tx);
        assert_eq!(jobs::backlog(&app).await.unwrap(), (0, 0));
    }

    async fn a_failing_job_is_tried_less_and_less_often_and_then_is_dead(app: TestApp) {
        emit(&app, "word").await;
        // A good one beside it is done at once.
        jobs::drain(&app, &[FAILS, SUCCEEDS]).await.unwrap();
        assert_eq!((runs(&app, "fail"), runs(&app, "word")), (1, 1));
        let mut waited = Vec::new();
        for attempt in 2..=MAX_ATTEMPTS {
            let mut seconds = 0;
            while runs(&app, "fail") < attempt as usize {
                assert_eq!(
                    jobs::drain(&app, &[FAILS]).await.unwrap(),
                    0,
                    "not before it is due"
                );
                let step = 5;
                app.clock.advance_seconds(step);
                seconds += step;
                jobs::drain(&app, &[FAILS]).await.unwrap();
                assert!(seconds < 24 * 3600);
            }
            waited.push(seconds);
        }
        assert_eq!(waited, [10, 20, 40, 80, 160, 320, 640, 1280, 2560]);
        assert_eq!(jobs::backlog(&app).await.unwrap(), (0, 1));
        app.clock.advance_seconds(24 * 3600);
        assert_eq!(
            jobs::drain(&app, &[FAILS]).await.unwrap(),
            0,
            "dead is dead"
        );
        app.leave_jobs();
    }

    async fn a_panic_fails_the_job_and_not_the_worker(app: TestApp) {
        emit(&app, "word").await;
        jobs::drain(&app, &[PANICS, SUCCEEDS]).await.unwrap();
        assert_eq!((runs(&app, "panic"), runs(&app, "word")), (1, 1));
        assert_eq!(
            jobs::backlog(&app).await.unwrap(),
            (1, 0),
            "to be tried again"
        );
        app.clock.advance_seconds(10);
        let calm = Observer {
            job: PANICS.job,
            ..SUCCEEDS
        };
        jobs::drain(&app, &[calm]).await.unwrap();
        assert_eq!(runs(&app, "word"), 2);
    }

    async fn jobs_that_cannot_be_run_do_not_stop_the_others(app: TestApp) {
        enqueue(&app, "test.unknown", "{}").await;
        enqueue(&app, "test.succeed", "this is no JSON").await;
        enqueue(&app, "orders.confirmation_mail", r#"{"number": "NONE"}"#).await;
        enqueue(&app, "orders.confirmation_mail", r#"{}"#).await;
        emit(&app, "word").await;
        let observers = [SUCCEEDS, zoco::orders::jobs::LETTERS[0]];
        jobs::drain(&app, &observers).await.unwrap();
        assert_eq!(runs(&app, "word"), 1);
        assert_eq!(jobs::backlog(&app).await.unwrap(), (4, 0));
        for _ in 1..MAX_ATTEMPTS {
            app.clock.advance_seconds(3600);
            jobs::drain(&app, &observers).await.unwrap();
        }
        assert_eq!(jobs::backlog(&app).await.unwrap(), (0, 4));
        app.leave_jobs();
    }

    async fn a_job_whose_workers_die_each_time_ends_as_dead(app: TestApp) {
        enqueue(&app, "test.succeed", r#"{"word": "deadly"}"#).await;
        for _ in 0..MAX_ATTEMPTS {
            let mut tx = app.db.begin().await.unwrap();
            let now = app.clock.now();
            let claimed = store::claim(&mut tx, now, now.plus_seconds(120))
                .await
                .unwrap();
            assert!(claimed.is_some());
            tx.commit().await.unwrap();
            assert_eq!(
                jobs::drain(&app, &[SUCCEEDS]).await.unwrap(),
                0,
                "somebody has it"
            );
            app.clock.advance_seconds(120);
        }
        jobs::drain(&app, &[SUCCEEDS]).await.unwrap();
        assert_eq!(runs(&app, "deadly"), 0);
        assert_eq!(jobs::backlog(&app).await.unwrap(), (0, 1));
        app.leave_jobs();
    }

    async fn two_workers_do_each_job_once(app: TestApp) {
        for _ in 0..20 {
            emit(&app, "shared").await;
        }
        let work = |app: TestApp| async move { jobs::drain(&app, &[SUCCEEDS]).await.unwrap() };
        let (one, two) = tokio::join!(
            tokio::spawn(work(app.clone())),
            tokio::spawn(work(app.clone()))
        );
        assert!(one.unwrap() + two.unwrap() >= 21);
        jobs::drain(&app, &[SUCCEEDS]).await.unwrap();
        assert_eq!(runs(&app, "shared"), 20);
    }

    async fn a_worker_finishes_its_job_and_stops_when_told_to(app: TestApp) {
        static STOPS: Mutex<Vec<(String, CancellationToken)>> = Mutex::new(Vec::new());
        fn stop(app: App, _: Value) -> JobFuture {
            Box::pin(async move {
                let stops = STOPS.lock().unwrap().clone();
                let mine = stops.iter().find(|(whose, _)| *whose == key(&app, "stop"));
                mine.unwrap().1.cancel();
                tokio::task::yield_now().await;
                count(&app, "stopped");
                Ok(())
            })
        }
        static OBSERVERS: &[Observer] = &[Observer {
            topic: "test.happened",
            job: "test.stop",
            run: stop,
        }];
        let token = CancellationToken::new();
        STOPS
            .lock()
            .unwrap()
            .push((key(&app, "stop"), token.clone()));
        emit(&app, "first").await;
        emit(&app, "second").await;
        jobs::run((*app).clone(), OBSERVERS, token).await;
        assert_eq!(
            runs(&app, "stopped"),
            1,
            "the job at hand is finished, the next one is not begun"
        );
        assert_eq!(jobs::backlog(&app).await.unwrap(), (1, 0));
        app.leave_jobs();

        // One that is told before it begins does nothing, and one that waits wakes up.
        let told = CancellationToken::new();
        told.cancel();
        jobs::run((*app).clone(), OBSERVERS, told).await;
        assert_eq!(runs(&app, "stopped"), 1);
    }

    async fn an_order_is_told_to_the_outbox_with_the_change(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 9).await;
        let (guest, order) = guest_order(&app, &mug, 1).await;
        let staff = Ctx {
            now: app.clock.now(),
            ..app.system()
        };
        orders::transition(
            &app,
            &staff,
            &order.number,
            zoco::orders::OrderStatus::Confirmed,
        )
        .await
        .unwrap();
        orders::record_payment(&app, &staff, &order.number)
            .await
            .unwrap();
        orders::cancel(&app, &guest, &order.number).await.unwrap();
        let mut tx = app.db.begin().await.unwrap();
        let events = store::waiting_events(&mut tx, 100).await.unwrap();
        // Not dropped: PostgreSQL hears of that a little later, and till then the events are locked.
        tx.commit().await.unwrap();
        let topics: Vec<&str> = events.iter().map(|event| event.topic.as_str()).collect();
        assert_eq!(
            topics,
            [
                "order.placed",
                "order.status_changed",
                "order.paid",
                "order.refunded",
                "order.cancelled"
            ]
        );
        let payload: Value = serde_json::from_str(&events[1].payload).unwrap();
        assert_eq!(
            payload,
            json!({"order_id": order.id, "number": order.number, "from": "pending", "to": "confirmed"})
        );
        app.run_jobs().await;
    }
}
