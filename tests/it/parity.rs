//! Both databases have the same schema, and it came about in the same steps.

use std::collections::BTreeSet;

use zoco::db::query::{Sql, fetch_all};
use zoco::db::{Conn, Db};

use crate::layers::root;
use crate::support::{migrate, needs, plain, postgres, runtime};

/// What there is in a SQLite database, one sentence each.
const SQLITE: &[&str] = &[
    "select 'column ' || m.name || '.' || p.name || ' '
        || replace(lower(p.type), 'bigint', 'integer')
        || case when p.\"notnull\" = 1 or p.pk > 0 then ' not null' else '' end
        || case when p.dflt_value is null then '' else ' default ' || p.dflt_value end
    from sqlite_master m
    join pragma_table_info(m.name) p
    where m.type = 'table' and m.name not like 'sqlite%'",
    "select 'key ' || name || ' (' || group_concat(part, ', ') || ')'
    from (
        select m.name, p.name as part
        from sqlite_master m
        join pragma_table_info(m.name) p
        where m.type = 'table' and m.name not like 'sqlite%' and p.pk > 0
        order by m.name, p.pk
    )
    group by name",
    "select case when uniq = 1 then 'unique ' else 'index ' end || name
        || ' (' || group_concat(part, ', ') || ')' || condition
    from (
        select m.name, l.name as id, l.\"unique\" as uniq, i.name as part,
            coalesce(
                (select substr(x.sql, instr(x.sql, ' where ')) from sqlite_master x
                where x.name = l.name and x.sql like '% where %'),
                ''
            ) as condition
        from sqlite_master m
        join pragma_index_list(m.name) l
        join pragma_index_info(l.name) i
        where m.type = 'table' and m.name not like 'sqlite%' and l.origin <> 'pk'
        order by m.name, l.name, i.seqno
    )
    group by name, id, uniq, condition",
    "select 'reference ' || m.name || '.' || f.\"from\" || ' to ' || f.\"table\" || '.' || f.\"to\"
        || ' on delete ' || lower(f.on_delete)
    from sqlite_master m
    join pragma_foreign_key_list(m.name) f
    where m.type = 'table'",
    "select 'table ' || name || ' ' || sql from sqlite_master where type = 'table' and sql like '%check (%'",
];

/// The same sentences from PostgreSQL.
const POSTGRES: &[&str] = &[
    "select 'column ' || table_name || '.' || column_name || ' '
        || replace(data_type, 'bigint', 'integer')
        || case is_nullable when 'NO' then ' not null' else '' end
        || case when column_default is null then '' else ' default ' || replace(column_default, '::text', '') end
    from information_schema.columns
    where table_schema = 'public'",
    "select 'key ' || c.relname || ' (' || string_agg(a.attname, ', ' order by k.position) || ')'
    from pg_index i
    join pg_class c on c.oid = i.indrelid
    join pg_namespace s on s.oid = c.relnamespace and s.nspname = 'public'
    cross join unnest(i.indkey::int2[]) with ordinality k (number, position)
    join pg_attribute a on a.attrelid = c.oid and a.attnum = k.number
    where i.indisprimary
    group by c.relname",
    "select case when i.indisunique then 'unique ' else 'index ' end || c.relname
        || ' (' || string_agg(a.attname, ', ' order by k.position) || ')'
        || coalesce(' where ' || pg_get_expr(i.indpred, i.indrelid), '')
    from pg_index i
    join pg_class c on c.oid = i.indrelid
    join pg_namespace s on s.oid = c.relnamespace and s.nspname = 'public'
    cross join unnest(i.indkey::int2[]) with ordinality k (number, position)
    join pg_attribute a on a.attrelid = c.oid and a.attnum = k.number
    where not i.indisprimary
    group by c.relname, i.indexrelid, i.indisunique, i.indpred, i.indrelid",
    "select 'reference ' || c.conrelid::regclass || '.' || a.attname
        || ' to ' || c.confrelid::regclass || '.' || b.attname || ' on delete '
        || case c.confdeltype when 'c' then 'cascade' when 'n' then 'set null' else 'no action' end
    from pg_constraint c
    join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
    join pg_attribute b on b.attrelid = c.confrelid and b.attnum = c.confkey[1]
    where c.contype = 'f'",
    "select 'table ' || c.conrelid::regclass || ' ' || lower(pg_get_constraintdef(c.oid))
    from pg_constraint c
    join pg_namespace s on s.oid = c.connamespace and s.nspname = 'public'
    where c.contype = 'c'",
];

async fn schema(url: &str, queries: &[&'static str]) -> BTreeSet<String> {
    let db = Db::open(url, 1).await.unwrap();
    let mut conn = db.conn().await.unwrap();
    let mut facts = BTreeSet::new();
    for query in queries {
        for sentence in sentences(&mut conn, query).await {
            if !sentence.contains("_sqlx") {
                facts.extend(facts_of(&sentence));
            }
        }
    }
    drop(conn);
    db.close().await;
    facts
}

async fn sentences(conn: &mut Conn, query: &'static str) -> Vec<String> {
    let rows: Vec<(String,)> = fetch_all(conn, Sql::same(query), Vec::new()).await.unwrap();
    rows.into_iter().map(|(sentence,)| sentence).collect()
}

/// A sentence as both databases would put it. A table's definition becomes one fact for each
/// of its checks.
fn facts_of(sentence: &str) -> Vec<String> {
    match sentence.strip_prefix("table ") {
        Some(definition) => {
            let table = definition.split(' ').next().unwrap_or_default();
            let checks = definition.split("check (").skip(1);
            checks
                .map(|check| format!("check {table}: {}", operands(inside(check))))
                .collect()
        }
        None => match sentence.split_once(" where ") {
            Some((index, condition)) => vec![format!("{index} where {}", operands(condition))],
            None => vec![sentence.to_owned()],
        },
    }
}

/// Up to the parenthesis that closes the one before the text.
fn inside(text: &str) -> &str {
    let mut depth = 1;
    let end = text.find(|character| {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        depth == 0
    });
    &text[..end.unwrap_or(text.len())]
}

/// The columns, words and numbers that a condition is about, in the order of the alphabet: the
/// databases write the same condition in different ways.
fn operands(condition: &str) -> String {
    const GRAMMAR: &[&str] = &[
        "and", "any", "array", "between", "bigint", "in", "is", "text",
    ];
    let lower = condition.to_lowercase();
    let words =
        lower.split(|character: char| !(character.is_alphanumeric() || "_'".contains(character)));
    let operands: BTreeSet<&str> = words
        .filter(|word| !word.is_empty() && !GRAMMAR.contains(word))
        .collect();
    operands.into_iter().collect::<Vec<_>>().join(" ")
}

needs! {
    "postgres" => fn both_databases_have_the_same_schema() {
        runtime().block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let sqlite_url = format!("sqlite:{}", folder.path().join("schema.db").display());
            let postgres_url = postgres::empty_database().await;
            migrate(&sqlite_url).await;
            migrate(&postgres_url).await;
            let sqlite = schema(&sqlite_url, SQLITE).await;
            let postgres = schema(&postgres_url, POSTGRES).await;
            postgres::drop_database(&postgres_url).await;
            // Identity columns differ in how they get their number, and in nothing else.
            let only_sqlite: Vec<_> = sqlite.difference(&postgres).collect();
            let only_postgres: Vec<_> = postgres.difference(&sqlite).collect();
            assert!(
                only_sqlite.is_empty() && only_postgres.is_empty(),
                "only on SQLite: {only_sqlite:#?}\nonly on PostgreSQL: {only_postgres:#?}"
            );
            // The queries see what they should see.
            for fact in [
                "column products.category_id integer",
                "column products.name text not null",
                "key product_attributes (product_id, name)",
                "unique orders (cart_id)",
                "unique carts (user_id) where 'active' status",
                "index outbox (id) where dispatched_at null",
                "reference cart_items.cart_id to carts.id on delete cascade",
                "check products: 'active' 'archived' 'draft' status",
                "check payments: captured_minor refunded_minor",
            ] {
                assert!(sqlite.contains(fact), "{fact} is missing in {sqlite:#?}");
            }
        });
    }
}

plain! {
    fn both_databases_have_the_same_migrations() {
        let names = |database: &str| -> Vec<String> {
            let folder = root().join("migrations").join(database);
            let mut names: Vec<String> = std::fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        };
        let sqlite = names("sqlite");
        assert_eq!(sqlite, names("postgres"));
        for (index, name) in sqlite.iter().enumerate() {
            assert!(name.starts_with(&format!("{:04}_", index + 1)), "{name} is out of the row");
        }
    }
}
