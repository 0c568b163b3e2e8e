-- Promotions: what the shop takes off, by itself or for a code, and every use of it.

create table promotions (
    id integer primary key autoincrement,
    name text not null,
    trigger_kind text not null check (trigger_kind in ('automatic', 'code')),
    kind text not null check (kind in ('percentage', 'amount', 'free_shipping', 'buy_x_get_y')),
    -- In hundredths of a percent.
    percent bigint not null default 0 check (percent between 0 and 10000),
    amount_minor bigint not null default 0 check (amount_minor >= 0),
    buy bigint not null default 0 check (buy >= 0),
    get bigint not null default 0 check (get >= 0),
    target text not null check (target in ('order', 'products', 'categories')),
    minimum_minor bigint check (minimum_minor >= 0),
    currency text not null,
    first_order boolean not null default false,
    starts_at bigint,
    ends_at bigint,
    exclusive boolean not null default false,
    max_uses bigint check (max_uses > 0),
    max_uses_per_customer bigint check (max_uses_per_customer > 0),
    -- How many redemptions are not given back.
    uses bigint not null default 0 check (uses >= 0),
    position bigint not null default 0,
    active boolean not null default true,
    version bigint not null default 1,
    created_at bigint not null,
    updated_at bigint not null
);
create index promotions_automatic on promotions (position, id) where active and trigger_kind = 'automatic';

create table promotion_products (
    promotion_id bigint not null references promotions (id) on delete cascade,
    product_id bigint not null references products (id) on delete cascade,
    primary key (promotion_id, product_id)
);
create index promotion_products_product on promotion_products (product_id);

create table promotion_categories (
    promotion_id bigint not null references promotions (id) on delete cascade,
    category_id bigint not null references categories (id) on delete cascade,
    primary key (promotion_id, category_id)
);
create index promotion_categories_category on promotion_categories (category_id);

create table promotion_codes (
    id integer primary key autoincrement,
    promotion_id bigint not null references promotions (id) on delete cascade,
    -- In capitals.
    code text not null unique,
    max_uses bigint check (max_uses > 0),
    uses bigint not null default 0 check (uses >= 0),
    created_at bigint not null
);
create index promotion_codes_promotion on promotion_codes (promotion_id, id);

-- A use. It is written in the transaction of its order, and given back when that is cancelled.
create table promotion_redemptions (
    id integer primary key autoincrement,
    promotion_id bigint not null references promotions (id),
    code_id bigint references promotion_codes (id),
    -- The number of the order.
    reference text not null,
    user_id bigint references users (id) on delete set null,
    email text not null,
    amount_minor bigint not null check (amount_minor >= 0),
    created_at bigint not null,
    released_at bigint,
    unique (promotion_id, reference)
);
create index promotion_redemptions_reference on promotion_redemptions (reference);
create index promotion_redemptions_user on promotion_redemptions (user_id, promotion_id);
create index promotion_redemptions_email on promotion_redemptions (email, promotion_id);
create index promotion_redemptions_code on promotion_redemptions (code_id);

-- The codes that somebody typed into their cart.
create table cart_codes (
    cart_id bigint not null references carts (id) on delete cascade,
    code text not null,
    created_at bigint not null,
    primary key (cart_id, code)
);

-- Whether somebody ordered before.
create index orders_email on orders (email);
