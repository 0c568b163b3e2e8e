//! Every store function of payments, on both databases, and what the service makes of them.

use zoco::error::Error;
use zoco::payments::model::{EventState, GatewayEvent, NewPayment, TestPayment};
use zoco::payments::{
    OperationKind, OperationState, Payment, PaymentFilter, PaymentState, Unmatched, service, store,
};
use zoco::types::{Money, OperationId, OrderId, PageRequest, PaymentEventId, PaymentId, Timestamp};

use crate::checkout::guest_order;
use crate::support::{TestApp, both};

/// An order, and a second payment of it.
async fn payment(app: &TestApp) -> (OrderId, Payment) {
    let mug = app.product("Everyday mug", "24.00", 9).await;
    let (_, order) = guest_order(app, &mug, 1).await;
    app.run_jobs().await;
    let mut tx = app.db.begin().await.unwrap();
    let new = NewPayment {
        order_id: order.id,
        provider: "stripe",
        amount: Money::new(1000, app.currency()),
        reference: "REF",
        settles: false,
        next_check_at: None,
        credit_account: None,
    };
    let payment = store::insert(&mut tx, &new, app.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    (order.id, payment)
}

/// The same, with ten that came.
async fn captured(app: &TestApp) -> Payment {
    let (_, mut payment) = payment(app).await;
    payment.state = PaymentState::Captured;
    payment.captured = payment.amount;
    save(app, &payment).await;
    payment
}

async fn save(app: &TestApp, payment: &Payment) {
    let mut tx = app.db.begin().await.unwrap();
    store::save(&mut tx, payment, app.clock.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

fn event(id: &str) -> GatewayEvent {
    GatewayEvent {
        id: id.to_owned(),
        kind: "payment.succeeded".to_owned(),
        references: vec!["cs_1".to_owned(), "pi_1".to_owned()],
        begun_as: None,
        payment_id: None,
        order_number: String::new(),
    }
}

both! {
    async fn a_payment_is_written_and_read_whole(app: TestApp) {
        let now = app.clock.now();
        let (order, begun) = payment(&app).await;
        assert_eq!(
            (begun.state, begun.captured.minor(), begun.reference.as_str(), begun.settled_at, begun.version),
            (PaymentState::Pending, 0, "REF", None, 0)
        );
        let dollars = |minor| Money::new(minor, "USD".parse().unwrap());
        let changed = Payment {
            state: PaymentState::Captured,
            captured: dollars(1200),
            refunded: dollars(200),
            gateway_reference: Some("cs_1".to_owned()),
            charge_reference: Some("pi_1".to_owned()),
            pay_url: "https://pay.example/1".to_owned(),
            failure: "The bank said no.".to_owned(),
            unmatched: Some(Unmatched::CurrencyDiffers),
            settled_at: Some(now),
            version: 1,
            ..begun.clone()
        };
        save(&app, &changed).await;
        let mut tx = app.db.begin().await.unwrap();
        assert_eq!(store::by_id(&mut tx, begun.id).await.unwrap(), Some(changed.clone()));
        assert_eq!(store::by_id(&mut tx, PaymentId(4711)).await.unwrap(), None);
        let ids = [begun.id, PaymentId(4711)];
        assert_eq!(store::by_ids(&mut tx, &ids).await.unwrap(), std::slice::from_ref(&changed));
        for (provider, name, found) in [
            ("stripe", "cs_1", true),
            ("stripe", "pi_1", true),
            ("stripe", "pi_2", false),
            ("test", "cs_1", false),
        ] {
            let names = [name.to_owned(), "other".to_owned()];
            let payment = store::by_reference(&mut tx, provider, &names).await.unwrap();
            assert_eq!(payment.is_some(), found, "{provider} {name}");
        }
        assert_eq!(store::by_reference(&mut tx, "stripe", &[]).await.unwrap(), None);
        let all = store::of_orders(&mut tx, &[order]).await.unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!(all[1], changed, "oldest first");
        assert!(all[0].settled_at.is_some(), "cash takes the stock at once");
        assert!(store::of_orders(&mut tx, &[]).await.unwrap().is_empty());
        let mut states = store::count_by_state(&mut tx).await.unwrap();
        states.sort();
        assert_eq!(states, [("captured".to_owned(), 1), ("pending".to_owned(), 1)]);
    }

    async fn payments_are_listed_newest_first(app: TestApp) {
        let (_, second) = payment(&app).await;
        let mut conn = app.db.conn().await.unwrap();
        let page = PageRequest::default();
        let none = PaymentFilter::default();
        for (filter, count) in [
            (none.clone(), 2),
            (PaymentFilter { state: Some(PaymentState::Pending), ..none.clone() }, 2),
            (PaymentFilter { state: Some(PaymentState::Failed), ..none.clone() }, 0),
            (PaymentFilter { provider: "stripe".to_owned(), ..none.clone() }, 1),
            (PaymentFilter { reference: "REF".to_owned(), ..none.clone() }, 1),
            (PaymentFilter { reference: "OTHER".to_owned(), ..none.clone() }, 0),
        ] {
            let found = store::list(&mut conn, &filter, page).await.unwrap();
            assert_eq!((found.total, found.items.len()), (count, count as usize), "{filter:?}");
            if count > 0 {
                assert_eq!(found.items[0].id, second.id);
            }
        }
    }

    async fn what_is_due_is_found(app: TestApp) {
        let now = app.clock.now();
        let (_, begun) = payment(&app).await;
        let mut tx = app.db.begin().await.unwrap();
        assert!(store::due(&mut tx, now, 9).await.unwrap().is_empty());
        store::check_at(&mut tx, begun.id, Some(now)).await.unwrap();
        let due = store::due(&mut tx, now, 9).await.unwrap();
        assert_eq!((due.len(), due[0].version), (1, begun.version), "no change of the payment");
        assert!(store::due(&mut tx, now.plus_seconds(-1), 9).await.unwrap().is_empty());
        store::check_at(&mut tx, begun.id, None).await.unwrap();
        assert!(store::due(&mut tx, now, 9).await.unwrap().is_empty());
    }

    async fn money_that_belongs_to_no_order_is_found_until_it_went_back(app: TestApp) {
        let mut stray = captured(&app).await;
        let found = async |returned| {
            let mut conn = app.db.conn().await.unwrap();
            let found = store::unmatched(&mut conn, returned, 9).await.unwrap();
            (found.len(), store::count_unmatched(&mut conn).await.unwrap())
        };
        assert_eq!((found(false).await, found(true).await), ((0, 0), (0, 0)));
        stray.unmatched = Some(Unmatched::PaidTwice);
        save(&app, &stray).await;
        assert!(stray.is_stray());
        assert_eq!((found(false).await, found(true).await), ((1, 1), (0, 1)));
        stray.refunded = stray.captured;
        save(&app, &stray).await;
        assert!(!stray.is_stray());
        assert_eq!((found(false).await, found(true).await), ((0, 0), (1, 0)));
        stray.state = PaymentState::Authorized;
        save(&app, &stray).await;
        assert!(stray.is_stray());
        assert_eq!((found(false).await, found(true).await), ((1, 1), (0, 1)));
    }

    async fn an_operation_ends_once(app: TestApp) {
        let now = app.clock.now();
        let payment = captured(&app).await;
        let five = Money::new(500, app.currency());
        let mut tx = app.db.begin().await.unwrap();
        let refund = OperationKind::Refund;
        let id = store::insert_operation(&mut tx, payment.id, refund, five, None, "key", now).await.unwrap();
        let found = store::operation(&mut tx, id).await.unwrap().unwrap();
        assert_eq!(
            (found.kind, found.amount, found.state, found.attempts, found.idempotency_key.as_str()),
            (refund, five, OperationState::Requested, 0, "key")
        );
        assert_eq!(store::operation(&mut tx, OperationId(4711)).await.unwrap(), None);
        assert!(store::requested_before(&mut tx, now.plus_seconds(-1), 9).await.unwrap().is_empty());
        assert_eq!(store::requested_before(&mut tx, now, 9).await.unwrap().len(), 1);
        store::note_attempt(&mut tx, id, now.plus_seconds(5)).await.unwrap();
        assert!(store::requested_before(&mut tx, now, 9).await.unwrap().is_empty());
        assert!(store::fail_operation(&mut tx, id, "later", false, now).await.unwrap());
        let found = store::operation(&mut tx, id).await.unwrap().unwrap();
        assert_eq!((found.state, found.error.as_str(), found.attempts), (OperationState::Requested, "later", 1));
        assert_eq!(service::still_refundable(&payment, &[found]).minor(), 500, "what is on its way is gone");
        assert!(store::succeed_operation(&mut tx, id, "re_1", now).await.unwrap());
        assert!(!store::succeed_operation(&mut tx, id, "re_2", now).await.unwrap());
        assert!(!store::fail_operation(&mut tx, id, "no", true, now).await.unwrap());
        let found = store::operations_of(&mut tx, &[payment.id]).await.unwrap();
        assert_eq!((found[0].state, found[0].gateway_reference.as_str()), (OperationState::Succeeded, "re_1"));
        assert!(store::operations_of_refund(&mut tx, zoco::types::RefundId(1)).await.unwrap().is_empty());
        assert!(store::refused_operations(&mut tx, 9).await.unwrap().is_empty());
        let id = store::insert_operation(&mut tx, payment.id, refund, five, None, "other", now).await.unwrap();
        assert!(store::fail_operation(&mut tx, id, "no", true, now).await.unwrap());
        assert_eq!(store::refused_operations(&mut tx, 9).await.unwrap()[0].error, "no");
        // One that was asked for before the answer came is no second try.
        let early = now.plus_seconds(-1);
        store::insert_operation(&mut tx, payment.id, refund, five, None, "early", early).await.unwrap();
        assert_eq!(store::refused_operations(&mut tx, 9).await.unwrap().len(), 1);
        let third = store::insert_operation(&mut tx, payment.id, refund, five, None, "third", now).await.unwrap();
        assert!(store::refused_operations(&mut tx, 9).await.unwrap().is_empty(), "it is tried again");
        assert!(store::fail_operation(&mut tx, third, "no again", true, now).await.unwrap());
        assert_eq!(store::refused_operations(&mut tx, 9).await.unwrap().len(), 2, "in vain");
    }

    async fn refunds_that_do_not_add_up_are_found(app: TestApp) {
        let mut payment = captured(&app).await;
        payment.gateway_reference = Some("cs_1".to_owned());
        payment.refunded = Money::new(300, app.currency());
        save(&app, &payment).await;
        let now = app.clock.now();
        let mut tx = app.db.begin().await.unwrap();
        let found = store::imbalances(&mut tx).await.unwrap();
        assert_eq!((found.len(), found[0].refunded, found[0].operations), (1, 300, 0));
        let kind = OperationKind::Refund;
        let amount = payment.refunded;
        let id = store::insert_operation(&mut tx, payment.id, kind, amount, None, "key", now).await.unwrap();
        store::succeed_operation(&mut tx, id, "", now).await.unwrap();
        assert!(store::imbalances(&mut tx).await.unwrap().is_empty());
    }

    async fn an_event_comes_into_the_inbox_once(app: TestApp) {
        let now = app.clock.now();
        let (_, payment) = payment(&app).await;
        let mut tx = app.db.begin().await.unwrap();
        let id = store::insert_event(&mut tx, "stripe", &event("evt_1"), "{}", now).await.unwrap().unwrap();
        assert_eq!(store::insert_event(&mut tx, "stripe", &event("evt_1"), "{ }", now).await.unwrap(), None);
        assert!(store::insert_event(&mut tx, "test", &event("evt_1"), "{}", now).await.unwrap().is_some());
        let found = store::event_by_id(&mut tx, id).await.unwrap().unwrap();
        assert_eq!(
            (found.state, found.payload.as_str(), found.reference.as_str(), found.payment_id),
            (EventState::Received, "{}", "cs_1", None)
        );
        assert_eq!(store::event_by_id(&mut tx, PaymentEventId(4711)).await.unwrap(), None);
        assert_eq!(store::waiting_events(&mut tx, now, 9).await.unwrap().len(), 2);
        assert!(store::waiting_events(&mut tx, now.plus_seconds(-1), 9).await.unwrap().is_empty());
        let unknown = EventState::Unknown;
        store::finish_event(&mut tx, id, Some(payment.id), unknown, "why", now).await.unwrap();
        assert_eq!(store::waiting_events(&mut tx, now, 9).await.unwrap().len(), 1);
        let found = store::unknown_events(&mut tx, 9).await.unwrap();
        assert_eq!((found.len(), found[0].outcome.as_str(), found[0].payment_id), (1, "why", Some(payment.id)));
    }

    async fn the_test_gateway_keeps_books_of_its_own(app: TestApp) {
        let now = app.clock.now();
        let new = TestPayment {
            reference: "test_1".to_owned(),
            order_number: "AAAA".to_owned(),
            amount: Money::new(1000, app.currency()),
            approved: None,
            captured: 0,
            refunded: 0,
            takes_at_once: true,
            state: PaymentState::Pending,
            next: None,
            failure: String::new(),
        };
        let mut tx = app.db.begin().await.unwrap();
        assert_eq!(store::expect_test_payment(&mut tx, "key", &new, now).await.unwrap(), new);
        let other = TestPayment { reference: "test_2".to_owned(), ..new.clone() };
        assert_eq!(store::expect_test_payment(&mut tx, "key", &other, now).await.unwrap(), new, "one for a key");
        let changed = TestPayment {
            approved: Some(Money::new(900, "USD".parse().unwrap())),
            captured: 900,
            refunded: 100,
            state: PaymentState::Captured,
            next: Some((PaymentState::Failed, Timestamp(5))),
            failure: "no".to_owned(),
            ..new
        };
        store::save_test_payment(&mut tx, &changed).await.unwrap();
        assert_eq!(store::test_payment(&mut tx, "test_1").await.unwrap(), Some(changed.clone()));
        assert_eq!(store::lock_test_payment(&mut tx, "test_1").await.unwrap(), Some(changed));
        assert_eq!(store::lock_test_payment(&mut tx, "test_2").await.unwrap(), None);
        assert_eq!(store::test_call(&mut tx, "k").await.unwrap(), None);
        assert!(store::note_test_call(&mut tx, "k", "test_1", "refund", 7, now).await.unwrap());
        assert!(!store::note_test_call(&mut tx, "k", "test_1", "refund", 8, now).await.unwrap());
        let call = store::test_call(&mut tx, "k").await.unwrap();
        assert_eq!(call, Some(("test_1".to_owned(), "refund".to_owned(), 7)));
    }

    async fn the_service_says_why_not(app: TestApp) {
        let ctx = app.system();
        let (_, begun) = payment(&app).await;
        let mut tx = app.db.begin().await.unwrap();
        let conflict = |error: Error| match error {
            Error::Conflict { code, .. } => code,
            other => panic!("{other}"),
        };
        let euros = |minor| Money::new(minor, app.currency());
        for amount in [euros(0), euros(-1), Money::new(1, "USD".parse().unwrap())] {
            let refused = service::refund(&mut tx, &app, &ctx, begun.id, amount, None)
                .await
                .unwrap_err();
            assert!(matches!(refused, Error::Invalid(_)));
        }
        let refused = service::refund(&mut tx, &app, &ctx, begun.id, euros(1), None)
            .await
            .unwrap_err();
        assert_eq!(conflict(refused), "refund_too_large");
        service::capture(&mut tx, &ctx, begun.id).await.unwrap();
        assert_eq!(
            conflict(service::capture(&mut tx, &ctx, begun.id).await.unwrap_err()),
            "not_pending"
        );
        let refunded = service::refund(&mut tx, &app, &ctx, begun.id, euros(400), None).await.unwrap();
        assert_eq!(refunded.refunded.minor(), 400, "by hand it is done at once");
        assert_eq!(service::refundable(&mut tx, &refunded).await.unwrap().minor(), 600);
        let refused = service::refund(&mut tx, &app, &ctx, begun.id, euros(601), None).await.unwrap_err();
        assert_eq!(conflict(refused), "refund_too_large");
        let over = service::void(&mut tx, &ctx, begun.id).await.unwrap();
        assert_eq!(over.state, PaymentState::Captured, "over is over");
        let unknown = PaymentId(4711);
        assert!(matches!(service::capture(&mut tx, &ctx, unknown).await, Err(Error::NotFound)));
        assert!(matches!(service::void(&mut tx, &ctx, unknown).await, Err(Error::NotFound)));
        let refused = service::refund(&mut tx, &app, &ctx, unknown, euros(1), None).await;
        assert!(matches!(refused, Err(Error::NotFound)));
        for state in <PaymentState as zoco::types::TextEnum>::ALL {
            assert!(!state.in_words().is_empty());
        }
        for reason in <Unmatched as zoco::types::TextEnum>::ALL {
            assert!(!reason.in_words().is_empty());
        }
    }
}
