//! The HTML of other shops as Markdown, which is what the catalog keeps.

use htmd::HtmlToMarkdown;

/// Longer texts than this are no description: bytes.
const MAX_BYTES: usize = 256 * 1024;
/// Elements within elements; whoever writes by hand stays far below.
const MAX_DEPTH: usize = 60;

/// HTML as Markdown, without scripts, styles and whatever else a description cannot hold; none
/// for what is too long or too deeply nested to be one.
pub fn to_markdown(html: &str) -> Option<String> {
    if html.len() > MAX_BYTES {
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

/// HTML as plain words in one line.
pub fn to_line(html: &str) -> String {
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

/// How deeply the elements of well-formed HTML are nested.
fn depth(html: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for part in html.split('<').skip(1) {
        let name: &str = part
            .split(|character: char| !character.is_ascii_alphanumeric())
            .next()
            .unwrap_or_default();
        if part.starts_with('/') {
            depth = depth.saturating_sub(1);
        } else if !["br", "hr", "img", "wbr", "col", "area"].contains(&name) {
            depth += 1;
            deepest = deepest.max(depth);
        }
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
