//! Many at once: the last item, one cart, one key, one order changed from two sides. Whatever
//! wins, the books are right and everybody is told the truth.

use std::collections::BTreeSet;

use serde_json::json;
use tokio::task::JoinSet;
use zoco::cart::service as carts;
use zoco::checkout::service as checkout;
use zoco::ctx::{Ctx, Permission};
use zoco::error::Error;
use zoco::orders::{OrderStatus, PaymentStatus, service as order_service};
use zoco::types::CartId;

use crate::cart::{guest_with, some, variant};
use crate::checkout::{body, guest_order, on_hand, order_of, orders, wish};
use crate::support::{Api, Reply, TestApp, both};

/// Places the cart of each client, all at once; the answers in the order of the clients.
async fn place_all(clients: Vec<Api>) -> Vec<Reply> {
    at_once(clients, |client| async move {
        client.post("/api/orders", body()).await
    })
    .await
}

/// Starts one task for each input before it waits for any; the results in the order of the
/// inputs.
pub async fn at_once<I, T, F>(inputs: Vec<I>, work: impl Fn(I) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for (index, input) in inputs.into_iter().enumerate() {
        let work = work(input);
        tasks.spawn(async move { (index, work.await) });
    }
    let mut results = tasks.join_all().await;
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

fn with_cart(app: &TestApp, ctx: &Ctx) -> Api {
    app.api()
        .with("cart-token", ctx.cart_token.as_deref().unwrap())
}

fn statuses(replies: &[Reply]) -> Vec<u16> {
    let mut statuses: Vec<u16> = replies.iter().map(|reply| reply.status.as_u16()).collect();
    statuses.sort_unstable();
    statuses
}

fn numbers(replies: &[Reply]) -> BTreeSet<String> {
    let placed = replies.iter().filter(|reply| reply.status.is_success());
    placed
        .map(|reply| reply.json()["number"].as_str().unwrap().to_owned())
        .collect()
}

/// The work of somebody who was too late: a conflict, and nothing else.
pub fn too_late<T>(result: Result<T, Error>) -> bool {
    match result {
        Ok(_) => false,
        Err(Error::Conflict { .. }) => true,
        Err(other) => panic!("{other}"),
    }
}

both! {
    async fn fifty_buyers_of_five_units_make_five_orders(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 5).await;
        let mut buyers = Vec::new();
        for _ in 0..50 {
            buyers.push(with_cart(&app, &guest_with(&app, &mug, 1).await));
        }
        let replies = place_all(buyers).await;
        let placed = numbers(&replies);
        assert_eq!(placed.len(), 5);
        assert_eq!(orders(&app).await, 5);
        assert_eq!(on_hand(&app, &mug).await, 0);
        for reply in replies.iter().filter(|reply| !reply.status.is_success()) {
            assert_eq!(reply.status.as_u16(), 409, "{}", reply.body);
            assert_eq!(reply.json()["code"], "out_of_stock");
            assert_eq!(reply.json()["data"]["lines"][0]["available"], 0);
        }
        app.run_jobs().await;
        assert_eq!(app.letters().len(), 5);
    }

    async fn the_last_one_is_sold_once(app: TestApp) {
        for round in 0..8 {
            let mug = app.product(&format!("Mug {round}"), "24.00", 1).await;
            let pair = vec![
                with_cart(&app, &guest_with(&app, &mug, 1).await),
                with_cart(&app, &guest_with(&app, &mug, 1).await),
            ];
            assert_eq!(statuses(&place_all(pair).await), [201, 409]);
            assert_eq!(on_hand(&app, &mug).await, 0);
        }
        app.run_jobs().await;
    }

    async fn one_cart_placed_twenty_times_is_one_order(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 50).await;
        let ctx = guest_with(&app, &mug, 2).await;
        let replies = place_all(vec![with_cart(&app, &ctx); 20]).await;
        let mut expected = vec![200; 19];
        expected.push(201);
        assert_eq!(statuses(&replies), expected);
        let bodies: BTreeSet<&str> = replies.iter().map(|reply| reply.body.as_str()).collect();
        assert_eq!(bodies.len(), 1, "twenty equal answers: {bodies:?}");
        assert_eq!(orders(&app).await, 1);
        assert_eq!(on_hand(&app, &mug).await, 48);
        app.run_jobs().await;
        assert_eq!(app.letters().len(), 1);
    }

    async fn one_form_posted_twenty_times_is_one_order(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 50).await;
        let mut browser = app.browser();
        browser
            .post("/cart/items", &[("product_id", &mug.id.to_string())])
            .await
            .expect(200);
        let page = browser.get("/checkout").await.expect(200);
        let places = at_once(
            vec![(browser, page); 20],
            |(mut browser, page)| async move {
                let fields = [
                    ("email", "ada@example.com"),
                    ("shipping_address.name", "Ada Lovelace"),
                    ("shipping_address.line1", "Calle Mayor 1"),
                    ("shipping_address.postal_code", "28013"),
                    ("shipping_address.city", "Madrid"),
                    ("shipping_address.country", "ES"),
                ];
                browser
                    .submit(&page, "#checkout", &fields)
                    .await
                    .expect(200)
                    .path
            },
        );
        let places: BTreeSet<String> = places.await.into_iter().collect();
        assert_eq!(places.len(), 1, "{places:?}");
        assert_eq!(orders(&app).await, 1);
        assert_eq!(on_hand(&app, &mug).await, 49);
        app.run_jobs().await;
    }

    async fn an_accounts_cart_placed_twenty_times_is_one_order(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 50).await;
        let ada = app.customer("ada@example.com").await;
        let cart = carts::add_item(&app, &ada, some(&mug, 1)).await.unwrap();
        let asker = Ctx {
            cart_token: Some(cart.token),
            ..ada
        };
        let placed = at_once(vec![(app.clone(), asker); 20], |(app, ctx)| async move {
            checkout::place_order(&app, &ctx, ctx.cart_token.as_deref(), wish())
                .await
                .unwrap()
        });
        let placed = placed.await;
        assert_eq!(placed.iter().filter(|placed| !placed.replayed).count(), 1);
        assert!(placed.iter().all(|one| one.order == placed[0].order));
        assert_eq!(orders(&app).await, 1);
        app.run_jobs().await;
    }

    async fn one_key_twenty_times_is_one_answer(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 50).await;
        let ctx = guest_with(&app, &mug, 1).await;
        let client = with_cart(&app, &ctx).with("idempotency-key", "one");
        let mut replies = place_all(vec![client.clone(); 20]).await;
        let (answered, waiting): (Vec<Reply>, Vec<Reply>) = replies
            .drain(..)
            .partition(|reply| reply.status.as_u16() == 201);
        for reply in waiting {
            assert_eq!(reply.status.as_u16(), 409, "{}", reply.body);
            assert_eq!(reply.json()["code"], "request_in_progress");
        }
        let later = client.post("/api/orders", body()).await.expect(201);
        assert!(answered.iter().all(|reply| reply.body == later.body));
        let fresh = answered
            .iter()
            .filter(|reply| reply.header("idempotent-replayed").is_empty());
        assert_eq!(fresh.count(), 1, "only one of them did it");
        // A key of something that is no order, too: it is added once.
        let adding =
            with_cart(&app, &guest_with(&app, &mug, 1).await).with("idempotency-key", "two");
        let more = json!({"product_id": mug.id});
        at_once(
            vec![(adding.clone(), more); 20],
            |(client, more)| async move { client.post("/api/cart/items", more).await },
        )
        .await;
        assert_eq!(adding.get("/api/cart").await.json()["count"], 2);
        app.run_jobs().await;
    }

    async fn a_key_that_fails_for_a_while_is_never_held_by_nobody(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 1).await;
        let ctx = guest_with(&app, &mug, 1).await;
        let client = with_cart(&app, &ctx).with("idempotency-key", "one");
        let mut tx = app.db.begin().await.unwrap();
        zoco::inventory::service::take(&mut tx, &app.system(), &[(variant(&mug), 1)], "elsewhere")
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let replies = place_all(vec![client; 20]).await;
        for reply in replies {
            let code = reply.expect(409).json()["code"].clone();
            assert!(
                code == "out_of_stock" || code == "request_in_progress",
                "{code}"
            );
        }
    }

    async fn carts_in_opposite_order_do_not_lock_each_other_out(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 100).await;
        let vase = app.product("Bottle vase", "58.00", 100).await;
        let mut buyers = Vec::new();
        for number in 0..20 {
            let (first, second) = if number % 2 == 0 {
                (&mug, &vase)
            } else {
                (&vase, &mug)
            };
            let ctx = guest_with(&app, first, 1).await;
            carts::add_item(&app, &ctx, some(second, 2)).await.unwrap();
            buyers.push(with_cart(&app, &ctx));
        }
        assert_eq!(statuses(&place_all(buyers).await), [201; 20]);
        assert_eq!(on_hand(&app, &mug).await, 70);
        assert_eq!(on_hand(&app, &vase).await, 70);
        app.run_jobs().await;
    }

    async fn cancelling_while_staff_move_on_leaves_one_truth(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 100).await;
        let staff = app.staff("orders@example.com", &[Permission::Orders]).await;
        let mut kept = 0;
        for _ in 0..6 {
            let (guest, order) = guest_order(&app, &mug, 1).await;
            order_service::transition(&app, &staff, &order.number, OrderStatus::Confirmed)
                .await
                .unwrap();
            let works = vec![
                (app.clone(), guest.clone(), order.number.clone(), true),
                (app.clone(), staff.clone(), order.number.clone(), false),
            ];
            let results = at_once(works, |(app, ctx, number, cancels)| async move {
                if cancels {
                    order_service::cancel(&app, &ctx, &number).await
                } else {
                    order_service::transition(&app, &ctx, &number, OrderStatus::Processing).await
                }
            })
            .await;
            let late: Vec<bool> = results.into_iter().map(too_late).collect();
            let order = order_service::order(&app, &staff, &order.number)
                .await
                .unwrap();
            match late[..] {
                [false, true] => assert_eq!(order.status, OrderStatus::Cancelled),
                [true, false] => {
                    assert_eq!(order.status, OrderStatus::Processing);
                    kept += 1;
                }
                _ => panic!("one of both, not {late:?}"),
            }
        }
        assert_eq!(on_hand(&app, &mug).await, 100 - kept);
        app.run_jobs().await;
    }

    async fn two_cancels_give_the_stock_back_once(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 100).await;
        let staff = app.staff("orders@example.com", &[Permission::Orders]).await;
        let (guest, order) = guest_order(&app, &mug, 3).await;
        order_service::record_payment(&app, &staff, &order.number)
            .await
            .unwrap();
        let works = vec![(app.clone(), guest, order.number.clone()); 8];
        let results = at_once(works, |(app, ctx, number)| async move {
            order_service::cancel(&app, &ctx, &number).await
        })
        .await;
        let late = results
            .into_iter()
            .map(too_late)
            .filter(|late| *late)
            .count();
        assert_eq!(late, 7);
        assert_eq!(on_hand(&app, &mug).await, 100);
        let order = order_service::order(&app, &staff, &order.number)
            .await
            .unwrap();
        assert_eq!(order.payments[0].refunded, order.total, "once");
        assert_eq!(
            order
                .events
                .iter()
                .filter(|event| event.kind == "cancelled")
                .count(),
            1
        );
        app.run_jobs().await;
    }

    async fn money_that_comes_while_it_is_cancelled_goes_back_or_is_refused(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 100).await;
        let staff = app.staff("orders@example.com", &[Permission::Orders]).await;
        for _ in 0..6 {
            let (guest, order) = guest_order(&app, &mug, 1).await;
            let works = vec![
                (app.clone(), guest.clone(), order.number.clone(), true),
                (app.clone(), staff.clone(), order.number.clone(), false),
                (app.clone(), staff.clone(), order.number.clone(), false),
            ];
            let results = at_once(works, |(app, ctx, number, cancels)| async move {
                if cancels {
                    order_service::cancel(&app, &ctx, &number).await
                } else {
                    order_service::record_payment(&app, &ctx, &number).await
                }
            })
            .await;
            let late: Vec<bool> = results.into_iter().map(too_late).collect();
            assert!(late[1] || late[2], "the money came once at most");
            let order = order_service::order(&app, &staff, &order.number)
                .await
                .unwrap();
            let payment = &order.payments[0];
            if order.status == OrderStatus::Cancelled {
                assert_eq!(payment.captured, payment.refunded);
            } else {
                assert!(late[0]);
                assert_eq!(order.payment_status, PaymentStatus::Paid);
                assert!(payment.refunded.is_zero());
            }
        }
        on_hand(&app, &mug).await;
        app.run_jobs().await;
    }

    async fn parallel_adds_all_count_and_none_beyond_the_stock(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 12).await;
        let ctx = guest_with(&app, &mug, 1).await;
        let client = with_cart(&app, &ctx);
        let body = json!({"product_id": mug.id});
        let replies = at_once(vec![(client, body); 20], |(client, body)| async move {
            client.post("/api/cart/items", body).await
        })
        .await;
        let added = replies
            .iter()
            .filter(|reply| reply.status.is_success())
            .count();
        assert_eq!(added, 11);
        assert_eq!(carts::count(&app, &ctx).await.unwrap(), 12);
    }

    async fn an_account_gets_one_cart_however_many_devices_begin_it(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 90).await;
        let ada = app.customer("ada@example.com").await;
        let works = vec![(app.clone(), ada.clone(), some(&mug, 1)); 10];
        let added = at_once(works, |(app, ctx, item)| async move {
            carts::add_item(&app, &ctx, item).await.unwrap().id
        })
        .await;
        let made: BTreeSet<Option<i64>> = added.iter().map(|id| id.map(|CartId(id)| id)).collect();
        assert_eq!(made.len(), 1);
        assert_eq!(carts::count(&app, &ada).await.unwrap(), 10);
    }

    async fn a_guests_cart_is_merged_once(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 90).await;
        let ada = app.customer("ada@example.com").await;
        let guest = guest_with(&app, &mug, 4).await;
        let works = vec![(app.clone(), ada.clone(), guest.cart_token.unwrap()); 8];
        let merged = at_once(works, |(app, ctx, token)| async move {
            carts::merge_guest_cart(&app, &ctx, &token).await.unwrap()
        })
        .await;
        assert_eq!(merged.iter().sum::<i64>(), 1);
        assert_eq!(carts::count(&app, &ada).await.unwrap(), 4);
    }

    async fn what_is_added_while_the_cart_is_placed_is_in_the_order_or_in_a_new_cart(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 1000).await;
        let ada = app.customer("ada@example.com").await;
        for _ in 0..6 {
            carts::clear(&app, &ada).await.unwrap();
            let before = on_hand(&app, &mug).await;
            let cart = carts::add_item(&app, &ada, some(&mug, 1)).await.unwrap();
            let works: Vec<_> = (0..6)
                .map(|number| {
                    (
                        app.clone(),
                        ada.clone(),
                        cart.token.clone(),
                        some(&mug, 1),
                        number == 3,
                    )
                })
                .collect();
            let results = at_once(works, |(app, ctx, token, item, places)| async move {
                if places {
                    let placed = checkout::place_order(&app, &ctx, Some(&token), wish())
                        .await
                        .unwrap();
                    (placed.order.count(), 0)
                } else {
                    // One that finds its cart placed under its hands may be told to try again.
                    match carts::add_item(&app, &ctx, item).await {
                        Ok(_) => (0, 1),
                        Err(Error::Unavailable) => (0, 0),
                        Err(other) => panic!("{other}"),
                    }
                }
            })
            .await;
            let ordered: i64 = results.iter().map(|(ordered, _)| ordered).sum();
            let added: i64 = results.iter().map(|(_, added)| added).sum();
            assert_eq!(ordered + carts::count(&app, &ada).await.unwrap(), 1 + added);
            assert_eq!(on_hand(&app, &mug).await, before - ordered);
        }
        app.run_jobs().await;
    }

    async fn orders_of_one_shopper_at_once_are_all_there(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 100).await;
        let ada = app.customer("ada@example.com").await;
        let works = vec![(app.clone(), ada.clone(), mug.clone()); 4];
        // Each puts something in and orders; whose piece it was is nobody's matter.
        at_once(works, |(app, ctx, mug)| async move {
            carts::add_item(&app, &ctx, some(&mug, 1)).await.unwrap();
            match checkout::place_order(&app, &ctx, None, wish()).await {
                Ok(_)
                | Err(Error::Conflict {
                    code: "cart_empty", ..
                }) => {}
                Err(other) => panic!("{other}"),
            }
        })
        .await;
        let left = carts::count(&app, &ada).await.unwrap();
        assert_eq!(on_hand(&app, &mug).await, 100 - 4 + left);
        order_of(&app, &ada, &mug, 1).await;
        app.run_jobs().await;
    }
}
