//! The HTML of other shops as Markdown, which is what the catalog keeps.

use htmd::HtmlToMarkdown;

/// Longer texts than this are no description: bytes.
const MAX_BYTES: usize = 256 * 1024;
/// Elements within elements; whoever writes by hand stays far below.
const MAX_DEPTH: usize = 60;
/// Elements that hold nothing, or end by themselves where the next one begins.
const SHALLOW: [&str; 15] = [
    "br", "hr", "img", "wbr", "col", "area", "input", "link", "meta", "p", "li", "dt", "dd", "td",
    "tr",
];

/// HTML as Markdown, without scripts, styles and whatever else a description cannot hold; none
/// for what is too long or too deeply nested to be one.
pub fn to_markdown(html: &str) -> Option<String> {
    // A parser's time grows with the square of the depth, so it is not asked about a deep one.
    if html.len() > MAX_BYTES || depth(html) > MAX_DEPTH {
        return None;
    }
    // First, so that only what may be shown is looked at, and it is well-formed.
    let clean = ammonia::clean(html);
    if depth(&clean) > MAX_DEPTH {
        return None;
    }
    let converter = HtmlToMarkdown::builder()
        .skip_tags(vec!["img"])
        .options(htmd::options::Options {
            ul_bullet_spacing: 1,
            ol_number_spacing: 1,
            bullet_list_marker: htmd::options::BulletListMarker::Dash,
            ..htmd::options::Options::default()
        })
        .build();
    let markdown = converter.convert(&clean).ok()?;
    Some(markdown.trim().to_owned())
}

/// HTML as plain words in one line; empty for what [`to_markdown`] refuses.
pub fn to_line(html: &str) -> String {
    if html.len() > MAX_BYTES || depth(html) > MAX_DEPTH {
        return String::new();
    }
    let mut text = String::new();
    let mut tag = false;
    let clean = ammonia::Builder::empty().clean(html).to_string();
    for character in clean.chars() {
        match character {
            '<' => tag = true,
            '>' if tag => tag = false,
            _ if tag => {}
            other => text.push(other),
        }
    }
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&nbsp;", " ")
        .replace("&amp;", "&");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// How deeply elements are nested at most, as far as the tags alone tell: those that end by
/// themselves are not counted.
fn depth(html: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for part in html.split('<').skip(1) {
        let (closes, rest) = match part.strip_prefix('/') {
            Some(rest) => (true, rest),
            None => (false, part),
        };
        let name = rest.split(|character: char| !character.is_ascii_alphanumeric());
        let name = name.into_iter().next().unwrap_or_default();
        if name.is_empty() || SHALLOW.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            continue;
        }
        depth = if closes {
            depth.saturating_sub(1)
        } else {
            depth + 1
        };
        deepest = deepest.max(depth);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::render_markdown;

    #[test]
    fn html_becomes_markdown_that_the_shop_shows_as_it_was_meant() {
        let html = "<h2>Care</h2><p>By <strong>hand</strong>, <em>never</em> hot.<br>Dry it.</p>\
            <ul><li>One</li><li>Two</li></ul><p><a href=\"https://example.com/\">More</a></p>\
            <table><tr><th>a</th></tr><tr><td>1</td></tr></table>";
        let shown = render_markdown(&to_markdown(html).unwrap());
        for part in [
            "<strong>hand</strong>",
            "<em>never</em>",
            "<li>One</li>",
            "href=\"https://example.com/\"",
            "Care</h4>",
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }

    #[test]
    fn nothing_that_runs_comes_along() {
        let html = "<p onclick=x>a</p><script>alert(1)</script><style>p{}</style>\
            <a href=\"javascript:x\">b</a><img src=x onerror=y>";
        let markdown = to_markdown(html).unwrap();
        for bad in ["alert", "onclick", "javascript:", "onerror", "p{}"] {
            assert!(!markdown.contains(bad), "{markdown}");
        }
    }

    #[test]
    fn what_no_stack_holds_is_refused() {
        assert_eq!(to_markdown(&"<div>".repeat(20_000)), None);
        assert_eq!(to_markdown(&"a".repeat(MAX_BYTES + 1)), None);
        assert!(to_markdown(&"<b>".repeat(20)).is_some());
    }

    #[test]
    fn a_line_has_words_only() {
        assert_eq!(
            to_line("<p>A &amp; B\n<b>c</b> 1 &lt; 2</p>"),
            "A & B c 1 < 2"
        );
    }
}
