-- Which gift card or store credit a payment was taken from.

alter table payments add column credit_account_id bigint references credit_accounts (id);
create index payments_credit_account on payments (credit_account_id) where credit_account_id is not null;
