-- Orders after they are placed: what leaves the house, invoices, returns, views of the list.

-- Where it goes, for lists; empty where an address is one free text.
alter table orders add column country text not null default '';
-- The language that the shopper is written to in.
alter table orders add column locale text not null default 'en' check (locale in ('en', 'es'));
-- Pieces that were called off before they were sent.
alter table order_lines add column cancelled_quantity bigint not null default 0;

update orders
set country = coalesce(json_extract(shipping_address, '$.country'), '')
where json_valid(shipping_address);
create index orders_country on orders (country, placed_at);

create table fulfilments (
    id integer primary key autoincrement,
    order_id bigint not null references orders (id),
    -- Within the order, from 1.
    number bigint not null,
    status text not null check (status in ('sent', 'delivered')),
    carrier text not null default '',
    tracking_number text not null default '',
    tracking_url text not null default '',
    created_at bigint not null,
    delivered_at bigint,
    unique (order_id, number)
);

create table fulfilment_lines (
    fulfilment_id bigint not null references fulfilments (id),
    order_line_id bigint not null references order_lines (id),
    quantity bigint not null check (quantity > 0),
    primary key (fulfilment_id, order_line_id)
);
create index fulfilment_lines_line on fulfilment_lines (order_line_id);

insert into fulfilments (order_id, number, status, created_at, delivered_at)
select id, 1, case status when 'delivered' then 'delivered' else 'sent' end, updated_at,
    case status when 'delivered' then updated_at end
from orders
where fulfilment_status = 'fulfilled';
insert into fulfilment_lines (fulfilment_id, order_line_id, quantity)
select f.id, l.id, l.quantity
from fulfilments f
join order_lines l on l.order_id = f.order_id;

-- The last number of each series. It is taken in the transaction of what it numbers, so that no
-- series has a gap.
create table counters (
    name text primary key not null,
    value bigint not null
);

-- Invoices and credit notes, as they were issued. A row is never changed.
create table invoices (
    id integer primary key autoincrement,
    order_id bigint not null references orders (id),
    kind text not null check (kind in ('invoice', 'credit_note')),
    series text not null,
    -- Within the series, from 1.
    position bigint not null,
    number text not null unique,
    -- What it was issued for, so that it is issued once: the refund of a credit note.
    reference text not null,
    currency text not null,
    total_minor bigint not null,
    -- JSON: everything that is printed.
    snapshot text not null,
    issued_at bigint not null,
    unique (series, position),
    unique (order_id, kind, reference)
);

create table returns (
    id integer primary key autoincrement,
    order_id bigint not null references orders (id),
    -- Within the order, from 1.
    number bigint not null,
    status text not null check (status in ('requested', 'approved', 'rejected', 'cancelled', 'received', 'refunded')),
    -- What the shopper wrote, and what staff answered.
    note text not null default '',
    answer text not null default '',
    refunded_minor bigint not null default 0,
    requested_at bigint not null,
    updated_at bigint not null,
    unique (order_id, number)
);
create index returns_status on returns (status, requested_at);

create table return_lines (
    return_id bigint not null references returns (id),
    order_line_id bigint not null references order_lines (id),
    quantity bigint not null check (quantity > 0),
    reason text not null check (reason in ('unwanted', 'damaged', 'wrong_item', 'not_as_described', 'late', 'other')),
    received bigint not null default 0,
    restocked bigint not null default 0,
    primary key (return_id, order_line_id)
);
create index return_lines_line on return_lines (order_line_id);

-- Views of the list of orders that somebody who works here keeps.
create table order_views (
    id integer primary key autoincrement,
    user_id bigint not null references users (id) on delete cascade,
    name text not null,
    query text not null,
    created_at bigint not null,
    unique (user_id, name)
);
