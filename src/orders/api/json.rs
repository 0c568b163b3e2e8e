//! API: orders as JSON.

use serde::Serialize;
use utoipa::ToSchema;

use super::fulfilments::FulfilmentJson;
use super::returns::ReturnJson;
use crate::addresses::api::PostalAddressJson;
use crate::catalog::image_url;
use crate::ctx::Ctx;
use crate::orders::model::{Address, Order, OrderEvent, OrderLine, OrderSummary};
use crate::orders::service;
use crate::payments::{Payment, Unmatched};
use crate::pricing::api::{AppliedJson, TaxShareJson, TraceStepJson};
use crate::web::json::MoneyJson;

/// An order.
#[derive(Serialize, ToSchema)]
pub struct OrderJson {
    /// Its public number.
    #[schema(example = "K7QM-3XWT-9RPA")]
    pub number: String,
    /// `pending`, `confirmed`, `processing`, `shipped`, `delivered` or `cancelled`.
    pub status: &'static str,
    /// `unpaid`, `authorized`, `paid`, `partially_refunded` or `refunded`.
    pub payment_status: &'static str,
    /// `unfulfilled`, `partial` or `fulfilled`.
    pub fulfilment_status: &'static str,
    /// Where letters about it go.
    pub email: String,
    /// What was bought, as it was then.
    pub lines: Vec<OrderLineJson>,
    /// All lines' subtotals.
    pub subtotal: MoneyJson,
    /// What promotions took off the lines, in all.
    pub discount: MoneyJson,
    /// What promotions took off shipping.
    pub shipping_discount: MoneyJson,
    /// Shipping, tax included.
    pub shipping: MoneyJson,
    /// All tax.
    pub tax: MoneyJson,
    /// The same by rate.
    pub taxes: Vec<TaxShareJson>,
    /// The promotions that counted.
    pub promotions: Vec<AppliedJson>,
    /// What is paid: the lines' totals plus shipping.
    pub total: MoneyJson,
    /// Whether unit prices contain tax.
    pub prices_include_tax: bool,
    /// "Why this price?", step by step.
    pub trace: Vec<TraceStepJson>,
    /// How it is shipped.
    pub shipping_method: ShippingMethodJson,
    /// Where it goes: fields, or the text that was given.
    pub shipping_address: AddressJson,
    /// Where the bill goes, when elsewhere.
    pub billing_address: Option<AddressJson>,
    /// What the shopper wrote.
    pub note: String,
    /// Its payments, oldest first.
    pub payments: Vec<PaymentJson>,
    /// What was sent of it, oldest first.
    pub fulfilments: Vec<FulfilmentJson>,
    /// What is sent back of it, oldest first.
    pub returns: Vec<ReturnJson>,
    /// Its timeline, oldest first.
    pub events: Vec<OrderEventJson>,
    /// Whether the asker may cancel it now.
    pub can_cancel: bool,
    /// When it was placed.
    pub placed_at: String,
    /// When it last changed.
    pub updated_at: String,
}

/// A line of an order.
#[derive(Serialize, ToSchema)]
pub struct OrderLineJson {
    /// Names it within the order, and in refunds.
    pub id: i64,
    /// The product, which may be archived since.
    pub product_id: i64,
    /// The variant.
    pub variant_id: i64,
    /// Its SKU at that time.
    pub sku: String,
    /// The product's name at that time.
    pub name: String,
    /// The chosen options.
    pub variant_name: String,
    /// A picture, or null.
    pub image_url: Option<String>,
    /// How many.
    pub quantity: i64,
    /// How many of them were called off before they were sent.
    pub cancelled: i64,
    /// How many of them were sent.
    pub sent: i64,
    /// The price of one.
    pub unit_price: MoneyJson,
    /// Quantity times price.
    pub subtotal: MoneyJson,
    /// What promotions of this line took off.
    pub line_discount: MoneyJson,
    /// Its share of what promotions of the whole order took off.
    pub order_discount: MoneyJson,
    /// Which tax, `21 % VAT`.
    pub tax_rate: String,
    /// The tax in (or on) what is left.
    pub tax: MoneyJson,
    /// What is paid for it.
    pub total: MoneyJson,
}

/// How an order is shipped.
#[derive(Serialize, ToSchema)]
pub struct ShippingMethodJson {
    /// Its name for programs.
    pub code: String,
    /// Its name at that time.
    pub name: String,
}

/// An address: fields, or one free text.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum AddressJson {
    /// Field by field.
    Fields(PostalAddressJson),
    /// As a client gave it.
    Text(String),
}

/// A payment of an order.
#[derive(Serialize, ToSchema)]
pub struct PaymentJson {
    /// Its id.
    pub id: i64,
    /// `cash_on_delivery`, `bank_transfer`, `stripe`, `test`, `gift_card`, `store_credit`.
    pub provider: String,
    /// `pending`, `authorized`, `captured`, `failed` or `voided`.
    pub status: &'static str,
    /// What is to be paid.
    pub amount: MoneyJson,
    /// What came.
    pub captured: MoneyJson,
    /// What went back.
    pub refunded: MoneyJson,
    /// What the payer writes on a transfer: the order's number.
    pub reference: String,
    /// Why it did not work; empty when nothing is known.
    pub failure: String,
    /// Why its money belongs to no order, and goes back: `order_cancelled`, `cannot_fill`,
    /// `amount_differs`, `currency_differs`, `paid_twice`; null where it does.
    pub unmatched: Option<&'static str>,
    /// When it was begun.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
}

/// The payments of an order.
#[derive(Serialize, ToSchema)]
pub struct PaymentsJson {
    /// Oldest first.
    pub items: Vec<PaymentJson>,
}

/// An entry of the timeline.
#[derive(Serialize, ToSchema)]
pub struct OrderEventJson {
    /// `placed`, `status_changed`, `fulfilled`, `cancelled`, `payment_captured`, …; for staff
    /// `note`, too.
    pub kind: String,
    /// In words.
    pub detail: String,
    /// Who did it.
    pub actor: String,
    /// When.
    pub at: String,
}

/// An order as a list shows it.
#[derive(Serialize, ToSchema)]
pub struct OrderSummaryJson {
    /// Its public number.
    pub number: String,
    /// Who bought.
    pub customer: String,
    /// Where letters about it go.
    pub email: String,
    /// Where it stands.
    pub status: &'static str,
    /// Whether it is paid.
    pub payment_status: &'static str,
    /// Whether it has left the house.
    pub fulfilment_status: &'static str,
    /// Pieces in all.
    pub count: i64,
    /// What is paid.
    pub total: MoneyJson,
    /// When it was placed.
    pub placed_at: String,
}

impl OrderJson {
    /// The order as the asker may see it.
    pub fn new(ctx: &Ctx, order: &Order) -> Self {
        Self {
            number: order.number.clone(),
            status: order.status.as_str(),
            payment_status: order.payment_status.as_str(),
            fulfilment_status: order.fulfilment_status.as_str(),
            email: order.email.to_string(),
            lines: order
                .lines
                .iter()
                .map(|line| OrderLineJson::new(order, line))
                .collect(),
            subtotal: order.subtotal.into(),
            discount: order.discount.into(),
            shipping_discount: order.shipping_discount.into(),
            shipping: order.shipping.into(),
            tax: order.tax.into(),
            taxes: order.taxes.iter().map(TaxShareJson::from).collect(),
            promotions: order.promotions.iter().map(AppliedJson::from).collect(),
            total: order.total.into(),
            prices_include_tax: order.prices_include_tax,
            trace: order.price_trace.iter().map(TraceStepJson::from).collect(),
            shipping_method: ShippingMethodJson {
                code: order.shipping_method.clone(),
                name: order.shipping_method_name.clone(),
            },
            shipping_address: AddressJson::from(&order.shipping_address),
            billing_address: order.billing_address.as_ref().map(AddressJson::from),
            note: order.note.clone(),
            payments: order.payments.iter().map(PaymentJson::from).collect(),
            fulfilments: FulfilmentJson::all(order),
            returns: ReturnJson::all(order),
            events: order.events.iter().map(OrderEventJson::from).collect(),
            can_cancel: service::may_cancel(ctx, order),
            placed_at: order.placed_at.rfc3339(),
            updated_at: order.updated_at.rfc3339(),
        }
    }
}

impl OrderLineJson {
    fn new(order: &Order, line: &OrderLine) -> Self {
        let image = Some(&line.image_key).filter(|key| !key.is_empty());
        Self {
            id: line.id.0,
            product_id: line.product_id.0,
            variant_id: line.variant_id.0,
            sku: line.sku.clone(),
            name: line.name.clone(),
            variant_name: line.variant_name.clone(),
            image_url: image.map(|key| image_url(key, 400)),
            quantity: line.quantity,
            cancelled: line.cancelled,
            sent: order.sent(line),
            unit_price: line.unit_price.into(),
            subtotal: line.subtotal.into(),
            line_discount: line.line_discount.into(),
            order_discount: line.order_discount.into(),
            tax_rate: line.tax_rate.in_words(),
            tax: line.tax.into(),
            total: line.total.into(),
        }
    }
}

impl From<&Address> for AddressJson {
    fn from(address: &Address) -> Self {
        match address {
            Address::Text(text) => Self::Text(text.clone()),
            Address::Fields(fields) => Self::Fields(PostalAddressJson::from(fields)),
        }
    }
}

impl From<&Payment> for PaymentJson {
    fn from(payment: &Payment) -> Self {
        Self {
            id: payment.id.0,
            provider: payment.provider.clone(),
            status: payment.state.as_str(),
            amount: payment.amount.into(),
            captured: payment.captured.into(),
            refunded: payment.refunded.into(),
            reference: payment.reference.clone(),
            failure: payment.failure.clone(),
            unmatched: payment.unmatched.map(Unmatched::as_str),
            created_at: payment.created_at.rfc3339(),
            updated_at: payment.updated_at.rfc3339(),
        }
    }
}

impl From<&OrderEvent> for OrderEventJson {
    fn from(event: &OrderEvent) -> Self {
        Self {
            kind: event.kind.clone(),
            detail: event.detail.clone(),
            actor: event.actor_name.clone(),
            at: event.created_at.rfc3339(),
        }
    }
}

impl From<OrderSummary> for OrderSummaryJson {
    fn from(order: OrderSummary) -> Self {
        Self {
            number: order.number,
            customer: order.customer,
            email: order.email.to_string(),
            status: order.status.as_str(),
            payment_status: order.payment_status.as_str(),
            fulfilment_status: order.fulfilment_status.as_str(),
            count: order.count,
            total: order.total.into(),
            placed_at: order.placed_at.rfc3339(),
        }
    }
}
