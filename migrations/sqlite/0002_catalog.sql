-- What is sold: the category tree, products, variants, pictures, reviews.

create table categories (
    id integer primary key autoincrement,
    parent_id bigint references categories (id),
    slug text not null unique,
    name text not null,
    description text not null default '',
    position bigint not null default 0,
    version bigint not null default 1,
    created_at bigint not null,
    updated_at bigint not null
);
create index categories_parent on categories (parent_id);

create table products (
    id integer primary key autoincrement,
    slug text not null unique,
    name text not null,
    maker text not null default '',
    summary text not null default '',
    -- Markdown.
    description text not null default '',
    category_id bigint references categories (id),
    status text not null check (status in ('draft', 'active', 'archived')),
    -- JSON: [{"name": "Colour", "values": [{"value": "Oat", "swatch": "#e4dac8"}]}]
    options text not null default '[]',
    -- Tags, parted by commas.
    tags text not null default '',
    -- Name, maker, summary, tags, attributes and SKUs, folded for search.
    search_text text not null default '',
    -- The lowest and highest price of the active variants, in minor units; null without any.
    price_min_minor bigint,
    price_max_minor bigint,
    rating_sum bigint not null default 0,
    rating_count bigint not null default 0,
    -- Bayesian average in thousandths of a star; written together with sum and count.
    rating_score bigint not null default 0,
    version bigint not null default 1,
    created_by bigint references users (id) on delete set null,
    created_at bigint not null,
    updated_at bigint not null
);
create index products_category on products (category_id, status);
create index products_newest on products (status, created_at);
create index products_price on products (status, price_min_minor);
create index products_score on products (status, rating_score);

-- A changed slug goes on leading to its product.
create table product_redirects (
    slug text primary key not null,
    product_id bigint not null references products (id) on delete cascade
);

create table product_attributes (
    product_id bigint not null references products (id) on delete cascade,
    name text not null,
    value text not null,
    position bigint not null,
    primary key (product_id, name)
);
create index product_attributes_value on product_attributes (name, value);

create table variants (
    id integer primary key autoincrement,
    product_id bigint not null references products (id) on delete cascade,
    sku text not null unique,
    -- JSON: ["Oat", "350 ml"], one value for each option of the product, in its order.
    options text not null default '[]',
    price_minor bigint not null check (price_minor >= 0),
    compare_at_minor bigint check (compare_at_minor >= 0),
    currency text not null,
    weight_grams bigint not null default 0 check (weight_grams >= 0),
    barcode text not null default '',
    position bigint not null default 0,
    -- A variant that was ordered once is switched off instead of deleted.
    active boolean not null default true,
    created_at bigint not null,
    updated_at bigint not null
);
create index variants_product on variants (product_id, position);

create table product_images (
    id integer primary key autoincrement,
    product_id bigint not null references products (id) on delete cascade,
    -- Where storage keeps it, without the size: "ab/abcdef…".
    storage_key text not null,
    alt text not null default '',
    width bigint not null,
    height bigint not null,
    -- The option value that it shows, such as a colour; empty when it shows any.
    option_value text not null default '',
    position bigint not null default 0,
    created_at bigint not null
);
create index product_images_product on product_images (product_id, position);

create table reviews (
    id integer primary key autoincrement,
    product_id bigint not null references products (id) on delete cascade,
    user_id bigint not null references users (id) on delete cascade,
    rating bigint not null check (rating between 1 and 5),
    title text not null default '',
    body text not null default '',
    created_at bigint not null,
    updated_at bigint not null,
    unique (product_id, user_id)
);
create index reviews_newest on reviews (product_id, created_at);
