//! What somebody is signed in with, in words.

/// Names in a `User-Agent` that tell browsers apart, the more special first: nearly all of them
/// call themselves Chrome and Safari, too.
const BROWSERS: [(&str, &str); 9] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// The same for systems.
const SYSTEMS: [(&str, &str); 8] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
];

/// `Firefox on Linux`, as a `User-Agent` has it; the name of a program that is no browser; or
/// `Unknown device`. It helps people to know their devices, and proves nothing.
pub fn describe(user_agent: &str) -> String {
    let named = |names: &[(&str, &'static str)]| {
        let mut names = names.iter();
        let found = names.find(|(sign, _)| user_agent.contains(sign));
        found.map(|&(_, name)| name)
    };
    match (named(&BROWSERS), named(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, _) => program(user_agent),
    }
}

/// `curl`, of `curl/8.5.0`.
fn program(user_agent: &str) -> String {
    let name = user_agent.split(['/', ' ']).next().unwrap_or_default();
    let name: String = name
        .chars()
        .filter(|letter| letter.is_ascii_graphic())
        .take(40)
        .collect();
    if name.is_empty() || name == "Mozilla" {
        "Unknown device".to_owned()
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::describe;

    #[test]
    fn devices_have_names_that_people_know() {
        for (user_agent, words) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15",
                "Safari on macOS",
            ),
            ("curl/8.5.0", "curl"),
            ("python-requests/2.32 extra", "python-requests"),
            ("Mozilla/5.0", "Unknown device"),
            ("", "Unknown device"),
            ("<script>alert(1)</script>", "<script>alert(1)<"),
            ("é", "Unknown device"),
        ] {
            assert_eq!(describe(user_agent), words);
        }
    }
}
