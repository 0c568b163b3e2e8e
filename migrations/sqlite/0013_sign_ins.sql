-- Where people are signed in, so that they can see and end it; personal tokens for scripts.

-- From here on sessions are kept under the hash of their id. Who was signed in signs in again.
delete from sessions;
alter table sessions add column last_used_at bigint not null default 0;
-- Of the browser that signed in; empty for guests.
alter table sessions add column user_agent text not null default '';
alter table sessions add column address text not null default '';

-- When the sign-in began that a token comes from, and what it was last refreshed by.
alter table refresh_tokens add column started_at bigint not null default 0;
alter table refresh_tokens add column user_agent text not null default '';
alter table refresh_tokens add column address text not null default '';
update refresh_tokens set started_at = created_at;

-- Tokens that people make for their scripts, stored hashed.
create table personal_tokens (
    id integer primary key autoincrement,
    user_id bigint not null references users (id) on delete cascade,
    name text not null,
    token_hash text not null unique,
    -- Names of scopes, parted by commas.
    scopes text not null,
    created_at bigint not null,
    expires_at bigint not null,
    last_used_at bigint
);
create index personal_tokens_user on personal_tokens (user_id);
create index personal_tokens_expiry on personal_tokens (expires_at);
