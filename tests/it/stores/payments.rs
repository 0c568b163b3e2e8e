//! Every store function of payments, on both databases, and what the service makes of them.

use zoco::error::Error;
use zoco::payments::{Payment, PaymentState, service, store};
use zoco::types::{Money, OrderId, PaymentId};

use crate::checkout::guest_order;
use crate::support::{TestApp, both};

/// An order, and a second payment of it.
async fn payment(app: &TestApp) -> (OrderId, Payment) {
    let mug = app.product("Everyday mug", "24.00", 9).await;
    let (_, order) = guest_order(app, &mug, 1).await;
    app.run_jobs().await;
    let mut tx = app.db.begin().await.unwrap();
    let amount = Money::new(1000, app.currency());
    let payment = store::insert(
        &mut tx,
        order.id,
        "bank_transfer",
        amount,
        "REF",
        app.clock.now(),
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    (order.id, payment)
}

both! {
    async fn a_payment_is_captured_once(app: TestApp) {
        let now = app.clock.now();
        let (order, begun) = payment(&app).await;
        assert_eq!(
            (
                begun.state,
                begun.captured.minor(),
                begun.reference.as_str()
            ),
            (PaymentState::Pending, 0, "REF")
        );
        let mut tx = app.db.begin().await.unwrap();
        let captured = store::capture(&mut tx, begun.id, now)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (captured.state, captured.captured),
            (PaymentState::Captured, begun.amount)
        );
        assert_eq!(store::capture(&mut tx, begun.id, now).await.unwrap(), None);
        assert_eq!(
            store::by_id(&mut tx, begun.id).await.unwrap(),
            Some(captured.clone())
        );
        assert_eq!(store::by_id(&mut tx, PaymentId(4711)).await.unwrap(), None);
        let all = store::of_orders(&mut tx, &[order]).await.unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!(all[1], captured, "oldest first");
        assert!(store::of_orders(&mut tx, &[]).await.unwrap().is_empty());
    }

    async fn no_more_goes_back_than_came(app: TestApp) {
        let now = app.clock.now();
        let (_, begun) = payment(&app).await;
        let mut tx = app.db.begin().await.unwrap();
        assert_eq!(
            store::refund(&mut tx, begun.id, 1, now).await.unwrap(),
            None,
            "nothing came yet"
        );
        store::capture(&mut tx, begun.id, now).await.unwrap();
        assert_eq!(
            store::refund(&mut tx, begun.id, 1001, now).await.unwrap(),
            None
        );
        let refunded = store::refund(&mut tx, begun.id, 400, now)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (refunded.state, refunded.refunded.minor()),
            (PaymentState::Captured, 400)
        );
        assert_eq!(
            store::refund(&mut tx, begun.id, 601, now).await.unwrap(),
            None
        );
        let ended = store::cancel(&mut tx, begun.id, now)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (ended.state, ended.refunded),
            (PaymentState::Captured, ended.captured)
        );
        assert_eq!(store::cancel(&mut tx, begun.id, now).await.unwrap(), None);
    }

    async fn what_did_not_come_is_voided(app: TestApp) {
        let now = app.clock.now();
        let (_, begun) = payment(&app).await;
        let mut tx = app.db.begin().await.unwrap();
        let voided = store::cancel(&mut tx, begun.id, now)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (voided.state, voided.refunded.minor()),
            (PaymentState::Voided, 0)
        );
        assert_eq!(store::capture(&mut tx, begun.id, now).await.unwrap(), None);
        assert_eq!(store::cancel(&mut tx, begun.id, now).await.unwrap(), None);
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
            let refused = service::refund(&mut tx, &ctx, begun.id, amount)
                .await
                .unwrap_err();
            assert!(matches!(refused, Error::Invalid(_)));
        }
        let refused = service::refund(&mut tx, &ctx, begun.id, euros(1))
            .await
            .unwrap_err();
        assert_eq!(conflict(refused), "refund_too_large");
        service::capture(&mut tx, &ctx, begun.id).await.unwrap();
        assert_eq!(
            conflict(service::capture(&mut tx, &ctx, begun.id).await.unwrap_err()),
            "not_pending"
        );
        assert_eq!(
            service::refund(&mut tx, &ctx, begun.id, euros(400))
                .await
                .unwrap()
                .refunded
                .minor(),
            400
        );
        let ended = service::cancel(&mut tx, &ctx, begun.id).await.unwrap();
        assert_eq!(
            service::cancel(&mut tx, &ctx, begun.id).await.unwrap(),
            ended,
            "over is over"
        );
        for id in [PaymentId(4711)] {
            assert!(matches!(
                service::capture(&mut tx, &ctx, id).await,
                Err(Error::NotFound)
            ));
            assert!(matches!(
                service::cancel(&mut tx, &ctx, id).await,
                Err(Error::NotFound)
            ));
            assert!(matches!(
                service::refund(&mut tx, &ctx, id, euros(1)).await,
                Err(Error::NotFound)
            ));
        }
        for state in <PaymentState as zoco::types::TextEnum>::ALL {
            assert!(!state.in_words().is_empty());
        }
    }
}
