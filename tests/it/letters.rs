//! The letters about an order, word by word, in both languages that the shop writes.

use zoco::catalog::Product;
use zoco::checkout::service::place_order;
use zoco::ctx::Ctx;
use zoco::mail::Letter;
use zoco::orders::service::{
    self as orders, CancelPieces, NewParcel, NewReturn, NewReturnLine, ParcelLine, Receipt,
    ReturnAnswer, ReturnRefund,
};
use zoco::orders::{Order, OrderStatus};
use zoco::payments::Behaviour;
use zoco::types::Locale;

use crate::cart::guest_with;
use crate::checkout::guest_order;
use crate::jobs::tidy;
use crate::payments::{decide, gateway, online, seen, wish_by};
use crate::support::{TestApp, both};

const LOCALES: [Locale; 2] = [Locale::English, Locale::Spanish];

/// The order of a guest who reads a language: two of a product, paid in some way.
async fn order_in(
    app: &TestApp,
    product: &Product,
    provider: &str,
    locale: Locale,
) -> (Ctx, Order) {
    let mut ctx = guest_with(app, product, 2).await;
    ctx.locale = locale;
    let token = ctx.cart_token.clone();
    let placed = place_order(app, &ctx, token.as_deref(), wish_by(provider))
        .await
        .unwrap();
    ctx.order_token = placed.guest_token.clone();
    (ctx, placed.order)
}

/// The letters about an order whose key begins so.
fn letters(app: &TestApp, order: &Order, key: &str) -> Vec<Letter> {
    let mut letters = app.letters();
    letters.retain(|one| one.key.starts_with(key) && one.key.ends_with(&order.number));
    letters
}

/// Compares the one letter about an order whose key begins so with what was read and found good.
fn reads_well(app: &TestApp, order: &Order, name: &str, key: &str) {
    let found = letters(app, order, key);
    let [letter] = found.as_slice() else {
        panic!("{} letters {key}", found.len());
    };
    assert_eq!(letter.to, order.email);
    let words = format!("{}\n\n{}", letter.subject, letter.text);
    let language = order.locale.as_str();
    insta::assert_snapshot!(format!("{name}_{language}"), tidy(&words, app, order));
    if order.locale == Locale::English {
        insta::assert_snapshot!(format!("{name}_html"), tidy(&letter.html, app, order));
    }
}

fn back(order: &Order) -> NewReturn {
    NewReturn {
        lines: Some(vec![NewReturnLine {
            line_id: order.lines[0].id.0,
            quantity: 1,
            reason: "damaged".to_owned(),
        }]),
        note: None,
    }
}

fn answer(to: &str, message: &str) -> ReturnAnswer {
    ReturnAnswer {
        to: to.to_owned(),
        message: message.to_owned(),
    }
}

both! {
    async fn of_an_order_that_is_paid_sent_and_comes_back(app: TestApp) {
        let mug = app.product("Everyday mug", "24.00", 20).await;
        let staff = app.system();
        for locale in LOCALES {
            let (guest, order) = order_in(&app, &mug, "bank_transfer", locale).await;
            let number = &order.number;
            orders::record_payment(&app, &staff, number).await.unwrap();
            app.run_jobs().await;
            reads_well(&app, &order, "paid", "order paid");

            orders::transition(&app, &staff, number, OrderStatus::Confirmed).await.unwrap();
            let first = NewParcel {
                lines: Some(vec![ParcelLine { line_id: order.lines[0].id.0, quantity: 1 }]),
                carrier: Some("dhl".to_owned()),
                tracking_number: Some("00340434161094042557".to_owned()),
                tracking_url: None,
            };
            orders::fulfil(&app, &staff, number, first).await.unwrap();
            app.run_jobs().await;
            reads_well(&app, &order, "sent_in_part", "order sent 1");
            orders::fulfil(&app, &staff, number, NewParcel::default()).await.unwrap();
            app.run_jobs().await;
            reads_well(&app, &order, "sent", "order sent 2");
            orders::transition(&app, &staff, number, OrderStatus::Delivered).await.unwrap();
            app.run_jobs().await;
            reads_well(&app, &order, "delivered", "order delivered");

            orders::request_return(&app, &guest, number, back(&order)).await.unwrap();
            orders::answer_return(&app, &staff, number, 1, &answer("approved", "To Calle Mayor 1, 28013 Madrid.")).await.unwrap();
            orders::receive_return(&app, &staff, number, 1, &Receipt::default()).await.unwrap();
            orders::refund_return(&app, &staff, number, 1, ReturnRefund::default()).await.unwrap();
            orders::request_return(&app, &guest, number, back(&order)).await.unwrap();
            orders::answer_return(&app, &staff, number, 2, &answer("rejected", "It was used.")).await.unwrap();
            orders::request_return(&app, &guest, number, back(&order)).await.unwrap();
            orders::cancel_return(&app, &guest, number, 3).await.unwrap();
            app.run_jobs().await;
            reads_well(&app, &order, "return_requested", "order return 1 requested");
            reads_well(&app, &order, "return_approved", "order return 1 approved");
            reads_well(&app, &order, "return_received", "order return 1 received");
            reads_well(&app, &order, "refunded", "order refunded");
            reads_well(&app, &order, "return_rejected", "order return 2 rejected");
            reads_well(&app, &order, "return_cancelled", "order return 3 cancelled");
            assert!(letters(&app, &order, "order return 1 refunded").is_empty(), "that is the refund's");
        }
    }

    async fn of_an_order_that_is_cancelled(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "24.00", 20).await;
        let staff = app.system();
        for locale in LOCALES {
            let (guest, order) = order_in(&app, &mug, "bank_transfer", locale).await;
            orders::cancel(&app, &guest, &order.number).await.unwrap();
            app.run_jobs().await;
            reads_well(&app, &order, "cancelled", "order cancelled");

            let (_, order) = order_in(&app, &mug, "bank_transfer", locale).await;
            orders::record_payment(&app, &staff, &order.number).await.unwrap();
            orders::cancel(&app, &staff, &order.number).await.unwrap();
            app.run_jobs().await;
            reads_well(&app, &order, "cancelled_paid", "order cancelled");

            // Of one that is sent in part, the rest.
            let (_, order) = order_in(&app, &mug, "bank_transfer", locale).await;
            orders::record_payment(&app, &staff, &order.number).await.unwrap();
            orders::transition(&app, &staff, &order.number, OrderStatus::Confirmed).await.unwrap();
            let one = Some(vec![ParcelLine { line_id: order.lines[0].id.0, quantity: 1 }]);
            let parcel = NewParcel { lines: one, ..NewParcel::default() };
            orders::fulfil(&app, &staff, &order.number, parcel).await.unwrap();
            let rest = CancelPieces { refund: true, reason: "It broke.".to_owned(), ..CancelPieces::default() };
            orders::cancel_pieces(&app, &staff, &order.number, rest).await.unwrap();
            app.run_jobs().await;
            reads_well(&app, &order, "pieces_cancelled", "order pieces cancelled 1");

            // Nobody pays, and the shop gives it up.
            let (_, order) = order_in(&app, &mug, "test", locale).await;
            app.run_jobs().await;
            app.clock.advance_seconds(61 * 60);
            orders::reconcile(&app).await.unwrap();
            app.run_jobs().await;
            reads_well(&app, &order, "cancelled_not_paid", "order cancelled");

            // It is paid when somebody else has the last ones.
            let rare = app.product(&format!("Rare mug in {}", locale.as_str()), "40.00", 2).await;
            let (_, order) = order_in(&app, &rare, "test", locale).await;
            app.run_jobs().await;
            app.clock.advance_seconds(16 * 60);
            zoco::inventory::service::sweep(&app).await.unwrap();
            guest_order(&app, &rare, 1).await;
            decide(&app, &order, Behaviour::Approve).await;
            app.run_jobs().await;
            assert_eq!(seen(&app, &order).await.status, OrderStatus::Cancelled);
            reads_well(&app, &order, "cancelled_sold_out", "order cancelled");
        }
    }

    async fn of_a_payment_that_failed(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "24.00", 20).await;
        let failed = "order payment failed";
        for locale in LOCALES {
            let (_, order) = order_in(&app, &mug, "test", locale).await;
            decide(&app, &order, Behaviour::Decline).await;
            app.run_jobs().await;
            reads_well(&app, &order, "payment_failed", failed);
        }
        // The link of a guest leads to another try.
        let (guest, order) = online(&app, &mug, 1).await;
        decide(&app, &order, Behaviour::Decline).await;
        let link = app.mailed_link("ada@example.com").await;
        assert_eq!(letters(&app, &order, failed).len(), 1);
        let mut browser = app.browser();
        let page = browser.get(&link).await.expect(200);
        let again = page.attributes("a.btn", "href");
        assert_eq!(again, [format!("/orders/{}/payment", order.number)]);
        assert_eq!(browser.get(&again[0]).await.expect(200).text("h1"), "The payment did not work");
        // Tried again with another card at once, they know; a week later they do not.
        for (seconds, expected) in [(60, 1), (7 * 24 * 3600, 2)] {
            let order = orders::pay(&app, &guest, &order.number, None).await.unwrap();
            app.clock.advance_seconds(seconds);
            decide(&app, &order, Behaviour::Decline).await;
            app.run_jobs().await;
            assert_eq!(letters(&app, &order, failed).len(), expected, "{seconds}");
        }
        let late = &letters(&app, &order, failed)[1];
        assert!(!late.text.contains("We hold"), "nothing is held any more: {}", late.text);
    }

    async fn of_a_payment_that_failed_comes_only_to_who_may_pay(app: TestApp) {
        let app = gateway(&app).await;
        let mug = app.product("Everyday mug", "24.00", 20).await;
        let failed = |order: &Order| letters(&app, order, "order payment failed").len();
        // Called off before the letter was written.
        let (guest, cancelled) = online(&app, &mug, 1).await;
        decide(&app, &cancelled, Behaviour::Decline).await;
        orders::sync(&app, cancelled.payments[0].id).await.unwrap();
        orders::cancel(&app, &guest, &cancelled.number).await.unwrap();
        // Tried again: one goes on, one is paid.
        let (guest, again) = online(&app, &mug, 1).await;
        decide(&app, &again, Behaviour::Decline).await;
        orders::sync(&app, again.payments[0].id).await.unwrap();
        orders::pay(&app, &guest, &again.number, None).await.unwrap();
        let (guest, paid) = online(&app, &mug, 1).await;
        decide(&app, &paid, Behaviour::Decline).await;
        orders::sync(&app, paid.payments[0].id).await.unwrap();
        let second = orders::pay(&app, &guest, &paid.number, None).await.unwrap();
        decide(&app, &second, Behaviour::Approve).await;
        orders::sync(&app, second.payments[1].id).await.unwrap();
        app.run_jobs().await;
        for order in [&cancelled, &again, &paid] {
            assert_eq!(failed(order), 0, "{}", order.status);
        }
        assert_eq!(letters(&app, &cancelled, "order cancelled").len(), 1);
        assert_eq!(letters(&app, &paid, "order paid").len(), 1);
    }
}
