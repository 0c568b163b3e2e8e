-- People, their sessions and their tokens.

create table users (
    id integer primary key autoincrement,
    email text not null unique,
    name text not null,
    phone text not null default '',
    password_hash text not null,
    role text not null check (role in ('customer', 'staff', 'admin')),
    -- Names of permissions, parted by commas; empty for customers, not needed by admins.
    permissions text not null default '',
    created_at bigint not null,
    updated_at bigint not null
);

-- Browser sessions. user_id repeats what data says, so that they can be listed and revoked.
create table sessions (
    id text primary key not null,
    user_id bigint references users (id) on delete cascade,
    data text not null,
    created_at bigint not null,
    expires_at bigint not null
);
create index sessions_user on sessions (user_id);
create index sessions_expiry on sessions (expires_at);

-- API refresh tokens, stored hashed. A family is one sign-in; a token is used once.
create table refresh_tokens (
    id integer primary key autoincrement,
    user_id bigint not null references users (id) on delete cascade,
    family text not null,
    token_hash text not null unique,
    created_at bigint not null,
    expires_at bigint not null,
    used_at bigint,
    revoked_at bigint
);
create index refresh_tokens_family on refresh_tokens (family);
create index refresh_tokens_user on refresh_tokens (user_id);

-- Counters of attempts: by account and by address, within a window of time.
create table throttles (
    name text primary key not null,
    attempts bigint not null,
    window_ends_at bigint not null
);
