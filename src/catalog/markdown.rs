//! Markdown of descriptions as HTML that is safe to show.

use comrak::nodes::NodeValue;
use comrak::{Arena, Options, format_html, parse_document};

/// Headings of a description stand below the page's own: `#` becomes the third level.
const HEADINGS_BELOW: u8 = 2;

/// Renders Markdown (CommonMark with tables, struck-out text and bare links) as sanitised HTML:
/// no scripts, styles, forms or frames, whatever was typed.
pub fn render(markdown: &str) -> String {
    let options = options();
    let arena = Arena::new();
    let root = parse_document(&arena, markdown, &options);
    for node in root.descendants() {
        if let NodeValue::Heading(heading) = &mut node.data.borrow_mut().value {
            heading.level = (heading.level + HEADINGS_BELOW).min(6);
        }
    }
    let mut html = String::new();
    match format_html(root, &options, &mut html) {
        Ok(()) => ammonia::clean(&html),
        // Writing into a text does not fail; should it, nothing is shown rather than half of it.
        Err(_) => String::new(),
    }
}

/// The words of Markdown alone, on one line.
pub fn plain(markdown: &str) -> String {
    let arena = Arena::new();
    let root = parse_document(&arena, markdown, &options());
    let mut text = String::new();
    for node in root.descendants() {
        match &node.data.borrow().value {
            NodeValue::Text(words) => text.push_str(words),
            NodeValue::Code(code) => text.push_str(&code.literal),
            NodeValue::Strong | NodeValue::Emph | NodeValue::Strikethrough | NodeValue::Link(_) => {
            }
            _ => text.push(' '),
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.strikethrough = true;
    options.extension.autolink = true;
    options
}

#[cfg(test)]
mod tests {
    use super::{plain, render};

    #[test]
    fn only_the_words_are_left() {
        let typed = "# Care\n\nBy *hand*,\n**never** in a `machine`; see [here](https://a.example).\n\n\
            - one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<b>raw</b> 1 < 2 &amp; 3";
        let expected = "Care By hand, never in a machine; see here. one two a b 1 2 raw 1 < 2 & 3";
        assert_eq!(plain(typed), expected);
    }

    #[test]
    fn markdown_becomes_html() {
        let html = render("# Care\n\nBy *hand*, ~~never~~.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n");
        assert!(html.contains("<h3>Care</h3>"), "{html}");
        assert!(html.contains("<em>hand</em>"), "{html}");
        assert!(html.contains("<del>never</del>"), "{html}");
        assert!(html.contains("<td>1</td>"), "{html}");
    }

    #[test]
    fn nothing_that_runs_gets_through() {
        let typed = "<script>alert(1)</script> <b onclick=x>b</b> [a](javascript:alert(1)) \
            <img src=x onerror=y> <iframe src=//evil.example></iframe> <style>b{}</style>";
        let html = render(typed).to_lowercase();
        for bad in [
            "<script",
            "onclick",
            "javascript:",
            "onerror",
            "<iframe",
            "<style",
        ] {
            assert!(!html.contains(bad), "{bad}: {html}");
        }
    }
}
