-- From the cart to the paid order.

create table shipping_methods (
    id integer primary key autoincrement,
    code text not null unique,
    name text not null,
    description text not null default '',
    price_minor bigint not null check (price_minor >= 0),
    -- Orders of at least this subtotal ship free; null for never.
    free_over_minor bigint check (free_over_minor >= 0),
    currency text not null,
    active boolean not null default true,
    position bigint not null default 0
);

create table carts (
    id integer primary key autoincrement,
    -- Unguessable; whoever has it has the cart, as long as no user owns it.
    token text not null unique,
    user_id bigint references users (id) on delete cascade,
    status text not null check (status in ('active', 'ordered', 'merged')),
    created_at bigint not null,
    updated_at bigint not null
);
create unique index carts_one_active on carts (user_id) where status = 'active';

create table cart_items (
    id integer primary key autoincrement,
    cart_id bigint not null references carts (id) on delete cascade,
    variant_id bigint not null references variants (id) on delete cascade,
    quantity bigint not null check (quantity > 0),
    -- The price when the shopper last saw it, so that a change can be told.
    seen_price_minor bigint not null,
    created_at bigint not null,
    unique (cart_id, variant_id)
);

create table orders (
    id integer primary key autoincrement,
    number text not null unique,
    -- One cart becomes one order, whatever happens.
    cart_id bigint not null unique references carts (id),
    user_id bigint references users (id) on delete set null,
    guest_token_hash text,
    email text not null,
    -- Who bought, for lists: the name on the address, or the first line of it.
    customer text not null,
    -- Number, e-mail and customer, folded for search.
    search_text text not null,
    status text not null check (status in ('pending', 'confirmed', 'processing', 'shipped', 'delivered', 'cancelled')),
    payment_status text not null check (payment_status in ('unpaid', 'authorized', 'paid', 'partially_refunded', 'refunded')),
    fulfilment_status text not null check (fulfilment_status in ('unfulfilled', 'partial', 'fulfilled')),
    currency text not null,
    subtotal_minor bigint not null,
    shipping_minor bigint not null,
    tax_minor bigint not null,
    total_minor bigint not null check (total_minor >= 0),
    prices_include_tax boolean not null,
    shipping_method text not null,
    shipping_method_name text not null,
    -- JSON: {"name", "line1", …}, or {"text"} where a client gave one free text.
    shipping_address text not null,
    billing_address text,
    note text not null default '',
    -- JSON: the steps of the price, as shown by "Why this price?".
    price_trace text not null default '[]',
    placed_at bigint not null,
    updated_at bigint not null
);
create index orders_user on orders (user_id, placed_at);
create index orders_status on orders (status, placed_at);
create index orders_payment_status on orders (payment_status, placed_at);
create index orders_fulfilment_status on orders (fulfilment_status, placed_at);
create index orders_placed on orders (placed_at);

-- Copies of name, SKU and price: a later change of the product changes no order.
create table order_lines (
    id integer primary key autoincrement,
    order_id bigint not null references orders (id),
    product_id bigint not null,
    variant_id bigint not null,
    sku text not null,
    name text not null,
    variant_name text not null default '',
    image_key text not null default '',
    quantity bigint not null check (quantity > 0),
    unit_price_minor bigint not null,
    subtotal_minor bigint not null,
    tax_minor bigint not null,
    total_minor bigint not null,
    position bigint not null,
    unique (order_id, variant_id)
);
create index order_lines_product on order_lines (product_id);
create index order_lines_variant on order_lines (variant_id);

-- The timeline: every change of an order with its actor.
create table order_events (
    id integer primary key autoincrement,
    order_id bigint not null references orders (id),
    kind text not null,
    detail text not null default '',
    actor_id bigint references users (id) on delete set null,
    actor_name text not null,
    created_at bigint not null
);
create index order_events_order on order_events (order_id, id);

create table payments (
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
    check (captured_minor <= amount_minor),
    check (refunded_minor <= captured_minor)
);
create index payments_order on payments (order_id, id);
