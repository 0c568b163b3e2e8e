-- Stock in several places, pieces held for orders that are being paid, selling beyond the stock,
-- and people who wait for more.

-- Orders are filled from active places in the order of their position.
alter table locations add column position bigint not null default 0;
alter table locations add column active boolean not null default true;
-- Lines as on an envelope; empty for none.
alter table locations add column address text not null default '';

-- With a variant that is sold beyond its stock, on_hand may fall below zero: that many are owed.
create table stock_levels_new (
    variant_id bigint not null references variants (id) on delete cascade,
    location_id bigint not null references locations (id),
    on_hand bigint not null default 0,
    reserved bigint not null default 0 check (reserved >= 0),
    primary key (variant_id, location_id)
);
insert into stock_levels_new (variant_id, location_id, on_hand, reserved)
select variant_id, location_id, on_hand, 0
from stock_levels;
drop table stock_levels;
alter table stock_levels_new rename to stock_levels;
create index stock_levels_location on stock_levels (location_id);

-- Append only. on_hand is the sum of quantity over all movements of a variant at a location.
create table stock_movements_new (
    id integer primary key autoincrement,
    variant_id bigint not null references variants (id) on delete cascade,
    location_id bigint not null references locations (id),
    quantity bigint not null,
    reason text not null check (reason in ('received', 'adjusted', 'sold', 'cancelled', 'counted', 'damaged', 'lost', 'found', 'returned', 'correction', 'transferred')),
    -- What caused it, such as the number of an order.
    reference text not null default '',
    actor_id bigint references users (id) on delete set null,
    created_at bigint not null,
    -- What somebody has to say about it.
    note text not null default ''
);
insert into stock_movements_new (id, variant_id, location_id, quantity, reason, reference, actor_id, created_at)
select id, variant_id, location_id, quantity, reason, reference, actor_id, created_at
from stock_movements;
drop table stock_movements;
alter table stock_movements_new rename to stock_movements;
create index stock_movements_variant on stock_movements (variant_id, id);
create index stock_movements_reference on stock_movements (reference);

-- Pieces held for an order that is being paid. reserved is the sum of quantity over all
-- reservations of a variant at a location.
create table reservations (
    reference text not null,
    variant_id bigint not null references variants (id) on delete cascade,
    location_id bigint not null references locations (id),
    quantity bigint not null check (quantity > 0),
    expires_at bigint not null,
    created_at bigint not null,
    primary key (reference, variant_id, location_id)
);
create index reservations_variant on reservations (variant_id, expires_at);
create index reservations_expired on reservations (expires_at);

-- Whether it is sold beyond the stock, and from how many pieces down it is low; null: the shop's
-- usual number.
alter table variants add column backorder boolean not null default false;
alter table variants add column low_stock bigint;

-- Who wants a letter when a variant can be bought again. notified_at: the letter is under way.
create table stock_waiters (
    id integer primary key autoincrement,
    variant_id bigint not null references variants (id) on delete cascade,
    email text not null,
    user_id bigint references users (id) on delete cascade,
    locale text not null,
    created_at bigint not null,
    notified_at bigint
);
create unique index stock_waiters_variant on stock_waiters (variant_id, email);
create index stock_waiters_email on stock_waiters (email);
create index stock_waiters_user on stock_waiters (user_id);
