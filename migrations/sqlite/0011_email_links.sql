-- Whether an account's e-mail is its owner's, and the links in letters that show it.

alter table users add column email_verified_at bigint;
alter table users add column locale text not null default 'en' check (locale in ('en', 'es'));
-- When they agreed to letters with offers; null for those who did not.
alter table users add column marketing_consent_at bigint;

-- Links that were sent by mail, each good for one use. What the link carries is kept hashed.
create table email_links (
    id integer primary key autoincrement,
    user_id bigint not null references users (id) on delete cascade,
    purpose text not null check (purpose in ('verify', 'reset', 'change_old', 'change_new')),
    -- The address that is to be the account's: for a change, the new one.
    email text not null,
    token_hash text not null unique,
    created_at bigint not null,
    expires_at bigint not null,
    used_at bigint
);
create index email_links_user on email_links (user_id, purpose);
create index email_links_expiry on email_links (expires_at);
