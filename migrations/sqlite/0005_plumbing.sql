-- Events, jobs, replayed answers, the audit log, settings.

-- Events, written in the transaction of the change they tell of.
create table outbox (
    id integer primary key autoincrement,
    topic text not null,
    payload text not null,
    created_at bigint not null,
    dispatched_at bigint
);
create index outbox_waiting on outbox (id) where dispatched_at is null;

-- Work to do later. A finished job is deleted; one that failed too often stays as dead.
create table jobs (
    id integer primary key autoincrement,
    kind text not null,
    payload text not null,
    state text not null check (state in ('queued', 'dead')),
    run_at bigint not null,
    attempts bigint not null default 0,
    last_error text not null default '',
    created_at bigint not null
);
create index jobs_due on jobs (state, run_at, id);

-- Answers of API writes, replayed when a client repeats the request with the same key.
create table idempotency_keys (
    scope text not null,
    name text not null,
    fingerprint text not null,
    -- Null while the first request is still under way.
    status bigint,
    headers text not null default '[]',
    body text not null default '',
    created_at bigint not null,
    primary key (scope, name)
);
create index idempotency_keys_age on idempotency_keys (created_at);

-- Append only.
create table audit_log (
    id integer primary key autoincrement,
    action text not null,
    -- What was changed: "product 12", "order K7QM-…".
    subject text not null,
    before text not null default '',
    after text not null default '',
    actor_id bigint,
    actor_name text not null,
    address text not null default '',
    created_at bigint not null
);
create index audit_log_subject on audit_log (subject, id);

create table settings (
    name text primary key not null,
    value text not null
);
