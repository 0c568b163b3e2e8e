-- Products from files: batches, their rows, what a dry run found, pictures to fetch.

create table import_batches (
    id integer primary key autoincrement,
    file_name text not null,
    file_bytes bigint not null,
    format text not null check (format in ('zoco', 'shopify', 'woocommerce')),
    delimiter bigint not null,
    -- JSON: the header row, and the columns of it that nobody reads.
    columns text not null,
    ignored text not null,
    state text not null check (state in ('reading', 'comparing', 'ready', 'failed', 'applying', 'applied', 'stopped', 'reverting', 'reverted')),
    -- Why it failed.
    problem text not null default '',
    -- Where reading goes on.
    read_bytes bigint not null,
    read_line bigint not null,
    -- JSON: ids of the categories that it made.
    categories text not null default '[]',
    -- In whose name it is worked on; none: the shop's own. No reference: what somebody began who
    -- is gone must not go on in the name of the shop.
    user_id bigint,
    created_at bigint not null,
    updated_at bigint not null
);
create index import_batches_state on import_batches (state);

-- Rows of the file until they are compared.
create table import_lines (
    batch_id bigint not null references import_batches (id) on delete cascade,
    line bigint not null,
    handle text not null,
    -- JSON: the cells.
    cells text not null,
    primary key (batch_id, line)
);
create index import_lines_handle on import_lines (batch_id, handle);

-- What only one product of the file may have: an SKU, a name in URLs, a product of the catalog.
create table import_claims (
    batch_id bigint not null references import_batches (id) on delete cascade,
    name text not null,
    primary key (batch_id, name)
);

create table import_products (
    id integer primary key autoincrement,
    batch_id bigint not null references import_batches (id) on delete cascade,
    handle text not null,
    line bigint not null,
    name text not null default '',
    verdict text not null check (verdict in ('read', 'new', 'changed', 'unchanged', 'error')),
    outcome text not null default 'waiting' check (outcome in ('waiting', 'applied', 'conflict', 'refused', 'reverted', 'kept')),
    product_id bigint,
    -- The version that it was compared with; once written, the one that this made.
    version bigint,
    -- JSON: what is written, what changes, and what was before.
    described text not null default '',
    changes text not null default '[]',
    former text not null default '',
    -- JSON: products that go with it and are yet to be named; empty for none.
    related text not null default '',
    -- Why it was left alone.
    problem text not null default '',
    unique (batch_id, handle)
);
create index import_products_state on import_products (batch_id, verdict, outcome, id);
create index import_products_outcome on import_products (batch_id, outcome, id);

create table import_errors (
    id integer primary key autoincrement,
    batch_id bigint not null references import_batches (id) on delete cascade,
    line bigint not null,
    field text not null,
    message text not null
);
create index import_errors_line on import_errors (batch_id, line, id);

create table import_pictures (
    id integer primary key autoincrement,
    batch_id bigint not null references import_batches (id) on delete cascade,
    item_id bigint not null references import_products (id) on delete cascade,
    product_id bigint not null,
    url text not null,
    alt text not null,
    option_value text not null,
    state text not null check (state in ('waiting', 'fetched', 'failed')),
    -- When it may be tried next, and how often it was.
    due_at bigint not null,
    attempts bigint not null default 0,
    problem text not null default '',
    image_id bigint
);
create index import_pictures_state on import_pictures (batch_id, state, id);
create index import_pictures_item on import_pictures (item_id, state, id);
create index import_pictures_due on import_pictures (state, due_at, id);

-- Where a product's pictures came from, so that the same file brings none twice.
create table picture_sources (
    product_id bigint not null references products (id) on delete cascade,
    url text not null,
    image_id bigint not null references product_images (id) on delete cascade,
    primary key (product_id, url)
);
create index picture_sources_image on picture_sources (image_id);
