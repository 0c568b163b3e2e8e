//! SQL of orders: reading. What changes them is in [`write`].

mod books;
mod fulfilments;
mod invoices;
mod list;
mod money;
mod refunds;
mod returns;
mod write;

use serde::{Deserialize, Serialize};

use super::model::{
    Address, Applied, FulfilmentStatus, Order, OrderEvent, OrderLine, OrderStatus, PaymentStatus,
    PostalAddress, TaxShare, TraceStep,
};
use crate::db::{self, Conn, FromRow, Query, Tx, fetch_all};
use crate::types::{
    CartId, Currency, Email, Locale, Money, OrderId, OrderLineId, ProductId, PromotionId, TaxRate,
    Timestamp, UserId, VariantId,
};

pub use books::{
    broken_series, idle_holds, imbalances, missent, overcredited, overrefunded, oversent,
    uneven_refunds, unnoted_refunds, wrong_credit_notes, wrong_invoices,
};
pub use fulfilments::{fulfilments, insert_fulfilment, set_delivered, set_tracking};
pub use invoices::{insert_invoice, invoices, next_position};
pub use list::{ExportRow, below, delete_view, list, save_view, views, waiting, without_money};
pub use money::{given_up_on, money_of};
pub use refunds::{cut_refund, end_refund, insert_refund, refunds};
pub use returns::{
    erase_returns, insert_return, returns, set_received, set_return_refunded, set_return_state,
};
pub use write::{call_off, erase, erase_actor, erase_notes, insert, insert_event, set_statuses};

/// How an address is kept in its column.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum AddressColumn {
    Text {
        text: String,
    },
    Fields {
        name: String,
        line1: String,
        line2: String,
        city: String,
        region: String,
        postal_code: String,
        country: String,
        phone: String,
    },
}

impl From<&Address> for AddressColumn {
    fn from(address: &Address) -> Self {
        match address.clone() {
            Address::Text(text) => Self::Text { text },
            Address::Fields(fields) => Self::Fields {
                name: fields.name,
                line1: fields.line1,
                line2: fields.line2,
                city: fields.city,
                region: fields.region,
                postal_code: fields.postal_code,
                country: fields.country,
                phone: fields.phone,
            },
        }
    }
}

/// An address as its column has it; a damaged one is shown as it is rather than hiding the order.
fn read_address(column: String) -> Address {
    match serde_json::from_str(&column) {
        Ok(AddressColumn::Text { text }) => Address::Text(text),
        Ok(AddressColumn::Fields {
            name,
            line1,
            line2,
            city,
            region,
            postal_code,
            country,
            phone,
        }) => Address::Fields(PostalAddress {
            name,
            line1,
            line2,
            city,
            region,
            postal_code,
            country,
            phone,
        }),
        Err(_) => Address::Text(column),
    }
}

/// How a step of the price is kept: text and minor units.
type StepColumn = (String, i64);

/// How a tax is kept: name, rate, what it is taken of, the tax; in minor units.
type TaxColumn = (String, u32, i64, i64);

/// How a promotion that counted is kept: id, name, code, what it took off in minor units.
type AppliedColumn = (PromotionId, String, Option<String>, i64);

fn read_list<T: serde::de::DeserializeOwned>(column: &str) -> Vec<T> {
    serde_json::from_str(column).unwrap_or_default()
}

#[derive(FromRow)]
struct OrderRow {
    id: OrderId,
    number: String,
    cart_id: CartId,
    user_id: Option<UserId>,
    guest_token_hash: Option<String>,
    #[sqlx(try_from = "String")]
    email: Email,
    #[sqlx(try_from = "String")]
    status: OrderStatus,
    #[sqlx(try_from = "String")]
    payment_status: PaymentStatus,
    #[sqlx(try_from = "String")]
    fulfilment_status: FulfilmentStatus,
    #[sqlx(try_from = "String")]
    currency: Currency,
    subtotal_minor: i64,
    discount_minor: i64,
    shipping_discount_minor: i64,
    shipping_minor: i64,
    shipping_tax_minor: i64,
    tax_minor: i64,
    taxes: String,
    promotions: String,
    total_minor: i64,
    prices_include_tax: bool,
    shipping_method: String,
    shipping_method_name: String,
    shipping_address: String,
    billing_address: Option<String>,
    note: String,
    price_trace: String,
    #[sqlx(try_from = "String")]
    locale: Locale,
    placed_at: Timestamp,
    updated_at: Timestamp,
}

/// An order without lines, payments and timeline, and what its guest token hashes to.
pub struct Head {
    /// The order.
    pub order: Order,
    /// SHA-256 in hexadecimal digits; none for an account's order.
    pub guest_token_hash: Option<String>,
}

impl From<OrderRow> for Head {
    fn from(row: OrderRow) -> Self {
        let money = |minor| Money::new(minor, row.currency);
        let steps = read_list::<StepColumn>(&row.price_trace)
            .into_iter()
            .map(|(text, minor)| TraceStep {
                text,
                amount: money(minor),
            });
        let taxes = read_list::<TaxColumn>(&row.taxes).into_iter();
        let taxes = taxes.map(|(name, rate, net, tax)| TaxShare {
            rate: TaxRate { name, rate },
            net: money(net),
            tax: money(tax),
        });
        let promotions = read_list::<AppliedColumn>(&row.promotions).into_iter();
        let promotions = promotions.map(|(id, name, code, minor)| Applied {
            id,
            name,
            code,
            amount: money(minor),
        });
        let order = Order {
            id: row.id,
            number: row.number,
            cart_id: row.cart_id,
            user_id: row.user_id,
            email: row.email,
            status: row.status,
            payment_status: row.payment_status,
            fulfilment_status: row.fulfilment_status,
            lines: Vec::new(),
            subtotal: money(row.subtotal_minor),
            discount: money(row.discount_minor),
            shipping_discount: money(row.shipping_discount_minor),
            shipping: money(row.shipping_minor),
            shipping_tax: money(row.shipping_tax_minor),
            tax: money(row.tax_minor),
            taxes: taxes.collect(),
            promotions: promotions.collect(),
            total: money(row.total_minor),
            prices_include_tax: row.prices_include_tax,
            shipping_method: row.shipping_method,
            shipping_method_name: row.shipping_method_name,
            shipping_address: read_address(row.shipping_address),
            billing_address: row.billing_address.map(read_address),
            note: row.note,
            locale: row.locale,
            price_trace: steps.collect(),
            payments: Vec::new(),
            fulfilments: Vec::new(),
            returns: Vec::new(),
            events: Vec::new(),
            placed_at: row.placed_at,
            updated_at: row.updated_at,
        };
        Self {
            order,
            guest_token_hash: row.guest_token_hash,
        }
    }
}

/// The heads of orders that a condition, which comes next, names.
fn heads_where() -> Query {
    Query::new(
        "select id, number, cart_id, user_id, guest_token_hash, email, status, payment_status,
            fulfilment_status, currency, subtotal_minor, discount_minor, shipping_discount_minor,
            shipping_minor, shipping_tax_minor, tax_minor, taxes, promotions, total_minor,
            prices_include_tax, shipping_method, shipping_method_name, shipping_address,
            billing_address, note, price_trace, locale, placed_at, updated_at
        from orders
        where ",
    )
}

async fn first_head(conn: &mut Conn, query: &Query) -> db::Result<Option<Head>> {
    let row: Option<OrderRow> = query.fetch_optional(conn).await?;
    Ok(row.map(Head::from))
}

/// The order of a public number.
pub async fn by_number(conn: &mut Conn, number: &str) -> db::Result<Option<Head>> {
    let mut query = heads_where();
    query.push("number = ").bind(number);
    first_head(conn, &query).await
}

/// The order of a public number, locked until the transaction ends: whoever else would change
/// what belongs to it waits.
pub async fn lock(tx: &mut Tx, number: &str) -> db::Result<Option<Head>> {
    let mut query = heads_where();
    query.push("number = ").bind(number).lock();
    first_head(tx, &query).await
}

/// The order with an id.
pub async fn by_id(conn: &mut Conn, id: OrderId) -> db::Result<Option<Head>> {
    let mut query = heads_where();
    query.push("id = ").bind(id);
    first_head(conn, &query).await
}

/// The order that a cart became.
pub async fn of_cart(conn: &mut Conn, cart: CartId) -> db::Result<Option<Head>> {
    let mut query = heads_where();
    query.push("cart_id = ").bind(cart);
    first_head(conn, &query).await
}

/// A user's newest order.
pub async fn newest_of_user(conn: &mut Conn, user: UserId) -> db::Result<Option<Head>> {
    let mut query = heads_where();
    query.push("user_id = ").bind(user);
    query.push(" order by placed_at desc, id desc limit 1");
    first_head(conn, &query).await
}

/// All of a user's orders, the oldest first.
pub async fn of_user(conn: &mut Conn, user: UserId) -> db::Result<Vec<Head>> {
    let mut query = heads_where();
    query.push("user_id = ").bind(user);
    query.push(" order by id");
    let rows: Vec<OrderRow> = query.fetch_all(conn).await?;
    Ok(rows.into_iter().map(Head::from).collect())
}

#[derive(FromRow)]
struct LineRow {
    id: OrderLineId,
    product_id: ProductId,
    variant_id: VariantId,
    sku: String,
    name: String,
    variant_name: String,
    image_key: String,
    quantity: i64,
    cancelled_quantity: i64,
    unit_price_minor: i64,
    subtotal_minor: i64,
    line_discount_minor: i64,
    order_discount_minor: i64,
    tax_name: String,
    tax_rate: i64,
    tax_minor: i64,
    total_minor: i64,
}

/// The lines of an order, in the order of the cart.
pub async fn lines(
    conn: &mut Conn,
    order: OrderId,
    currency: Currency,
) -> db::Result<Vec<OrderLine>> {
    let rows = fetch_all!(
        conn,
        LineRow,
        "select id, product_id, variant_id, sku, name, variant_name, image_key, quantity,
            cancelled_quantity, unit_price_minor, subtotal_minor, line_discount_minor,
            order_discount_minor, tax_name, tax_rate, tax_minor, total_minor
        from order_lines
        where order_id = $1
        order by position, id",
        order,
    )?;
    let lines = rows.into_iter().map(|row| OrderLine {
        id: row.id,
        product_id: row.product_id,
        variant_id: row.variant_id,
        sku: row.sku,
        name: row.name,
        variant_name: row.variant_name,
        image_key: row.image_key,
        quantity: row.quantity,
        cancelled: row.cancelled_quantity,
        unit_price: Money::new(row.unit_price_minor, currency),
        subtotal: Money::new(row.subtotal_minor, currency),
        line_discount: Money::new(row.line_discount_minor, currency),
        order_discount: Money::new(row.order_discount_minor, currency),
        tax_rate: TaxRate {
            name: row.tax_name,
            rate: u32::try_from(row.tax_rate).unwrap_or(0),
        },
        tax: Money::new(row.tax_minor, currency),
        total: Money::new(row.total_minor, currency),
    });
    Ok(lines.collect())
}

#[derive(FromRow)]
struct EventRow {
    kind: String,
    detail: String,
    actor_name: String,
    created_at: Timestamp,
}

/// The timeline of an order, oldest first.
pub async fn events(conn: &mut Conn, order: OrderId) -> db::Result<Vec<OrderEvent>> {
    let rows = fetch_all!(
        conn,
        EventRow,
        "select kind, detail, actor_name, created_at
        from order_events
        where order_id = $1
        order by id",
        order,
    )?;
    let events = rows.into_iter().map(|row| OrderEvent {
        kind: row.kind,
        detail: row.detail,
        actor_name: row.actor_name,
        created_at: row.created_at,
    });
    Ok(events.collect())
}
