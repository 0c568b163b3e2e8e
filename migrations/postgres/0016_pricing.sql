-- Every cent of an order: what promotions took off, and which taxes were in or on it.

alter table orders add column discount_minor bigint not null default 0 check (discount_minor >= 0);
alter table orders add column shipping_discount_minor bigint not null default 0 check (shipping_discount_minor >= 0);
alter table orders add column shipping_tax_minor bigint not null default 0 check (shipping_tax_minor >= 0);
-- JSON: [name, rate in hundredths of a percent, net, tax] for each rate.
alter table orders add column taxes text not null default '[]';
-- JSON: [id, name, code, amount] for each promotion that counted.
alter table orders add column promotions text not null default '[]';

alter table order_lines add column line_discount_minor bigint not null default 0 check (line_discount_minor >= 0);
alter table order_lines add column order_discount_minor bigint not null default 0 check (order_discount_minor >= 0);
alter table order_lines add column tax_name text not null default 'tax';
-- In hundredths of a percent.
alter table order_lines add column tax_rate bigint not null default 0 check (tax_rate >= 0);
