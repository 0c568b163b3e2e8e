-- Who received what, so that a review can be told from a guess; and what staff do about reviews.

-- Written when an order is delivered. That a shopper had the thing in their hands stays true
-- whatever happens to the money afterwards.
create table received_products (
    user_id bigint not null references users (id) on delete cascade,
    product_id bigint not null references products (id) on delete cascade,
    received_at bigint not null,
    primary key (user_id, product_id)
);
create index received_products_product on received_products (product_id);
insert into received_products (user_id, product_id, received_at)
select o.user_id, l.product_id, min(o.updated_at)
from orders as o
join order_lines as l on l.order_id = o.id
join products as p on p.id = l.product_id
where o.status = 'delivered' and o.user_id is not null
group by o.user_id, l.product_id;

alter table reviews add column hidden boolean not null default false;
-- What the shop answers; empty for nothing, and then nobody answered at no time.
alter table reviews add column reply text not null default '';
alter table reviews add column reply_author text not null default '';
alter table reviews add column replied_at bigint;
alter table reviews add column version bigint not null default 1;
-- Headline and text, folded for search.
alter table reviews add column search_text text not null default '';
update reviews set search_text = lower(title || ' ' || body);
create index reviews_all on reviews (created_at, id);
