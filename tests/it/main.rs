//! Integration tests, one binary. What the machine cannot run is counted as ignored.

mod support;

fn main() -> std::process::ExitCode {
    support::run()
}
