//! Every store function, on both databases, called without the service above it.

mod accounts;
mod addresses;
mod audit;
mod cart;
mod catalog;
mod credit;
mod imports;
mod inventory;
mod jobs;
mod orders;
mod payments;
mod promotions;
mod reviews;
mod search;
mod shipping;
mod taxes;

use crate::layers::{root, rust_files};
use crate::support::plain;

/// The public functions of a store's source.
fn functions(source: &str) -> impl Iterator<Item = &str> {
    let lines = source.lines().map(str::trim_start);
    let heads = lines.filter_map(|line| line.strip_prefix("pub async fn "));
    heads.map(|head| head.split(['(', '<']).next().unwrap_or_default())
}

/// Whether a test's source calls a function: `store::name(` or `name(`, but not `other_name(`.
fn calls(source: &str, name: &str) -> bool {
    source.match_indices(name).any(|(at, _)| {
        let before = source[..at].chars().next_back().unwrap_or(' ');
        let after = source[at + name.len()..].chars().next().unwrap_or(' ');
        let defined = source[..at].ends_with("fn ");
        !before.is_alphanumeric() && before != '_' && before != '.' && after == '(' && !defined
    })
}

plain! {
    fn no_store_function_is_left_out() {
        let tests = rust_files(&root().join("tests/it/stores"));
        let mut seen = 0;
        let mut missing = Vec::new();
        for (file, source) in rust_files(&root().join("src")) {
            let mut parts = file.trim_end_matches(".rs").split('/');
            let (feature, layer) = (parts.next().unwrap(), parts.next().unwrap_or_default());
            if layer != "store" {
                continue;
            }
            let test = format!("{feature}.rs");
            let test = tests.iter().find(|(name, _)| *name == test);
            for function in functions(&source) {
                seen += 1;
                if !test.is_some_and(|(_, test)| calls(test, function)) {
                    missing.push(format!("src/{file}: {function}: no test in tests/it/stores/{feature}.rs calls it"));
                }
            }
        }
        assert!(seen > 80, "only {seen} store functions were found");
        assert!(missing.is_empty(), "\n{}\n", missing.join("\n"));
    }

    fn calls_are_told_from_other_words() {
        assert!(calls("store::insert(&mut tx)", "insert"));
        assert!(calls("let x = insert(&mut tx)", "insert"));
        for other in ["insert_many(x)", "reinsert(x)", "map.insert(x)", "async fn insert(x)", "// insert it"] {
            assert!(!calls(other, "insert"), "{other}");
        }
        let found: Vec<&str> = functions("pub async fn a(x: i64) {}\nasync fn b() {}\npub fn c() {}\n    pub async fn d<T>(x: T) {}").collect();
        assert_eq!(found, ["a", "d"]);
    }
}
