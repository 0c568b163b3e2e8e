-- The second factor of a sign-in: codes from an app, and recovery codes for the day it is lost.

create table two_factors (
    user_id bigint primary key not null references users (id) on delete cascade,
    -- In base 32. It is no hash, because the shop must reckon the same codes as the app.
    secret text not null,
    -- The step of 30 seconds whose code was used last: no code is good twice.
    last_step bigint not null,
    created_at bigint not null
);

-- Stored hashed, each good for one use.
create table recovery_codes (
    user_id bigint not null references users (id) on delete cascade,
    code_hash text not null,
    used_at bigint,
    primary key (user_id, code_hash)
);
