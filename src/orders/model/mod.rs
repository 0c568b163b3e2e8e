//! Orders: what was bought, for whom, and where it stands.

mod books;
mod fulfilment;
mod invoice;
mod refund;
mod returns;

use crate::credit::CreditPart;
use crate::payments::{Payment, PaymentState};
use crate::pricing::{Quote, QuoteLine};
use crate::types::{
    CartId, Email, Locale, Money, OrderId, OrderLineId, OrderViewId, ProductId, TaxRate, Timestamp,
    UserId, VariantId, text_enum,
};

pub use books::{IdleHold, Missent, OrderImbalance, Overrefunded, Oversent, RefundImbalance};
pub use fulfilment::{
    CARRIERS, Carrier, Fulfilment, FulfilmentLine, FulfilmentState, Tracking, carrier,
};
pub use invoice::{BrokenSeries, Invoice, InvoiceKind, NewInvoice};
pub use returns::{Return, ReturnLine, ReturnReason, ReturnState};

/// An order keeps its addresses and all of its quote, so the store of orders reads them.
pub use crate::addresses::PostalAddress;
pub use crate::pricing::{Applied, TaxShare, TraceStep};
pub use refund::{Books, MoneyImbalance, Refund, RefundLine, RefundState, Refundable, share};

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OrderStatus {
    /// Placed; waits for money or a look.
    Pending,
    /// Accepted.
    Confirmed,
    /// Being packed.
    Processing,
    /// On its way.
    Shipped,
    /// Arrived.
    Delivered,
    /// Called off.
    Cancelled,
}
text_enum!(OrderStatus {
    Pending => "pending",
    Confirmed => "confirmed",
    Processing => "processing",
    Shipped => "shipped",
    Delivered => "delivered",
    Cancelled => "cancelled",
});

impl OrderStatus {
    /// The one table of allowed transitions: one step forward, or cancelled before shipping.
    pub fn next(self) -> &'static [Self] {
        match self {
            Self::Pending => &[Self::Confirmed, Self::Cancelled],
            Self::Confirmed => &[Self::Processing, Self::Cancelled],
            Self::Processing => &[Self::Shipped, Self::Cancelled],
            Self::Shipped => &[Self::Delivered],
            Self::Delivered | Self::Cancelled => &[],
        }
    }

    /// Whether the table allows this step.
    pub fn may_become(self, to: Self) -> bool {
        self.next().contains(&to)
    }

    /// As a shopper reads it.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Pending => "Received",
            Self::Confirmed => "Confirmed",
            Self::Processing => "Being packed",
            Self::Shipped => "On its way",
            Self::Delivered => "Delivered",
            Self::Cancelled => "Cancelled",
        }
    }
}

/// Whether an order is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentStatus {
    /// Nothing came.
    Unpaid,
    /// Promised.
    Authorized,
    /// All of it came.
    Paid,
    /// Some of it went back.
    PartiallyRefunded,
    /// All of it went back.
    Refunded,
}
text_enum!(PaymentStatus {
    Unpaid => "unpaid",
    Authorized => "authorized",
    Paid => "paid",
    PartiallyRefunded => "partially_refunded",
    Refunded => "refunded",
});

impl PaymentStatus {
    /// The one table of allowed changes.
    pub fn next(self) -> &'static [Self] {
        match self {
            Self::Unpaid => &[Self::Authorized, Self::Paid],
            Self::Authorized => &[Self::Unpaid, Self::Paid],
            Self::Paid => &[Self::PartiallyRefunded, Self::Refunded],
            Self::PartiallyRefunded => &[Self::Refunded],
            // All that had come went back, and then more came.
            Self::Refunded => &[Self::PartiallyRefunded],
        }
    }

    /// As a shopper reads it.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Unpaid => "Not paid yet",
            Self::Authorized => "Payment promised",
            Self::Paid => "Paid",
            Self::PartiallyRefunded => "Refunded in part",
            Self::Refunded => "Refunded",
        }
    }
}

/// Whether an order has left the house.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FulfilmentStatus {
    /// Nothing left.
    Unfulfilled,
    /// Some lines left.
    Partial,
    /// All left.
    Fulfilled,
}
text_enum!(FulfilmentStatus {
    Unfulfilled => "unfulfilled",
    Partial => "partial",
    Fulfilled => "fulfilled",
});

impl FulfilmentStatus {
    /// The one table of allowed changes.
    pub fn next(self) -> &'static [Self] {
        match self {
            Self::Unfulfilled => &[Self::Partial, Self::Fulfilled],
            Self::Partial => &[Self::Fulfilled],
            Self::Fulfilled => &[],
        }
    }
}

/// The three statuses of an order, which change together and through their tables only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statuses {
    /// Where it stands.
    pub order: OrderStatus,
    /// Whether it is paid.
    pub payment: PaymentStatus,
    /// Whether it has left the house.
    pub fulfilment: FulfilmentStatus,
}

impl Statuses {
    /// What every order begins with.
    pub const NEW: Self = Self {
        order: OrderStatus::Pending,
        payment: PaymentStatus::Unpaid,
        fulfilment: FulfilmentStatus::Unfulfilled,
    };

    /// Whether the tables allow this change; each status may also stay as it is.
    pub fn may_become(self, to: Self) -> bool {
        (self.order == to.order || self.order.may_become(to.order))
            && (self.payment == to.payment || self.payment.next().contains(&to.payment))
            && (self.fulfilment == to.fulfilment || self.fulfilment.next().contains(&to.fulfilment))
    }
}

/// Where to send something: fields, or one free text that an API client gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// Field by field.
    Fields(PostalAddress),
    /// Kept as it is.
    Text(String),
}

impl Address {
    /// What may stay of it when the person behind it is erased: the country, which decided on
    /// taxes and delivery.
    pub fn without_person(&self) -> Self {
        match self {
            Self::Text(_) => Self::Text(String::new()),
            Self::Fields(fields) => Self::Fields(PostalAddress {
                country: fields.country.clone(),
                ..PostalAddress::default()
            }),
        }
    }

    /// The lines of a label.
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::Text(text) => text.lines().map(str::to_owned).collect(),
            Self::Fields(address) => address.lines(),
        }
    }

    /// The country's code; empty for a free text.
    pub fn country(&self) -> &str {
        match self {
            Self::Text(_) => "",
            Self::Fields(fields) => &fields.country,
        }
    }

    /// Who gets it: the name, or the first line of a free text.
    pub fn addressee(&self) -> &str {
        match self {
            Self::Text(text) => text.trim().lines().next().unwrap_or_default(),
            Self::Fields(address) => &address.name,
        }
    }
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// Its public number, unguessable: `K7QM-3XWT-9RPA`.
    pub number: String,
    /// The cart that it was.
    pub cart_id: CartId,
    /// Whose it is; none for a guest's.
    pub user_id: Option<UserId>,
    /// Where letters about it go.
    pub email: Email,
    /// Where it stands.
    pub status: OrderStatus,
    /// Whether it is paid.
    pub payment_status: PaymentStatus,
    /// Whether it has left the house.
    pub fulfilment_status: FulfilmentStatus,
    /// What was bought.
    pub lines: Vec<OrderLine>,
    /// All lines' subtotals.
    pub subtotal: Money,
    /// What promotions took off the lines, in all.
    pub discount: Money,
    /// What promotions took off shipping.
    pub shipping_discount: Money,
    /// Shipping, its tax included.
    pub shipping: Money,
    /// The tax in it.
    pub shipping_tax: Money,
    /// All tax.
    pub tax: Money,
    /// The same by rate; nothing for orders of old.
    pub taxes: Vec<TaxShare>,
    /// The promotions that counted.
    pub promotions: Vec<Applied>,
    /// What is paid.
    pub total: Money,
    /// Whether unit prices contain tax.
    pub prices_include_tax: bool,
    /// Code of the shipping method.
    pub shipping_method: String,
    /// Its name at that time.
    pub shipping_method_name: String,
    /// Where it goes.
    pub shipping_address: Address,
    /// Where the bill goes, when elsewhere.
    pub billing_address: Option<Address>,
    /// What the shopper wrote.
    pub note: String,
    /// The language that the shopper is written to in.
    pub locale: Locale,
    /// "Why this price?"
    pub price_trace: Vec<TraceStep>,
    /// Its payments, oldest first.
    pub payments: Vec<Payment>,
    /// What was sent of it, oldest first.
    pub fulfilments: Vec<Fulfilment>,
    /// What is sent back of it, oldest first.
    pub returns: Vec<Return>,
    /// Its timeline, oldest first.
    pub events: Vec<OrderEvent>,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Order {
    /// What is to be paid beside gift cards and store credit, which paid when it was placed.
    pub fn to_pay(&self) -> Money {
        let credit = self
            .payments
            .iter()
            .filter(|payment| payment.credit_account.is_some());
        let paid: i64 = credit.map(|payment| payment.amount.minor()).sum();
        Money::new(self.total.minor() - paid, self.total.currency())
    }

    /// Pieces in all.
    pub fn count(&self) -> i64 {
        self.lines.iter().map(|line| line.quantity).sum()
    }

    /// The line with this id.
    pub fn line(&self, id: OrderLineId) -> Option<&OrderLine> {
        self.lines.iter().find(|line| line.id == id)
    }

    /// Pieces of a line that were sent.
    pub fn sent(&self, line: &OrderLine) -> i64 {
        let parcels = self.fulfilments.iter();
        parcels.map(|parcel| parcel.count_of(line.id)).sum()
    }

    /// Pieces of a line that are still to be sent.
    pub fn unsent(&self, line: &OrderLine) -> i64 {
        (line.quantity - line.cancelled - self.sent(line)).max(0)
    }

    /// Pieces of a line that arrived and are not sent back yet.
    pub fn returnable(&self, line: &OrderLine) -> i64 {
        let arrived = self.fulfilments.iter();
        let arrived = arrived.filter(|one| one.state == FulfilmentState::Delivered);
        let arrived: i64 = arrived.map(|one| one.count_of(line.id)).sum();
        let back = self.returns.iter().filter(|one| one.state.counts());
        let back: i64 = back.map(|one| one.count_of(line.id)).sum();
        (arrived - back).max(0)
    }

    /// Whether it may be sent as far as its status goes: it was accepted, and is neither called
    /// off nor sent.
    pub fn may_be_sent(&self) -> bool {
        matches!(
            self.status,
            OrderStatus::Confirmed | OrderStatus::Processing
        )
    }

    /// Whether its goods are taken from stock: by what is paid on delivery or by transfer when it
    /// is placed, by gateways when their money is promised or comes.
    pub fn has_its_goods(&self) -> bool {
        self.payments.iter().any(|one| one.settled_at.is_some())
    }

    /// Whether its payments cover its total.
    pub fn is_covered(&self) -> bool {
        !matches!(
            self.payment_status,
            PaymentStatus::Unpaid | PaymentStatus::Authorized
        )
    }

    /// The parcel with this number.
    pub fn parcel(&self, number: i64) -> Option<&Fulfilment> {
        self.fulfilments.iter().find(|one| one.number == number)
    }

    /// Its three statuses.
    pub fn statuses(&self) -> Statuses {
        Statuses {
            order: self.status,
            payment: self.payment_status,
            fulfilment: self.fulfilment_status,
        }
    }
}

/// What comes next of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextStep {
    /// The provider's name.
    pub provider: String,
    /// Where the payment stands.
    pub state: PaymentState,
    /// Whether the money moves online.
    pub online: bool,
    /// Where the shopper pays: a path of the shop, or an address elsewhere; empty for nowhere.
    pub url: String,
    /// Why it did not work; empty when nothing is known.
    pub failure: String,
}

/// A line of an order: a copy, untouched by later changes of the product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderLine {
    /// Its id.
    pub id: OrderLineId,
    /// The product, which may be archived since.
    pub product_id: ProductId,
    /// The variant.
    pub variant_id: VariantId,
    /// Its SKU at that time.
    pub sku: String,
    /// The product's name at that time.
    pub name: String,
    /// The chosen options.
    pub variant_name: String,
    /// The picture's storage key, or empty.
    pub image_key: String,
    /// How many.
    pub quantity: i64,
    /// How many of them were called off before they were sent.
    pub cancelled: i64,
    /// The price of one.
    pub unit_price: Money,
    /// Quantity times price.
    pub subtotal: Money,
    /// What promotions of this line took off.
    pub line_discount: Money,
    /// Its share of what promotions of the whole order took off.
    pub order_discount: Money,
    /// Which tax.
    pub tax_rate: TaxRate,
    /// The tax in (or on) it.
    pub tax: Money,
    /// What is paid for it.
    pub total: Money,
}

impl OrderLine {
    /// In words: `Everyday mug, Oat, 350 ml`.
    pub fn label(&self) -> String {
        in_words(&self.name, &self.variant_name)
    }
}

/// The kind of a timeline entry that staff wrote for each other.
pub const NOTE: &str = "note";

/// An entry of an order's timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderEvent {
    /// What happened, `placed`, `status_changed`, `payment_captured`, …
    pub kind: String,
    /// In words.
    pub detail: String,
    /// Who did it.
    pub actor_name: String,
    /// When.
    pub created_at: Timestamp,
}

impl OrderEvent {
    /// Whether it is for staff only.
    pub fn is_internal(&self) -> bool {
        self.kind == NOTE
    }
}

/// An order as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderSummary {
    /// Its public number.
    pub number: String,
    /// Who bought: the name on the address, or the first line of it.
    pub customer: String,
    /// Where letters about it go.
    pub email: Email,
    /// Where it stands.
    pub status: OrderStatus,
    /// Whether it is paid.
    pub payment_status: PaymentStatus,
    /// Whether it has left the house.
    pub fulfilment_status: FulfilmentStatus,
    /// Pieces in all.
    pub count: i64,
    /// What is paid.
    pub total: Money,
    /// When it was placed.
    pub placed_at: Timestamp,
}

/// What staff have to do for an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// It is accepted, and something of it is to be sent.
    Send,
    /// No money came, and it is not cancelled.
    Money,
    /// A return is to be answered, or its money to be sent back.
    Return,
}
text_enum!(Task { Send => "send", Money => "money", Return => "return" });

/// A view of the list that somebody who works here keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderView {
    /// Its id.
    pub id: OrderViewId,
    /// What they call it.
    pub name: String,
    /// The query of the list.
    pub query: String,
}

/// Which orders a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// Part of a number, an e-mail or a name.
    pub search: String,
    /// In this status.
    pub status: Option<OrderStatus>,
    /// With this payment status.
    pub payment_status: Option<PaymentStatus>,
    /// With this fulfilment status.
    pub fulfilment_status: Option<FulfilmentStatus>,
    /// With a return in this state.
    pub return_state: Option<ReturnState>,
    /// With this to do.
    pub task: Option<Task>,
    /// With an invoice, or without.
    pub invoiced: Option<bool>,
    /// That go to this country, by its code; empty for any.
    pub country: String,
    /// That are paid by this provider; empty for any.
    pub provider: String,
    /// Placed then or later.
    pub from: Option<Timestamp>,
    /// Placed before then.
    pub until: Option<Timestamp>,
    /// That cost so much at least, in minor units.
    pub min_total: Option<i64>,
    /// That cost so much at most, in minor units.
    pub max_total: Option<i64>,
}

/// How many orders wait for staff.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Placed, and nobody has looked at them.
    pub pending: i64,
    /// Not paid, and not cancelled either.
    pub unpaid: i64,
}

/// An order to be placed: everything was checked, priced and taken from stock.
#[derive(Clone, Debug)]
pub struct NewOrder {
    /// Its public number.
    pub number: String,
    /// The cart that it was.
    pub cart_id: CartId,
    /// Whose it is; none for a guest's.
    pub user_id: Option<UserId>,
    /// Whether somebody who works here makes it for them.
    pub by_staff: bool,
    /// Until when it may wait for its payment, where that is longer than the shop's usual time.
    pub pay_until: Option<Timestamp>,
    /// The language that the shopper is written to in.
    pub locale: Locale,
    /// Where letters about it go.
    pub email: Email,
    /// What is bought.
    pub lines: Vec<NewOrderLine>,
    /// What it costs, and why. Its lines are those of `lines`.
    pub quote: Quote,
    /// Code of the shipping method.
    pub shipping_method: String,
    /// Its name.
    pub shipping_method_name: String,
    /// Where it goes.
    pub shipping_address: Address,
    /// Where the bill goes, when elsewhere.
    pub billing_address: Option<Address>,
    /// What the shopper wrote.
    pub note: String,
    /// The payment provider's name.
    pub provider: String,
    /// What gift cards and store credit pay of it; the caller has taken it from them.
    pub credits: Vec<CreditPart>,
    /// What remains for the provider.
    pub remaining: Money,
}

/// A line of an order to be placed.
#[derive(Clone, Debug)]
pub struct NewOrderLine {
    /// The product.
    pub product_id: ProductId,
    /// The variant's SKU.
    pub sku: String,
    /// The product's name.
    pub name: String,
    /// The chosen options.
    pub variant_name: String,
    /// The picture's storage key, or empty.
    pub image_key: String,
    /// Variant, quantity and price.
    pub priced: QuoteLine,
}

impl NewOrderLine {
    /// In words: `Everyday mug, Oat, 350 ml`.
    pub fn label(&self) -> String {
        in_words(&self.name, &self.variant_name)
    }
}

fn in_words(name: &str, variant_name: &str) -> String {
    if variant_name.is_empty() {
        name.to_owned()
    } else {
        format!("{name}, {variant_name}")
    }
}
