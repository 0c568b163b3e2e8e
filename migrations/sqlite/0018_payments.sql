-- Payments through gateways: what is asked of a gateway, what it says, which events came, what goes back.

-- SQLite changes no check in place, so the table is made anew. A gateway may say that more came than
-- was asked for; nothing refers to this table.
create table new_payments (
    id integer primary key autoincrement,
    order_id bigint not null references orders (id),
    provider text not null,
    status text not null check (status in ('pending', 'authorized', 'captured', 'failed', 'voided')),
    amount_minor bigint not null check (amount_minor >= 0),
    captured_minor bigint not null default 0 check (captured_minor >= 0),
    refunded_minor bigint not null default 0 check (refunded_minor >= 0),
    currency text not null,
    reference text not null default '',
    created_at bigint not null,
    updated_at bigint not null,
    -- The currency of what came; the order's own, unless the money does not fit.
    paid_currency text not null default '',
    -- What the gateway calls it, and what it calls the money itself; null until it is known.
    gateway_reference text,
    charge_reference text,
    -- Where the shopper pays, while that is possible.
    pay_url text not null default '',
    -- Why it did not work, for the shopper.
    failure text not null default '',
    -- Why its money belongs to no order; empty where it does.
    unmatched text not null default '' check (unmatched in ('', 'order_cancelled', 'cannot_fill', 'amount_differs', 'currency_differs', 'paid_twice')),
    -- Since when the order's stock is taken because of it.
    settled_at bigint,
    -- When the gateway is asked again; null for never.
    next_check_at bigint,
    version bigint not null default 0,
    check (refunded_minor <= captured_minor)
);
insert into new_payments (id, order_id, provider, status, amount_minor, captured_minor, refunded_minor, currency, reference, created_at, updated_at, paid_currency, settled_at)
select id, order_id, provider, status, amount_minor, captured_minor, refunded_minor, currency, reference, created_at, updated_at, currency, created_at
from payments;
drop table payments;
alter table new_payments rename to payments;
create index payments_order on payments (order_id, id);
create unique index payments_gateway on payments (provider, gateway_reference) where gateway_reference is not null;
create index payments_charge on payments (charge_reference) where charge_reference is not null;
create index payments_due on payments (next_check_at) where next_check_at is not null;
create index payments_unmatched on payments (id) where unmatched <> '';
create index payments_created on payments (created_at, id);

-- What goes back to a shopper, as the shop decided it.
create table refunds (
    id integer primary key autoincrement,
    order_id bigint not null references orders (id),
    amount_minor bigint not null check (amount_minor > 0),
    -- Of this, so much for shipping; what is neither shipping nor a line's is a free amount.
    shipping_minor bigint not null default 0 check (shipping_minor >= 0),
    currency text not null,
    state text not null check (state in ('requested', 'succeeded', 'failed')),
    reason text not null default '',
    actor_name text not null,
    created_at bigint not null,
    updated_at bigint not null
);
create index refunds_order on refunds (order_id, id);

create table refund_lines (
    refund_id bigint not null references refunds (id),
    order_line_id bigint not null references order_lines (id),
    quantity bigint not null check (quantity > 0),
    amount_minor bigint not null check (amount_minor >= 0),
    -- Whether the pieces went back to the shelf.
    restocked boolean not null,
    primary key (refund_id, order_line_id)
);
create index refund_lines_line on refund_lines (order_line_id);

-- What is asked of gateways, written before it is asked: whatever stops the program, the same thing
-- is asked again under the same key, and done once.
create table payment_operations (
    id integer primary key autoincrement,
    payment_id bigint not null references payments (id),
    kind text not null check (kind in ('begin', 'capture', 'void', 'refund')),
    amount_minor bigint not null check (amount_minor >= 0),
    currency text not null,
    state text not null check (state in ('requested', 'succeeded', 'failed')),
    idempotency_key text not null unique,
    -- Of which refund it is a part.
    refund_id bigint references refunds (id),
    -- What the gateway calls it.
    gateway_reference text not null default '',
    error text not null default '',
    attempts bigint not null default 0,
    created_at bigint not null,
    updated_at bigint not null
);
create index payment_operations_payment on payment_operations (payment_id, id);
create index payment_operations_refund on payment_operations (refund_id) where refund_id is not null;
create index payment_operations_open on payment_operations (updated_at) where state = 'requested';

-- The inbox: what gateways told, before anybody acts on it.
create table payment_events (
    id integer primary key autoincrement,
    provider text not null,
    -- What the gateway calls it; the same event comes twice at times.
    event_id text not null,
    kind text not null,
    payment_id bigint references payments (id),
    -- What the event calls the payment.
    reference text not null default '',
    payload text not null,
    state text not null check (state in ('received', 'done', 'ignored', 'unknown')),
    outcome text not null default '',
    received_at bigint not null,
    handled_at bigint,
    unique (provider, event_id)
);
create index payment_events_state on payment_events (state, received_at);
create index payment_events_payment on payment_events (payment_id, id);

-- The gateway inside of the program, for trying things out: what it knows of payments.
create table test_gateway_payments (
    id integer primary key autoincrement,
    reference text not null unique,
    idempotency_key text not null unique,
    order_number text not null,
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null,
    -- What the shopper approved, which may be another sum in another currency.
    approved_minor bigint not null default 0,
    approved_currency text not null default '',
    captured_minor bigint not null default 0,
    refunded_minor bigint not null default 0,
    takes_at_once boolean not null,
    state text not null check (state in ('pending', 'authorized', 'captured', 'failed', 'voided')),
    -- What becomes of it by itself, and when.
    next_state text not null default '',
    next_at bigint,
    failure text not null default '',
    created_at bigint not null
);

-- What was asked of it, so that the same key does the same thing once.
create table test_gateway_calls (
    idempotency_key text primary key not null,
    reference text not null,
    kind text not null,
    amount_minor bigint not null,
    created_at bigint not null
);
