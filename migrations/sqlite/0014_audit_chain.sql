-- The audit log becomes a chain: each entry is sealed with the one before it.

-- Whose personal data stand in before and after; null for nobody's.
alter table audit_log add column person_id bigint;
-- Given by the chain, from 1 without a gap; null until it has come to this entry.
alter table audit_log add column position bigint;
alter table audit_log add column hash text not null default '';
-- What stands for actor_name and address, and for before and after: each can go without the
-- chain breaking, together with its salt, which keeps anybody from guessing it out of the hash.
alter table audit_log add column who_salt text not null default '';
alter table audit_log add column who_hash text not null default '';
alter table audit_log add column what_salt text not null default '';
alter table audit_log add column what_hash text not null default '';
alter table audit_log add column erased_at bigint;
update audit_log set person_id = cast(substr(subject, 6) as bigint) where subject like 'user %';

create unique index audit_log_position on audit_log (position);
create index audit_log_waiting on audit_log (id) where position is null;
create index audit_log_action on audit_log (action, id);
create index audit_log_actor on audit_log (actor_id, id);
create index audit_log_person on audit_log (person_id) where person_id is not null;
create index audit_log_time on audit_log (created_at);

-- One row: where the chain ends, so that cutting its end off is seen, and its last check.
create table audit_head (
    name text primary key not null,
    position bigint not null,
    hash text not null,
    checked_at bigint,
    checked_position bigint not null default 0,
    -- What the check found; empty for nothing.
    finding text not null default ''
);
insert into audit_head (name, position, hash)
values ('chain', 0, '0000000000000000000000000000000000000000000000000000000000000000');
