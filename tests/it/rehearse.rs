//! A sale on a copy of the shop: the real program, killed in the middle, with real requests.

use std::path::Path;

use crate::support::process::run;
use crate::support::{needs, plain, postgres, runtime};

/// Plays a small sale on a copy of a new shop; the shop itself has nothing of it.
fn play(folder: &Path, database: &str) {
    let made = run(folder, &["migrate", "--database", database]);
    assert!(made.status.success());
    let sale = [
        "rehearse", "sale", "--buyers", "40", "--units", "7", "--kills", "2",
    ];
    let played = run(folder, &[&sale[..], &["--database", database]].concat());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (told, complaint) = (text(&played.stdout), text(&played.stderr));
    let expected = "sold 7\nrefused 33\noversold 0\nduplicates 0\nlost 0\n";
    assert_eq!(told, expected, "{complaint}");
    assert!(played.status.success(), "{complaint}");
    let doctor = run(folder, &["doctor", "--database", database]);
    assert_eq!(text(&doctor.stdout), "the books are balanced\n");
}

plain! {
    fn a_sale_with_kills_neither_oversells_nor_loses_on_sqlite() {
        let folder = tempfile::tempdir().unwrap();
        let database = format!("sqlite:{}", folder.path().join("data/zoco.db").display());
        play(folder.path(), &database);
    }
}

needs! {
    "postgres" => fn a_sale_with_kills_neither_oversells_nor_loses_on_postgres() {
        let folder = tempfile::tempdir().unwrap();
        let database = runtime().block_on(postgres::empty_database());
        play(folder.path(), &database);
        runtime().block_on(postgres::drop_database(&database));
    }
}
