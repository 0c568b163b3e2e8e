//! Who may know whom: the table of the design, read off the `use` lines.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::support::plain;

/// The features; each calls only those before it. Stock comes before the catalog, because a
/// product is created together with its first stock and shows how much there is; search before it,
/// because an index knows only words, which the catalog gives it. Everybody writes into the audit
/// log.
const ORDER: &[&str] = &[
    "audit",
    "accounts",
    "inventory",
    "search",
    "taxes",
    "catalog",
    "reviews",
    "pricing",
    "promotions",
    "credit",
    "shipping",
    "addresses",
    "cart",
    "payments",
    "orders",
    "checkout",
    "privacy",
    "imports",
    "admin",
];

/// What features stand on; none of it knows a feature.
const MACHINERY: &[&str] = &[
    "config", "ctx", "db", "error", "faults", "jobs", "mail", "storage", "types", "web",
];

/// The only places that know everything: they put the program together.
const ASSEMBLY: &[&str] = &["app", "demo", "lib", "main", "rehearse", "routes"];

/// What breaks the table and why that is right: file, path, reason.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    (
        "checkout/service/refusals.rs",
        "crate::pricing::api::QuoteJson",
        "a refused total carries the new quote, in the form that the API gives it everywhere",
    ),
    (
        "privacy/pages.rs",
        "crate::privacy::api::MyDataJson",
        "the file of one's own data is the same on both faces",
    ),
    (
        "catalog/pages/product.rs",
        "crate::reviews::pages::Section",
        "the product's page shows what shoppers wrote about it",
    ),
    (
        "catalog/pages/product.rs",
        "crate::shipping",
        "the product's page tells what delivery costs before anything is in the cart",
    ),
    (
        "catalog/pages/home.rs",
        "crate::shipping",
        "the front page tells what delivery costs",
    ),
];

/// What a file is, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Types,
    Model,
    Store,
    Service,
    Pages,
    Api,
    /// A feature's `mod.rs`: names what the others say.
    Names,
    Db,
    Web,
    Machinery,
    Assembly,
}

/// The sentence of the table that a file of this kind must keep.
fn sentence(kind: Kind) -> &'static str {
    match kind {
        Kind::Types => "`types/` may use std, serde, time; never anything else of ours",
        Kind::Model => {
            "`model.rs` may use `types/` and models; never sqlx, axum, askama, `db`, `web`, App, Ctx"
        }
        Kind::Store => {
            "`store.rs` may use own model, `types/`, `db/`; never axum, askama, Ctx, other features, `service`"
        }
        Kind::Service => {
            "`service.rs` may use own model and store, the model and service of earlier features, \
             App, Ctx, `jobs`; never axum, askama, `web/`, another feature's `store`, SQL"
        }
        Kind::Pages => {
            "`pages.rs`, `admin.rs` may use services and models, `web/`, askama, axum; never `db/`, \
             any store, `api.rs`"
        }
        Kind::Api => {
            "`api.rs` may use services and models, `web/`, serde, axum; never `db/`, any store, \
             `pages.rs`, askama"
        }
        Kind::Names => "`mod.rs` of a feature only names what is in it",
        Kind::Db => "`db/` may use sqlx; never axum, features",
        Kind::Web => "`web/` has no shop words: never a feature",
        Kind::Machinery => "the machinery never knows a feature",
        Kind::Assembly => "",
    }
}

fn kind_of(file: &str) -> Kind {
    let mut parts = file.trim_end_matches(".rs").split('/');
    let top = parts.next().unwrap_or_default();
    let second = parts.next().unwrap_or("mod");
    if ASSEMBLY.contains(&top) {
        return Kind::Assembly;
    }
    match (top, second) {
        ("types", _) => Kind::Types,
        ("db", _) => Kind::Db,
        ("web", _) => Kind::Web,
        ("jobs", "store") => Kind::Store,
        _ if MACHINERY.contains(&top) => Kind::Machinery,
        (_, "model" | "kernel") => Kind::Model,
        (_, "store") => Kind::Store,
        (_, "pages" | "admin") => Kind::Pages,
        (_, "api") => Kind::Api,
        (_, "mod") => Kind::Names,
        _ => Kind::Service,
    }
}

/// A path that a file names, whole: `crate::cart::model::Cart`, `axum::Router`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mention {
    line: usize,
    path: String,
}

/// Everything wrong in one file. `file` is relative to `src/`.
fn offences(file: &str, source: &str) -> Vec<String> {
    let kind = kind_of(file);
    let mut found = Vec::new();
    for Mention { line, path } in mentions(file, source) {
        let excused = EXCEPTIONS
            .iter()
            .any(|(at, what, _)| *at == file && path.starts_with(what));
        if let Some(rule) = broken(file, kind, &path).filter(|_| !excused) {
            found.push(format!("src/{file}:{line}: `{path}`: {rule}"));
        }
    }
    found
}

/// The sentence that naming `path` in `file` breaks.
fn broken(file: &str, kind: Kind, path: &str) -> Option<String> {
    let mut parts = path.split("::");
    let root = parts.next().unwrap_or_default();
    if root != "crate" {
        if root == "sqlx" && kind != Kind::Db {
            return Some("the text `sqlx::` stands nowhere outside `db/`".to_owned());
        }
        let forbidden: &[&str] = match kind {
            Kind::Types | Kind::Model | Kind::Store | Kind::Service | Kind::Db => {
                // Jobs draw letters, so they may use the templates.
                if file.ends_with("/jobs.rs") || file.contains("/jobs/") {
                    &["axum"]
                } else {
                    &["axum", "askama"]
                }
            }
            Kind::Api => &["askama"],
            _ => &[],
        };
        return forbidden.contains(&root).then(|| sentence(kind).to_owned());
    }
    let own = file
        .trim_end_matches(".rs")
        .split('/')
        .next()
        .unwrap_or_default();
    let top = parts.next().unwrap_or_default();
    let rest: Vec<&str> = parts.collect();
    let layer = rest.first().copied().unwrap_or_default();
    let name = rest.last().copied().unwrap_or(top);
    let place = |module: &str| ORDER.iter().position(|feature| *feature == module);
    let other_feature = top != own && place(top).is_some();
    // Pages lead everywhere, as their templates do: an address is a name, not a call.
    let leads_there = kind == Kind::Pages && layer == "urls";
    if let (Some(mine), Some(theirs)) = (place(own), place(top))
        && theirs > mine
        && !leads_there
    {
        return Some(format!(
            "each feature calls only to its left: {}",
            ORDER.join(" → ")
        ));
    }
    let breaks = match kind {
        Kind::Assembly => false,
        Kind::Types => top != "types",
        Kind::Db | Kind::Web | Kind::Machinery => place(top).is_some(),
        Kind::Model => {
            ["app", "db", "web", "jobs", "mail", "storage", "config"].contains(&top)
                || (top == "ctx" && name == "Ctx")
                || (place(top).is_some()
                    && ["store", "service", "pages", "api", "admin"].contains(&layer))
        }
        Kind::Store => {
            other_feature
                || ["app", "ctx", "web", "mail", "storage", "config", "error"].contains(&top)
                || (top == "jobs" && own != "jobs")
                || ["service", "pages", "api", "admin"].contains(&layer)
        }
        Kind::Service => {
            top == "web"
                || (top == "db" && rest.iter().any(|name| is_sql(name)))
                || (other_feature && ["store", "pages", "api", "admin"].contains(&layer))
                || (top == own && ["pages", "api", "admin"].contains(&layer))
        }
        Kind::Pages => top == "db" || (place(top).is_some() && ["store", "api"].contains(&layer)),
        Kind::Api => {
            top == "db" || (place(top).is_some() && ["store", "pages", "admin"].contains(&layer))
        }
        Kind::Names => top == "db" || top == "web",
    };
    breaks.then(|| sentence(kind).to_owned())
}

/// Names of `db` that send SQL; a service opens transactions and hands them on.
fn is_sql(name: &str) -> bool {
    let names = [
        "execute",
        "fetch_all",
        "fetch_one",
        "fetch_optional",
        "query",
        "Query",
        "FromRow",
        "Value",
    ];
    names.contains(&name)
}

/// Every path that a file names in its program text; its unit tests are left out.
fn mentions(file: &str, source: &str) -> Vec<Mention> {
    let mut found = Vec::new();
    let mut imported: HashMap<String, String> = HashMap::new();
    let mut lines = source.lines().enumerate();
    let mut inline = Vec::new();
    while let Some((number, line)) = lines.next() {
        if line.trim_start() == "#[cfg(test)]" {
            break;
        }
        let code = line.split("//").next().unwrap_or_default();
        let start = code.trim_start();
        let declaration = start
            .strip_prefix("pub(crate) ")
            .or(start.strip_prefix("pub(super) "));
        let declaration = declaration.or(start.strip_prefix("pub ")).unwrap_or(start);
        if let Some(first) = declaration.strip_prefix("use ") {
            let mut tree = first.to_owned();
            while !tree.contains(';') {
                let Some((_, more)) = lines.next() else { break };
                tree.push_str(more.split("//").next().unwrap_or_default());
            }
            for (path, alias) in leaves(&tree.replace(';', "")) {
                let path = whole(file, &path);
                imported.insert(alias, path.clone());
                found.push(Mention {
                    line: number + 1,
                    path,
                });
            }
        } else {
            inline.extend(paths_in(code).map(|path| (number + 1, path)));
        }
    }
    for (line, path) in inline {
        let root = path.split("::").next().unwrap_or_default();
        let rest = &path[root.len()..];
        let path = match imported.get(root) {
            Some(known) => format!("{known}{rest}"),
            None => whole(file, &path),
        };
        found.push(Mention { line, path });
    }
    found
}

/// The paths `a::b::C` in a line of code.
fn paths_in(code: &str) -> impl Iterator<Item = String> {
    let is_path =
        |character: char| character.is_alphanumeric() || character == '_' || character == ':';
    code.split(move |character| !is_path(character))
        .map(|path| path.trim_matches(':').to_owned())
        .filter(|path| path.contains("::"))
        .collect::<Vec<_>>()
        .into_iter()
}

/// The paths of a `use` tree, each with the name it is known by.
fn leaves(tree: &str) -> Vec<(String, String)> {
    let tree = tree.trim();
    if let Some((head, rest)) = tree.split_once('{') {
        let inner = rest.rsplit_once('}').map_or(rest, |(inner, _)| inner);
        return split_at_commas(inner)
            .into_iter()
            .flat_map(|part| leaves(&format!("{head}{}", part.trim())))
            .collect();
    }
    let (path, alias) = tree.split_once(" as ").unwrap_or((tree, ""));
    let path = path.trim().trim_end_matches("::self").to_owned();
    let last = path.rsplit("::").next().unwrap_or_default().to_owned();
    let alias = if alias.is_empty() {
        last
    } else {
        alias.trim().to_owned()
    };
    if path.is_empty() || path.ends_with("::") {
        Vec::new()
    } else {
        vec![(path, alias)]
    }
}

/// Splits at the commas that stand in no inner braces.
fn split_at_commas(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for character in text.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if character == ',' && depth == 0 {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(character);
        }
    }
    parts
}

/// A path from the root of the crate instead of from its file.
fn whole(file: &str, path: &str) -> String {
    if let Some(path) = path.strip_prefix("zoco::") {
        return format!("crate::{path}");
    }
    let mut module: Vec<&str> = file.trim_end_matches(".rs").split('/').collect();
    if matches!(module.last(), Some(&"mod" | &"lib" | &"main")) {
        module.pop();
    }
    let mut rest = path;
    let mut relative = false;
    if let Some(inner) = rest.strip_prefix("self::") {
        rest = inner;
        relative = true;
    }
    while let Some(outer) = rest.strip_prefix("super::") {
        module.pop();
        rest = outer;
        relative = true;
    }
    if relative {
        let folder = module
            .iter()
            .fold("crate".to_owned(), |path, part| format!("{path}::{part}"));
        format!("{folder}::{rest}")
    } else {
        path.to_owned()
    }
}

/// Every Rust file below a folder with its path relative to it.
pub fn rust_files(folder: &Path) -> Vec<(String, String)> {
    fn walk(root: &Path, folder: PathBuf, found: &mut Vec<(String, String)>) {
        let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                walk(root, path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                found.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, folder.to_owned(), &mut found);
    found
}

/// The folder of this repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

plain! {
    fn every_file_knows_only_whom_it_may() {
        let offences: Vec<String> = rust_files(&root().join("src"))
            .iter()
            .flat_map(|(file, source)| offences(file, source))
            .collect();
        assert!(offences.is_empty(), "\n{}\n", offences.join("\n"));
    }

    fn every_exception_is_still_needed() {
        for (file, path, reason) in EXCEPTIONS {
            let source = std::fs::read_to_string(root().join("src").join(file)).unwrap();
            let there = mentions(file, &source).iter().any(|mention| mention.path == *path);
            assert!(there, "{file} no longer names {path} ({reason})");
        }
    }

    fn every_module_has_a_place_in_the_table() {
        for entry in std::fs::read_dir(root().join("src")).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let module = name.trim_end_matches(".rs");
            let known = [ORDER, MACHINERY, ASSEMBLY].concat().contains(&module);
            assert!(known, "src/{name} is no feature of ORDER, nor machinery, nor assembly");
        }
    }

    fn lines_that_break_the_table_are_caught() {
        let caught = |file: &str, source: &str| offences(file, source).len();
        for (file, source) in [
            ("types/money.rs", "use crate::error::Error;"),
            ("cart/model.rs", "use axum::Json;"),
            ("cart/model.rs", "use crate::{types::Money, ctx::Ctx};"),
            ("cart/model.rs", "use crate::catalog::store;"),
            ("cart/store.rs", "use crate::catalog::Product;"),
            ("cart/store.rs", "fn x() { super::service::add(); }"),
            ("cart/store/lines.rs", "use super::super::service;"),
            ("cart/service.rs", "use axum::http::StatusCode;"),
            ("cart/service.rs", "use crate::db::{self, execute};"),
            ("cart/service.rs", "use crate::db;\nfn x() { db::Query::new(\"\"); }"),
            ("cart/service.rs", "use crate::catalog;\nfn x() { catalog::store::by_id(); }"),
            ("cart/service/add.rs", "use crate::{\n    app::App,\n    orders::service::place,\n};"),
            ("cart/service.rs", "fn x() { sqlx::query(\"select 1\"); }"),
            ("cart/pages.rs", "use super::api::CartJson;"),
            ("cart/pages.rs", "use crate::db::Db;"),
            ("cart/api.rs", "use askama::Template;"),
            ("cart/api.rs", "use super::pages;"),
            ("cart/admin.rs", "use super::store;"),
            ("db/query.rs", "use axum::Router;"),
            ("web/form.rs", "use crate::cart::Cart;"),
            ("mail/mod.rs", "use crate::orders::Order;"),
            ("cart/mod.rs", "pub use crate::checkout::Placed;"),
        ] {
            assert_eq!(caught(file, source), 1, "not caught in {file}: {source}");
        }
        let said = &offences("cart/store.rs", "\n\nuse crate::ctx::Ctx;")[0];
        assert!(said.starts_with("src/cart/store.rs:3: `crate::ctx::Ctx`: `store.rs` may use own model"), "{said}");
    }

    fn lines_that_keep_the_table_pass() {
        for (file, source) in [
            ("cart/store.rs", "use super::model::Cart;\nuse crate::db::{self, Tx, execute};\nuse crate::types::Money;"),
            ("cart/store.rs", "#[sqlx(try_from = \"String\")]\nstruct Row;"),
            ("cart/service.rs", "use crate::app::App;\nuse crate::db::{Conn, Tx};\nuse crate::catalog;\nfn x() { catalog::service::by_id(); }"),
            ("orders/jobs.rs", "use askama::Template;"),
            ("cart/api.rs", "use crate::pricing::api::QuoteJson;\nuse axum::Json;"),
            ("cart/pages.rs", "// use crate::db::Db;"),
            ("cart/model.rs", "#[cfg(test)]\nmod tests { use crate::db::Db; }"),
            ("app.rs", "use crate::accounts::Passwords;"),
        ] {
            assert_eq!(offences(file, source), Vec::<String>::new());
        }
    }
}
