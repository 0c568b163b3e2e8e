-- Until when an order may wait for its payment, where that is longer than the shop's usual time:
-- who is to pay by the link in a letter does not do it within minutes.
alter table orders add column pay_until bigint;
