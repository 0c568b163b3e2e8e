-- Stock: what is where, and a ledger of every change.

create table locations (
    id integer primary key autoincrement,
    code text not null unique,
    name text not null
);
insert into locations (code, name) values ('main', 'Main warehouse');

create table stock_levels (
    variant_id bigint not null references variants (id) on delete cascade,
    location_id bigint not null references locations (id),
    on_hand bigint not null default 0 check (on_hand >= 0),
    reserved bigint not null default 0 check (reserved >= 0),
    primary key (variant_id, location_id)
);

-- Append only. on_hand is the sum of quantity over all movements of a variant at a location.
create table stock_movements (
    id integer primary key autoincrement,
    variant_id bigint not null references variants (id) on delete cascade,
    location_id bigint not null references locations (id),
    quantity bigint not null,
    reason text not null check (reason in ('received', 'adjusted', 'sold', 'cancelled')),
    -- What caused it, such as the number of an order.
    reference text not null default '',
    actor_id bigint references users (id) on delete set null,
    created_at bigint not null
);
create index stock_movements_variant on stock_movements (variant_id, id);
