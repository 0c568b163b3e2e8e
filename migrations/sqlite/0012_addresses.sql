-- The address books of people with an account.

create table addresses (
    id integer primary key autoincrement,
    user_id bigint not null references users (id) on delete cascade,
    name text not null,
    line1 text not null,
    line2 text not null default '',
    city text not null,
    region text not null default '',
    postal_code text not null,
    country text not null,
    phone text not null default '',
    default_shipping boolean not null default false,
    default_billing boolean not null default false,
    created_at bigint not null,
    updated_at bigint not null
);
create index addresses_user on addresses (user_id, id);
create unique index addresses_default_shipping on addresses (user_id) where default_shipping;
create unique index addresses_default_billing on addresses (user_id) where default_billing;
