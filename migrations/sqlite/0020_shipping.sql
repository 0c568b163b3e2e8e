-- Shipping zones: where orders go, and which ways to ship there are there.

create table shipping_zones (
    id integer primary key autoincrement,
    name text not null unique,
    -- ISO 3166-1 alpha-2, parted by commas; empty for the rest of the world.
    countries text not null default '',
    -- `10*`, `1000-1999`, `28013`, parted by commas; empty for all of the countries.
    postal_codes text not null default '',
    -- The first zone that serves a destination is the one that counts.
    position bigint not null,
    version bigint not null default 1
);
create index shipping_zones_position on shipping_zones (position, id);
insert into shipping_zones (name, position)
values ('Everywhere', 1000);

-- SQLite adds no column that must be filled and refers to a row, so that the table is made anew.
create table zoned_shipping_methods (
    id integer primary key autoincrement,
    zone_id bigint not null references shipping_zones (id) on delete cascade,
    code text not null unique,
    name text not null,
    description text not null default '',
    kind text not null default 'flat' check (kind in ('flat', 'by_weight', 'by_total', 'pickup')),
    -- Of a flat rate and of a pickup.
    price_minor bigint not null check (price_minor >= 0),
    -- JSON: [[from, price], …] in ascending order. From: grams, or minor units of the goods' price.
    steps text not null default '[]',
    -- Orders of at least this subtotal ship free; null for never.
    free_over_minor bigint check (free_over_minor >= 0),
    -- Where a pickup is.
    pickup_location text not null default '',
    currency text not null,
    active boolean not null default true,
    position bigint not null default 0,
    version bigint not null default 1
);
insert into zoned_shipping_methods
    (id, zone_id, code, name, description, price_minor, free_over_minor, currency, active, position)
select m.id, z.id, m.code, m.name, m.description, m.price_minor, m.free_over_minor, m.currency,
    m.active, m.position
from shipping_methods m
cross join shipping_zones z;
drop table shipping_methods;
alter table zoned_shipping_methods rename to shipping_methods;
create index shipping_methods_zone on shipping_methods (zone_id, position, id);
