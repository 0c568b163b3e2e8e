-- Who works here: changes of role and permissions are counted, and found without reading everybody.

alter table users add column role_version bigint not null default 0;
create index users_staff on users (role) where role <> 'customer';
