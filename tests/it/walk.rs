//! The README's walk through the API, run as it stands there.

use std::process::Command;

use crate::layers::root;
use crate::support::needs;
use crate::support::process::Program;

/// The block of shell under the walk's heading.
fn block() -> String {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let section = readme
        .split("\n## A walk through the API\n")
        .nth(1)
        .unwrap();
    let section = section.split("\n## ").next().unwrap();
    let block = section.split("\n```sh\n").nth(1).unwrap();
    block.split("\n```").next().unwrap().to_owned()
}

needs! {
    "curl" => fn the_walk_of_the_readme_reaches_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let variables = [("ZOCO_ADMIN_PASSWORD", "the boss of the walk")];
        let program = Program::start(folder.path(), &["--no-demo"], &variables);
        let done = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &block()])
            .env("SHOP", &program.url)
            .env("ADMIN_PASSWORD", "the boss of the walk")
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&done.stdout).into_owned();
        let complaint = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "{printed}\n{complaint}\n{}", program.log());
        program.stop();

        let mut last = printed.lines().rev().take(4).collect::<Vec<_>>();
        last.reverse();
        assert!(last[0].starts_with("signed in as walker-"), "{last:?}");
        assert!(last[0].ends_with("@example.com; found 1 product; 2 pieces in the cart"), "{last:?}");
        let words: Vec<&str> = last[1].split([' ', ',', ':']).filter(|word| !word.is_empty()).collect();
        assert_eq!(words[1], words[3], "the same key gives the same order: {last:?}");
        assert!(words[1].len() >= 8, "{last:?}");
        assert!(last[1].ends_with(": cancelled, stock 10"), "{last:?}");
        assert!(last[2].ends_with(": delivered; 2 orders; refresh after sign-out: 401"), "{last:?}");
        assert!(last[3].ends_with(", pending"), "{last:?}");
    }
}
