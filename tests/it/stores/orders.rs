//! Every store function of orders, on both databases.

use zoco::addresses::PostalAddress;
use zoco::ctx::Ctx;
use zoco::db::query::{self, Sql};
use zoco::orders::model::{Missent, OrderImbalance, Overrefunded, Oversent, RefundImbalance};
use zoco::orders::store::{self, Head};
use zoco::orders::{
    Address, FulfilmentLine, FulfilmentState, FulfilmentStatus, InvoiceKind, NewInvoice, NewOrder,
    NewOrderLine, OrderFilter, OrderStatus, PaymentStatus, Refund, RefundLine, RefundState,
    ReturnLine, ReturnReason, ReturnState, Statuses, Tracking,
};
use zoco::pricing::{Applied, Quote, QuoteLine, TaxShare, TraceStep};
use zoco::types::{
    CartId, Email, Locale, Money, OrderId, PageRequest, ProductId, PromotionId, RefundId, TaxRate,
    Timestamp, UserId, VariantId,
};

use crate::support::{TestApp, both};

/// A cart to make an order of; the store asks for no more than its id.
async fn cart(app: &TestApp, token: &str, user: Option<UserId>) -> CartId {
    let mut tx = app.db.begin().await.unwrap();
    let now = app.clock.now();
    zoco::cart::store::insert(&mut tx, token, user, now)
        .await
        .unwrap();
    let row = zoco::cart::store::by_token(&mut tx, token)
        .await
        .unwrap()
        .unwrap();
    let ended = zoco::cart::store::CartStatus::Ordered;
    zoco::cart::store::end(&mut tx, row.id, ended, now)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    row.id
}

fn order(app: &TestApp, number: &str, cart_id: CartId, user_id: Option<UserId>) -> NewOrder {
    let euros = |minor| Money::new(minor, app.currency());
    let line = |variant: i64, variant_name: &str| NewOrderLine {
        product_id: ProductId(1),
        sku: format!("SKU-{variant}"),
        name: "Everyday mug".to_owned(),
        variant_name: variant_name.to_owned(),
        image_key: "key".to_owned(),
        priced: QuoteLine {
            variant_id: VariantId(variant),
            quantity: 2,
            unit_price: euros(2400),
            subtotal: euros(4800),
            line_discount: euros(0),
            order_discount: euros(0),
            tax_rate: TaxRate::plain(2100),
            tax: euros(833),
            total: euros(4800),
        },
    };
    let lines = vec![line(7, "Oat"), line(3, "")];
    NewOrder {
        number: number.to_owned(),
        cart_id,
        credits: Vec::new(),
        remaining: euros(10090),
        user_id,
        by_staff: false,
        pay_until: None,
        locale: Locale::Spanish,
        email: Email::parse("ada@example.com").unwrap(),
        quote: Quote {
            lines: lines.iter().map(|line| line.priced.clone()).collect(),
            subtotal: euros(9600),
            discount: euros(0),
            shipping_discount: euros(0),
            shipping: euros(490),
            shipping_tax: euros(85),
            shipping_known: true,
            tax: euros(1751),
            taxes: vec![TaxShare {
                rate: TaxRate::plain(2100),
                net: euros(8339),
                tax: euros(1751),
            }],
            total: euros(10090),
            prices_include_tax: true,
            applied: vec![Applied {
                id: PromotionId(4),
                name: "Spring".to_owned(),
                code: Some("SPRING".to_owned()),
                amount: euros(0),
            }],
            refused: Vec::new(),
            trace: vec![TraceStep {
                text: "Total".to_owned(),
                amount: euros(10090),
            }],
        },
        lines,
        shipping_method: "standard".to_owned(),
        shipping_method_name: "Standard delivery".to_owned(),
        shipping_address: Address::Fields(PostalAddress {
            name: "Ada Lovelace".to_owned(),
            line1: "Calle Mayor 1".to_owned(),
            city: "Madrid".to_owned(),
            postal_code: "28013".to_owned(),
            country: "ES".to_owned(),
            ..PostalAddress::default()
        }),
        billing_address: None,
        note: "Ring twice".to_owned(),
        provider: "bank_transfer".to_owned(),
    }
}

async fn insert(app: &TestApp, order: &NewOrder, at: Timestamp) -> OrderId {
    let mut tx = app.db.begin().await.unwrap();
    let id = store::insert(&mut tx, order, Some("hash"), at)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    id
}

both! {
    async fn an_order_is_read_as_it_was_written(app: TestApp) {
        let now = app.clock.now();
        let mut new = order(&app, "AAAA-BBBB-CCCC", cart(&app, "c", None).await, None);
        new.billing_address = Some(Address::Text("Box 12\nLondon".to_owned()));
        let id = insert(&app, &new, now).await;
        let mut conn = app.db.conn().await.unwrap();
        let head = store::by_number(&mut conn, "AAAA-BBBB-CCCC")
            .await
            .unwrap()
            .unwrap();
        let read = &head.order;
        assert_eq!(head.guest_token_hash.as_deref(), Some("hash"));
        assert_eq!(read.locale, Locale::Spanish);
        assert_eq!(
            (read.id, read.cart_id, read.user_id),
            (id, new.cart_id, None)
        );
        assert_eq!(
            (read.total, read.tax, read.shipping, read.subtotal),
            (new.quote.total, new.quote.tax, new.quote.shipping, new.quote.subtotal)
        );
        assert_eq!(
            (&read.shipping_address, &read.billing_address),
            (&new.shipping_address, &new.billing_address)
        );
        assert_eq!(
            (&read.price_trace, &read.note, &read.email),
            (&new.quote.trace, &new.note, &new.email)
        );
        assert_eq!(
            (read.statuses(), read.placed_at, read.updated_at),
            (Statuses::NEW, now, now)
        );
        let of_cart = store::of_cart(&mut conn, new.cart_id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(of_cart.order, head.order);
        assert!(store::by_number(&mut conn, "NONE").await.unwrap().is_none());
        assert!(
            store::of_cart(&mut conn, CartId(4711))
                .await
                .unwrap()
                .is_none()
        );

        let lines = store::lines(&mut conn, id, app.currency()).await.unwrap();
        let variants: Vec<i64> = lines.iter().map(|line| line.variant_id.0).collect();
        assert_eq!(variants, [7, 3], "in the order of the cart");
        assert_eq!(
            (lines[0].label().as_str(), lines[1].label().as_str()),
            ("Everyday mug, Oat", "Everyday mug")
        );
        assert_eq!(
            (
                lines[0].quantity,
                lines[0].tax.minor(),
                lines[0].image_key.as_str()
            ),
            (2, 833, "key")
        );
        drop(conn);
        // The number and the cart are unique.
        let mut tx = app.db.begin().await.unwrap();
        let taken = store::insert(&mut tx, &new, None, now).await.unwrap_err();
        assert!(taken.is_unique());
    }

    async fn statuses_change_only_from_what_was_seen(app: TestApp) {
        let now = app.clock.now();
        let later = now.plus_seconds(60);
        let new = order(&app, "A", cart(&app, "c", None).await, None);
        let id = insert(&app, &new, now).await;
        let paid = Statuses {
            payment: PaymentStatus::Paid,
            ..Statuses::NEW
        };
        let mut tx = app.db.begin().await.unwrap();
        assert!(
            store::set_statuses(&mut tx, id, Statuses::NEW, paid, later)
                .await
                .unwrap()
        );
        assert!(
            !store::set_statuses(&mut tx, id, Statuses::NEW, paid, later)
                .await
                .unwrap()
        );
        let read = store::by_number(&mut tx, "A").await.unwrap().unwrap().order;
        assert_eq!(
            (read.statuses(), read.updated_at, read.placed_at),
            (paid, later, now)
        );
    }

    async fn the_timeline_is_read_oldest_first(app: TestApp) {
        let now = app.clock.now();
        let ada = app.customer("ada@example.com").await;
        let id = insert(
            &app,
            &order(&app, "A", cart(&app, "c", None).await, None),
            now,
        )
        .await;
        let mut tx = app.db.begin().await.unwrap();
        store::insert_event(&mut tx, id, "placed", "Order placed", (None, "Guest"), now)
            .await
            .unwrap();
        store::insert_event(&mut tx, id, "cancelled", "", (ada.user_id(), "Ada"), now)
            .await
            .unwrap();
        let events = store::events(&mut tx, id).await.unwrap();
        let told: Vec<(&str, &str, &str)> = events
            .iter()
            .map(|event| (&*event.kind, &*event.detail, &*event.actor_name))
            .collect();
        assert_eq!(
            told,
            [
                ("placed", "Order placed", "Guest"),
                ("cancelled", "", "Ada")
            ]
        );
        assert_eq!(events[0].created_at, now);
        assert!(
            store::events(&mut tx, OrderId(4711))
                .await
                .unwrap()
                .is_empty()
        );
    }

    async fn lists_are_narrowed_and_paged(app: TestApp) {
        let now = app.clock.now();
        let ada: Ctx = app.customer("ada@example.com").await;
        let ada = ada.user_id();
        let mut first = order(&app, "K7QM-3XWT-9RPA", cart(&app, "c1", ada).await, ada);
        first.shipping_address = Address::Text("Señor Ñandú\n123 Main St".to_owned());
        let second = order(&app, "AAAA-AAAA-AAAA", cart(&app, "c2", None).await, None);
        let id = insert(&app, &first, now).await;
        insert(&app, &second, now.plus_seconds(1)).await;
        let confirmed = Statuses {
            order: OrderStatus::Confirmed,
            payment: PaymentStatus::Paid,
            fulfilment: FulfilmentStatus::Partial,
        };
        let mut tx = app.db.begin().await.unwrap();
        store::set_statuses(&mut tx, id, Statuses::NEW, confirmed, now)
            .await
            .unwrap();
        tx.commit().await.unwrap();

        let mut conn = app.db.conn().await.unwrap();
        let all = PageRequest::default();
        let page = store::list(&mut conn, None, &OrderFilter::default(), all)
            .await
            .unwrap();
        assert_eq!(
            (page.total, page.items[0].number.as_str()),
            (2, "AAAA-AAAA-AAAA")
        );
        assert_eq!(
            (page.items[1].count, page.items[1].customer.as_str()),
            (4, "Señor Ñandú")
        );
        let page = store::list(
            &mut conn,
            None,
            &OrderFilter::default(),
            PageRequest::new(2, 1),
        )
        .await
        .unwrap();
        assert_eq!(
            (page.total, page.items.len(), page.items[0].number.as_str()),
            (2, 1, "K7QM-3XWT-9RPA")
        );
        assert_eq!(
            store::list(&mut conn, ada, &OrderFilter::default(), all)
                .await
                .unwrap()
                .total,
            1
        );
        for (filter, found) in [
            (
                OrderFilter {
                    search: "nandu".to_owned(),
                    ..OrderFilter::default()
                },
                1,
            ),
            (
                OrderFilter {
                    search: "k7qm3xwt".to_owned(),
                    ..OrderFilter::default()
                },
                1,
            ),
            (
                OrderFilter {
                    search: "K7QM-3XWT".to_owned(),
                    ..OrderFilter::default()
                },
                1,
            ),
            (
                OrderFilter {
                    search: "ada@example.com".to_owned(),
                    ..OrderFilter::default()
                },
                2,
            ),
            (
                OrderFilter {
                    search: "  ".to_owned(),
                    ..OrderFilter::default()
                },
                2,
            ),
            (
                OrderFilter {
                    search: "%".to_owned(),
                    ..OrderFilter::default()
                },
                0,
            ),
            (
                OrderFilter {
                    status: Some(OrderStatus::Confirmed),
                    ..OrderFilter::default()
                },
                1,
            ),
            (
                OrderFilter {
                    payment_status: Some(PaymentStatus::Unpaid),
                    ..OrderFilter::default()
                },
                1,
            ),
            (
                OrderFilter {
                    fulfilment_status: Some(FulfilmentStatus::Fulfilled),
                    ..OrderFilter::default()
                },
                0,
            ),
        ] {
            let page = store::list(&mut conn, None, &filter, all).await.unwrap();
            assert_eq!(
                (page.total, page.items.len()),
                (found, found as usize),
                "{filter:?}"
            );
        }
        let newest = store::newest_of_user(&mut conn, ada.unwrap())
            .await
            .unwrap();
        assert_eq!(newest.map(|Head { order, .. }| order.id), Some(id));
        assert!(
            store::newest_of_user(&mut conn, UserId(4711))
                .await
                .unwrap()
                .is_none()
        );
        let waiting = store::waiting(&mut conn).await.unwrap();
        assert_eq!((waiting.pending, waiting.unpaid), (1, 1));
    }

    async fn refunds_are_kept_with_their_lines(app: TestApp) {
        let now = app.clock.now();
        let new = order(&app, "A", cart(&app, "c", None).await, None);
        let id = insert(&app, &new, now).await;
        let mut tx = app.db.begin().await.unwrap();
        assert_eq!(store::by_id(&mut tx, id).await.unwrap().unwrap().order.number, "A");
        assert!(store::by_id(&mut tx, OrderId(4711)).await.unwrap().is_none());
        assert!(store::refunds(&mut tx, id).await.unwrap().is_empty());
        let euros = |minor| Money::new(minor, app.currency());
        let lines = store::lines(&mut tx, id, app.currency()).await.unwrap();
        let refund = Refund {
            id: RefundId(0),
            amount: euros(2890),
            shipping: euros(490),
            state: RefundState::Requested,
            reason: "A scratch".to_owned(),
            actor_name: "Ada".to_owned(),
            lines: vec![RefundLine {
                line_id: lines[0].id,
                quantity: 1,
                amount: euros(2400),
                restocked: true,
            }],
            created_at: now,
            updated_at: now,
        };
        let first = store::insert_refund(&mut tx, id, &refund, now).await.unwrap();
        let free = Refund { lines: Vec::new(), ..refund.clone() };
        let second = store::insert_refund(&mut tx, id, &free, now).await.unwrap();
        store::end_refund(&mut tx, second, RefundState::Failed, now).await.unwrap();
        let found = store::refunds(&mut tx, id).await.unwrap();
        let second = Refund { id: second, state: RefundState::Failed, ..free };
        // No payment knows of the one that stands.
        let (number, back) = ("A".to_owned(), refund.amount);
        let uneven = RefundImbalance { number: number.clone(), refund: first, kept: Some(back), moved: euros(0) };
        assert_eq!(store::uneven_refunds(&mut tx).await.unwrap(), [uneven]);
        let over = Overrefunded { number, back, came: euros(0) };
        assert_eq!(store::overrefunded(&mut tx).await.unwrap(), [over]);
        assert_eq!(store::unnoted_refunds(&mut tx, now.plus_seconds(1)).await.unwrap(), []);
        assert_eq!(store::idle_holds(&mut tx).await.unwrap(), []);
        assert_eq!(found, [Refund { id: first, ..refund.clone() }, second.clone()]);
        // Only a part of the first one went back.
        store::cut_refund(&mut tx, first, euros(100)).await.unwrap();
        let cut = Refund { id: first, amount: euros(100), shipping: euros(0), lines: Vec::new(), ..refund };
        assert_eq!(store::refunds(&mut tx, id).await.unwrap(), [cut, second]);
    }

    async fn orders_that_nobody_pays_are_found(app: TestApp) {
        let now = app.clock.now();
        let id = insert(&app, &order(&app, "A", cart(&app, "c", None).await, None), now).await;
        let mut tx = app.db.begin().await.unwrap();
        let given_up = store::given_up_on(&mut tx, now, now, 9).await.unwrap();
        assert!(given_up.is_empty(), "nothing was begun");
        let money = store::money_of(&mut tx, OrderId(0), 9).await.unwrap();
        let total = Money::new(10090, app.currency());
        assert_eq!(money, [(id, "A".to_owned(), PaymentStatus::Unpaid, total)]);
        assert!(store::money_of(&mut tx, id, 9).await.unwrap().is_empty());
        let new = zoco::payments::model::NewPayment {
            order_id: id,
            provider: "test",
            amount: total,
            reference: "A",
            settles: false,
            next_check_at: None,
        credit_account: None,
        };
        let mut payment = zoco::payments::store::insert(&mut tx, &new, now).await.unwrap();
        assert_eq!(store::given_up_on(&mut tx, now, now, 9).await.unwrap(), ["A"]);
        let before = now.plus_seconds(-1);
        assert!(store::given_up_on(&mut tx, before, now, 9).await.unwrap().is_empty());
        let mut wait = zoco::db::Query::new("update orders set pay_until = ");
        wait.bind(now.plus_seconds(1)).execute(&mut tx).await.unwrap();
        assert!(store::given_up_on(&mut tx, now, now, 9).await.unwrap().is_empty(), "it may wait");
        let then = now.plus_seconds(1);
        assert_eq!(store::given_up_on(&mut tx, now, then, 9).await.unwrap(), ["A"]);
        assert!(store::without_money(&mut tx, 9).await.unwrap().is_empty());
        payment.settled_at = Some(now);
        zoco::payments::store::save(&mut tx, &payment, now).await.unwrap();
        assert!(store::given_up_on(&mut tx, now, now, 9).await.unwrap().is_empty());
        assert!(store::without_money(&mut tx, 9).await.unwrap().is_empty(), "it is expected");
        payment.state = zoco::payments::PaymentState::Voided;
        zoco::payments::store::save(&mut tx, &payment, now).await.unwrap();
        assert_eq!(store::without_money(&mut tx, 9).await.unwrap()[0].number, "A");
    }

    async fn a_damaged_address_is_shown_as_it_is(app: TestApp) {
        insert(
            &app,
            &order(&app, "A", cart(&app, "c", None).await, None),
            app.clock.now(),
        )
        .await;
        let mut tx = app.db.begin().await.unwrap();
        let sql = zoco::db::query::Sql::same("update orders set shipping_address = 'somewhere'");
        zoco::db::query::execute(&mut tx, sql, Vec::new())
            .await
            .unwrap();
        let read = store::by_number(&mut tx, "A").await.unwrap().unwrap();
        assert_eq!(
            read.order.shipping_address,
            Address::Text("somewhere".to_owned())
        );
    }

    async fn parcels_are_read_as_they_were_sent(app: TestApp) {
        let now = app.clock.now();
        let id = insert(&app, &order(&app, "A", cart(&app, "c", None).await, None), now).await;
        let mut tx = app.db.begin().await.unwrap();
        let head = store::lock(&mut tx, "A").await.unwrap().unwrap();
        assert_eq!(head.order.id, id);
        assert!(store::lock(&mut tx, "NONE").await.unwrap().is_none());
        assert!(store::fulfilments(&mut tx, id).await.unwrap().is_empty());
        let lines = store::lines(&mut tx, id, app.currency()).await.unwrap();
        let some = |line: usize, quantity| FulfilmentLine { order_line_id: lines[line].id, quantity };
        let tracking = Tracking { carrier: "dhl".to_owned(), number: "00".to_owned(), url: "https://dhl.example/00".to_owned() };
        let first = store::insert_fulfilment(&mut tx, id, 1, &[some(1, 2), some(0, 1)], &tracking, now).await.unwrap();
        let none = Tracking::default();
        let second = store::insert_fulfilment(&mut tx, id, 2, &[some(0, 1)], &none, now.plus_seconds(9)).await.unwrap();
        assert!(store::set_delivered(&mut tx, first, now.plus_seconds(60)).await.unwrap());
        assert!(!store::set_delivered(&mut tx, first, now.plus_seconds(90)).await.unwrap());
        store::set_tracking(&mut tx, second, &tracking).await.unwrap();
        let read = store::fulfilments(&mut tx, id).await.unwrap();
        assert_eq!(read.iter().map(|one| (one.id, one.number, one.state)).collect::<Vec<_>>(), [(first, 1, FulfilmentState::Delivered), (second, 2, FulfilmentState::Sent)]);
        assert_eq!(read[0].lines, [some(0, 1), some(1, 2)], "in the order of the order");
        assert_eq!((read[0].delivered_at, read[1].delivered_at), (Some(now.plus_seconds(60)), None));
        assert_eq!((&read[0].tracking, &read[1].tracking), (&tracking, &tracking));
    }

    async fn invoices_are_numbered_without_gaps(app: TestApp) {
        let now = app.clock.now();
        let id = insert(&app, &order(&app, "A", cart(&app, "c", None).await, None), now).await;
        let mut tx = app.db.begin().await.unwrap();
        assert!(store::invoices(&mut tx, id).await.unwrap().is_empty());
        let invoice = |kind, series: &str, position: i64, minor| NewInvoice {
            order_id: id,
            kind,
            series: series.to_owned(),
            position,
            number: format!("{series}-{position}"),
            reference: position.to_string(),
            total: Money::new(minor, app.currency()),
            snapshot: "{}".to_owned(),
        };
        for position in 1..=2 {
            assert_eq!(store::next_position(&mut tx, "2026").await.unwrap(), position);
            let kind = InvoiceKind::Invoice;
            store::insert_invoice(&mut tx, &invoice(kind, "2026", position, 10_090), now).await.unwrap();
        }
        assert_eq!(store::next_position(&mut tx, "CN-2026").await.unwrap(), 1);
        store::insert_invoice(&mut tx, &invoice(InvoiceKind::CreditNote, "CN-2026", 1, 90), now).await.unwrap();
        let issued = store::invoices(&mut tx, id).await.unwrap();
        assert_eq!(issued.iter().map(|one| one.number.as_str()).collect::<Vec<_>>(), ["2026-1", "2026-2", "CN-2026-1"]);
        assert_eq!((issued[2].kind, issued[2].total.minor(), issued[2].issued_at), (InvoiceKind::CreditNote, 90, now));
        assert!(store::broken_series(&mut tx).await.unwrap().is_empty());
        assert!(store::wrong_invoices(&mut tx).await.unwrap().is_empty());
        assert!(store::overcredited(&mut tx).await.unwrap().is_empty());
        assert!(store::missent(&mut tx).await.unwrap().is_empty());
        assert!(store::oversent(&mut tx).await.unwrap().is_empty());
        // Nothing went back for it.
        let notes = store::wrong_credit_notes(&mut tx).await.unwrap();
        assert_eq!(notes, [("CN-2026-1".to_owned(), "A".to_owned())]);
        // What is not so is noticed.
        store::insert_invoice(&mut tx, &invoice(InvoiceKind::Invoice, "2026", 4, 1), now).await.unwrap();
        store::insert_invoice(&mut tx, &invoice(InvoiceKind::CreditNote, "CN-2026", 3, 10_001), now).await.unwrap();
        let broken = store::broken_series(&mut tx).await.unwrap();
        let broken: Vec<_> = broken.iter().map(|one| (one.series.as_str(), one.issued, one.highest, one.counted)).collect();
        assert_eq!(broken, [("2026", 3, 4, 2), ("CN-2026", 2, 3, 1)]);
        assert_eq!(store::wrong_invoices(&mut tx).await.unwrap(), [("2026-4".to_owned(), "A".to_owned())]);
        assert_eq!(store::overcredited(&mut tx).await.unwrap(), ["A"]);
        let lines = store::lines(&mut tx, id, app.currency()).await.unwrap();
        assert!(!store::call_off(&mut tx, lines[1].id, 3).await.unwrap(), "two were ordered");
        assert!(store::call_off(&mut tx, lines[1].id, 1).await.unwrap());
        assert!(!store::call_off(&mut tx, lines[1].id, 2).await.unwrap());
        let lines = store::lines(&mut tx, id, app.currency()).await.unwrap();
        assert_eq!((lines[0].cancelled, lines[1].cancelled), (0, 1));
        let parcel = [FulfilmentLine { order_line_id: lines[0].id, quantity: 3 }];
        store::insert_fulfilment(&mut tx, id, 1, &parcel, &Tracking::default(), now).await.unwrap();
        let missent = Missent { number: "A".to_owned(), kept: FulfilmentStatus::Unfulfilled, sent: 3, wanted: 3 };
        assert_eq!(store::missent(&mut tx).await.unwrap(), [missent]);
        let oversent = Oversent { number: "A".to_owned(), sku: lines[0].sku.clone(), sent: 3, wanted: 2 };
        assert_eq!(store::oversent(&mut tx).await.unwrap(), [oversent]);
        // Nobody has the same number twice.
        let taken = store::insert_invoice(&mut tx, &invoice(InvoiceKind::Invoice, "2026", 4, 1), now).await;
        assert!(taken.unwrap_err().is_unique());
    }

    async fn returns_are_read_as_they_moved(app: TestApp) {
        let now = app.clock.now();
        let id = insert(&app, &order(&app, "A", cart(&app, "c", None).await, None), now).await;
        let mut tx = app.db.begin().await.unwrap();
        let currency = app.currency();
        assert!(store::returns(&mut tx, id, currency).await.unwrap().is_empty());
        let lines = store::lines(&mut tx, id, currency).await.unwrap();
        let line = ReturnLine { order_line_id: lines[0].id, quantity: 2, reason: ReturnReason::Late, received: 0, restocked: 0 };
        let one = store::insert_return(&mut tx, id, 1, &[line], "Too late", now).await.unwrap();
        let (asked, agreed) = (ReturnState::Requested, ReturnState::Approved);
        let later = now.plus_seconds(60);
        assert!(store::set_return_state(&mut tx, one, asked, agreed, "Send it", later).await.unwrap());
        assert!(!store::set_return_state(&mut tx, one, asked, agreed, "", later).await.unwrap());
        store::set_received(&mut tx, one, lines[0].id, 2, 1).await.unwrap();
        let read = store::returns(&mut tx, id, currency).await.unwrap().remove(0);
        assert_eq!((read.id, read.number, read.state, read.updated_at), (one, 1, agreed, later));
        assert_eq!((read.note.as_str(), read.answer.as_str()), ("Too late", "Send it"));
        assert_eq!(read.lines, [ReturnLine { received: 2, restocked: 1, ..line }]);
        store::set_return_refunded(&mut tx, one, Money::new(4800, currency)).await.unwrap();
        let read = store::returns(&mut tx, id, currency).await.unwrap().remove(0);
        assert_eq!(read.refunded.minor(), 4800);
        assert_eq!(store::erase_returns(&mut tx, id).await.unwrap(), 1);
        let read = store::returns(&mut tx, id, currency).await.unwrap().remove(0);
        assert_eq!((read.note.as_str(), read.answer.as_str()), ("", ""));
    }

    async fn views_and_tables_of_the_list(app: TestApp) {
        let ada = app.customer("ada@example.com").await.user_id().unwrap();
        let now = app.clock.now();
        let mut ids = Vec::new();
        for number in ["A", "B", "C"] {
            ids.push(insert(&app, &order(&app, number, cart(&app, number, None).await, None), now).await);
        }
        let mut tx = app.db.begin().await.unwrap();
        let filter = OrderFilter { country: "ES".to_owned(), ..OrderFilter::default() };
        let rows = store::below(&mut tx, &filter, i64::MAX, 2).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.summary.number.as_str()).collect::<Vec<_>>(), ["C", "B"]);
        assert_eq!(rows[0].sums.map(|sum| sum.minor()), [9600, 0, 490, 1751]);
        assert_eq!((rows[0].country.as_str(), rows[0].summary.count), ("ES", 4));
        let rest = store::below(&mut tx, &filter, rows[1].id.0, 2).await.unwrap();
        assert_eq!(rest.len(), 1);
        store::save_view(&mut tx, ada, "Mine", "status=pending", now).await.unwrap();
        store::save_view(&mut tx, ada, "Mine", "status=confirmed", now).await.unwrap();
        let views = store::views(&mut tx, ada).await.unwrap();
        assert_eq!(views.iter().map(|view| view.query.as_str()).collect::<Vec<_>>(), ["status=confirmed"]);
        assert!(!store::delete_view(&mut tx, UserId(4711), views[0].id).await.unwrap());
        assert!(store::delete_view(&mut tx, ada, views[0].id).await.unwrap());
        assert!(store::views(&mut tx, ada).await.unwrap().is_empty());
    }

    async fn notes_go_when_their_order_forgets_its_person(app: TestApp) {
        let now = app.clock.now();
        let id = insert(&app, &order(&app, "A", cart(&app, "c", None).await, None), now).await;
        let mut tx = app.db.begin().await.unwrap();
        for (kind, detail) in [("placed", "Order placed"), ("note", "Rang twice")] {
            store::insert_event(&mut tx, id, kind, detail, (None, "Stella"), now).await.unwrap();
        }
        assert_eq!(store::erase_notes(&mut tx, id).await.unwrap(), 1);
        let events = store::events(&mut tx, id).await.unwrap();
        assert_eq!((events[0].detail.as_str(), events[1].detail.as_str()), ("Order placed", ""));
        assert!(events[1].is_internal() && !events[0].is_internal());
    }

    async fn a_person_is_taken_out_of_their_orders(app: TestApp) {
        let ada = app.customer("ada@example.com").await.user_id().unwrap();
        let eve = app.customer("eve@example.com").await.user_id().unwrap();
        let now = app.clock.now();
        for (number, owner) in [("AAAA", ada), ("BBBB", eve), ("CCCC", ada)] {
            let cart = cart(&app, number, Some(owner)).await;
            insert(&app, &order(&app, number, cart, Some(owner)), now).await;
        }
        let mut tx = app.db.begin().await.unwrap();
        let orders = store::of_user(&mut tx, ada).await.unwrap();
        let orders: Vec<_> = orders.into_iter().map(|head| head.order).collect();
        assert_eq!(orders.iter().map(|order| order.number.as_str()).collect::<Vec<_>>(), ["AAAA", "CCCC"]);
        store::insert_event(&mut tx, orders[0].id, "cancelled", "", (Some(ada), "Ada"), now).await.unwrap();
        let email = Email::parse("former@erased.invalid").unwrap();
        store::erase(&mut tx, &orders[0], &email, "Former customer", now).await.unwrap();
        assert_eq!(store::erase_actor(&mut tx, ada, "Former customer").await.unwrap(), 1);
        let left = store::by_number(&mut tx, "AAAA").await.unwrap().unwrap().order;
        assert_eq!((left.user_id, &left.email, left.note.as_str()), (None, &email, ""));
        assert_eq!(left.total, orders[0].total);
        let Address::Fields(address) = &left.shipping_address else { panic!("{left:?}") };
        assert_eq!(address, &PostalAddress { country: address.country.clone(), ..PostalAddress::default() });
        assert_ne!(address.country, "");
        let events = store::events(&mut tx, left.id).await.unwrap();
        assert_eq!(events.last().unwrap().actor_name, "Former customer");
        let found = OrderFilter { search: "ada".to_owned(), ..OrderFilter::default() };
        let found = store::list(&mut tx, None, &found, PageRequest::new(1, 10)).await.unwrap();
        assert!(found.items.iter().all(|order| order.number != "AAAA"));
        assert_eq!(store::of_user(&mut tx, ada).await.unwrap().len(), 1);
    }

    async fn orders_are_the_sum_of_their_lines(app: TestApp) {
        let now = app.clock.now();
        let cart = cart(&app, "one", None).await;
        let id = insert(&app, &order(&app, "AAAA", cart, None), now).await;
        let mut tx = app.db.begin().await.unwrap();
        assert_eq!(store::imbalances(&mut tx).await.unwrap(), []);
        let sql = Sql::same("update orders set total_minor = total_minor + 1 where id = $1");
        query::execute(&mut tx, sql, vec![id.into()]).await.unwrap();
        let found = store::imbalances(&mut tx).await.unwrap();
        let wrong = OrderImbalance {
            number: "AAAA".to_owned(),
            kept: [10_091, 1_751, 0],
            counted: [10_090, 1_751, 0],
        };
        assert_eq!(found, [wrong]);
    }
}
