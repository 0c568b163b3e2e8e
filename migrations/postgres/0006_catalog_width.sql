-- The catalog to its full width: when a product goes on sale, what search engines are told, what
-- goes well with it, its tags, and where the old slugs of categories lead.

alter table products add column publish_at bigint;
alter table products add column digital boolean not null default false;
alter table products add column seo_title text not null default '';
alter table products add column seo_description text not null default '';
create index products_due on products (publish_at) where publish_at is not null;

alter table categories add column seo_title text not null default '';
alter table categories add column seo_description text not null default '';

create table product_tags (
    product_id bigint not null references products (id) on delete cascade,
    tag text not null,
    position bigint not null,
    primary key (product_id, tag)
);
create index product_tags_tag on product_tags (tag, product_id);
insert into product_tags (product_id, tag, position)
select p.id, t.tag, t.place - 1
from products as p,
    unnest(string_to_array(p.tags, ',')) with ordinality as t (tag, place)
where p.tags <> '';
alter table products drop column tags;

-- Products that a merchant shows beside this one, in their order.
create table product_relations (
    product_id bigint not null references products (id) on delete cascade,
    related_id bigint not null references products (id) on delete cascade,
    position bigint not null,
    primary key (product_id, related_id),
    check (product_id <> related_id)
);
create index product_relations_related on product_relations (related_id);

-- A changed slug goes on leading to its category.
create table category_redirects (
    slug text primary key not null,
    category_id bigint not null references categories (id) on delete cascade
);
create index category_redirects_category on category_redirects (category_id);
create index product_redirects_product on product_redirects (product_id);

-- Who follows a topic with a cursor of their own reads on from the last id that they saw.
create index outbox_topic on outbox (topic, id);
