//! Links to the other pages of a list, for `parts/pager.html`.

use axum::http::Uri;

use super::viewer::Link;
use crate::types::Page;

/// Links to the pages of a list. In [`numbers`](Self::numbers) a link without an address stands
/// for pages left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pager {
    /// How many pages there are.
    pub pages: u32,
    /// The page before this one.
    pub previous: Option<String>,
    /// The page after this one.
    pub next: Option<String>,
    /// The first and last page and those around this one.
    pub numbers: Vec<Link>,
}

impl Pager {
    /// The links of a page that was asked for at `uri`; its other query pairs stay.
    pub fn new<T>(page: &Page<T>, uri: &Uri) -> Self {
        let (current, last) = (page.request.page(), page.pages());
        let href = |number: u32| address(uri, number);
        let mut numbers = Vec::new();
        let mut before = 0;
        for number in (1..=last)
            .filter(|&number| number == 1 || number == last || number.abs_diff(current) <= 1)
        {
            if number > before + 1 {
                numbers.push(Link {
                    label: "…".to_owned(),
                    href: String::new(),
                    current: false,
                });
            }
            numbers.push(Link {
                label: number.to_string(),
                href: href(number),
                current: number == current,
            });
            before = number;
        }
        Self {
            pages: last,
            previous: (current > 1).then(|| href(current.min(last + 1) - 1)),
            next: page.next().map(href),
            numbers,
        }
    }
}

/// The address of page `number` of the list at `uri`; the first page has no number.
fn address(uri: &Uri, number: u32) -> String {
    let pairs = uri.query().unwrap_or_default().split('&');
    let mut pairs: Vec<String> = pairs
        .filter(|pair| !pair.is_empty() && !pair.starts_with("page="))
        .map(str::to_owned)
        .collect();
    if number > 1 {
        pairs.push(format!("page={number}"));
    }
    if pairs.is_empty() {
        uri.path().to_owned()
    } else {
        format!("{}?{}", uri.path(), pairs.join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::PageRequest;

    #[test]
    fn the_links_keep_the_filter_and_leave_far_pages_out() {
        let page = Page {
            items: vec![()],
            total: 240,
            request: PageRequest::new(5, 24),
        };
        let uri: Uri = "/products?search=mug&page=5&sort=name".parse().unwrap();
        let pager = Pager::new(&page, &uri);
        let labels: Vec<&str> = pager.numbers.iter().map(|link| &*link.label).collect();
        assert_eq!(labels, ["1", "…", "4", "5", "6", "…", "10"]);
        assert_eq!(
            pager.next.as_deref(),
            Some("/products?search=mug&sort=name&page=6")
        );
        assert_eq!(pager.numbers[0].href, "/products?search=mug&sort=name");
        assert!(pager.numbers[3].current);
    }
}
