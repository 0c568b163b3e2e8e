-- Search has an index of its own; here is what staff say about words, and what was not found.

alter table products drop column search_text;

create table search_synonyms (
    id integer primary key autoincrement,
    -- Folded, parted by commas.
    words text not null,
    -- What is looked for as well; empty for words that mean the same.
    targets text not null default '',
    version bigint not null default 1,
    created_at bigint not null,
    updated_at bigint not null
);

-- Searches that found nothing.
create table search_misses (
    -- Folded.
    words text primary key not null,
    count bigint not null,
    last_at bigint not null
);
create index search_misses_count on search_misses (count, last_at);
