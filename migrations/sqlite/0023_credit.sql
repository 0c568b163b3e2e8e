-- Gift cards and store credit: money that shoppers have with the shop, and the ledger of it.

create table credit_accounts (
    id integer primary key autoincrement,
    kind text not null check (kind in ('gift_card', 'store_credit')),
    -- SHA-256 of a card's code, in hexadecimal digits; null until a letter brings it to somebody.
    code_hash text,
    last_four text not null default '',
    -- Whose store credit it is; null for a card, and when the person is gone.
    user_id bigint references users (id) on delete set null,
    currency text not null,
    -- The sum of the entries.
    balance_minor bigint not null default 0 check (balance_minor >= 0),
    initial_minor bigint not null default 0 check (initial_minor >= 0),
    expires_at bigint,
    active boolean not null default true,
    -- For staff.
    note text not null default '',
    recipient_email text not null default '',
    message text not null default '',
    -- The form that issued it, and its place among the cards of that form: a form counts once.
    batch text,
    batch_position bigint not null default 0,
    version bigint not null default 1,
    created_at bigint not null,
    updated_at bigint not null
);
create unique index credit_accounts_code on credit_accounts (code_hash) where code_hash is not null;
create unique index credit_accounts_user on credit_accounts (user_id, currency) where user_id is not null;
create unique index credit_accounts_batch on credit_accounts (batch, batch_position) where batch is not null;
create index credit_accounts_last_four on credit_accounts (last_four, id);
create index credit_accounts_kind on credit_accounts (kind, id);
create index credit_accounts_expires on credit_accounts (expires_at) where expires_at is not null and balance_minor > 0;

-- Never changed, never removed.
create table credit_entries (
    id integer primary key autoincrement,
    account_id bigint not null references credit_accounts (id),
    amount_minor bigint not null check (amount_minor <> 0),
    reason text not null check (reason in ('issued', 'spent', 'refunded', 'adjusted', 'expired')),
    -- The number of the order, or empty.
    reference text not null default '',
    note text not null default '',
    -- What may be written once only.
    once_key text,
    actor_id bigint references users (id) on delete set null,
    actor_name text not null,
    created_at bigint not null
);
create index credit_entries_account on credit_entries (account_id, id);
create index credit_entries_actor on credit_entries (actor_id) where actor_id is not null;
create unique index credit_entries_once on credit_entries (account_id, once_key) where once_key is not null;

-- The cards that somebody wants to pay their cart with.
create table cart_gift_cards (
    cart_id bigint not null references carts (id) on delete cascade,
    account_id bigint not null references credit_accounts (id),
    created_at bigint not null,
    primary key (cart_id, account_id)
);
create index cart_gift_cards_account on cart_gift_cards (account_id);
