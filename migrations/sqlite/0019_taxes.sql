-- Taxes: what kinds of goods there are, and how much tax is on them where.

create table tax_classes (
    -- Its name for programs, which products hold; it never changes.
    code text primary key not null,
    name text not null,
    position bigint not null default 0,
    -- What shipping is taxed as; one class is.
    for_shipping boolean not null default false,
    version bigint not null default 1
);
create unique index tax_classes_for_shipping on tax_classes (for_shipping) where for_shipping;
insert into tax_classes (code, name, for_shipping)
values ('standard', 'Standard', true);

create table tax_rates (
    id integer primary key autoincrement,
    tax_class text not null references tax_classes (code) on delete cascade,
    -- ISO 3166-1 alpha-2; empty for any.
    country text not null default '',
    -- A state or province, in all the ways that people write it, parted by commas; empty for any.
    region text not null default '',
    -- `VAT`, as shoppers see it.
    name text not null,
    -- In hundredths of a percent.
    rate bigint not null check (rate between 0 and 10000),
    version bigint not null default 1,
    updated_at bigint not null,
    unique (tax_class, country, region)
);

-- Null is 'standard': SQLite adds no column that refers to a row and has another default.
alter table products add column tax_class text references tax_classes (code);
create index products_tax_class on products (tax_class);
