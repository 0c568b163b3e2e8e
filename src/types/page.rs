//! A page of a list.

/// Which page of a list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    page: u32,
    per_page: u32,
}

impl PageRequest {
    /// Items on a page when the request does not say.
    pub const DEFAULT_PER_PAGE: u32 = 24;
    /// The most items a page may have.
    pub const MAX_PER_PAGE: u32 = 100;

    /// The page numbered from 1, `per_page` items long; both are brought into their bounds.
    pub fn new(page: u32, per_page: u32) -> Self {
        Self {
            page: page.clamp(1, 1_000_000),
            per_page: per_page.clamp(1, Self::MAX_PER_PAGE),
        }
    }

    /// The page that an address names, `per_page` items long; what is no number is the first one.
    pub fn typed(page: &str, per_page: u32) -> Self {
        Self::new(page.parse().unwrap_or(1), per_page)
    }

    /// The number of this page, from 1.
    pub fn page(self) -> u32 {
        self.page
    }

    /// Items on a page.
    pub fn per_page(self) -> u32 {
        self.per_page
    }

    /// For `limit`.
    pub fn limit(self) -> i64 {
        i64::from(self.per_page)
    }

    /// For `offset`.
    pub fn offset(self) -> i64 {
        i64::from(self.page - 1) * i64::from(self.per_page)
    }
}

impl Default for PageRequest {
    fn default() -> Self {
        Self::new(1, Self::DEFAULT_PER_PAGE)
    }
}

/// One page of a list, and how long the whole list is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What stands on this page.
    pub items: Vec<T>,
    /// How many there are in all.
    pub total: i64,
    /// Which page this is.
    pub request: PageRequest,
}

impl<T> Page<T> {
    /// How many pages there are; at least one.
    pub fn pages(&self) -> u32 {
        let per_page = self.request.limit();
        (((self.total + per_page - 1) / per_page).max(1)) as u32
    }

    /// The number of the next page, if there is one.
    pub fn next(&self) -> Option<u32> {
        (self.request.page() < self.pages()).then(|| self.request.page() + 1)
    }

    /// The same page with each item turned into something else.
    pub fn map<U>(self, turn: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(turn).collect(),
            total: self.total,
            request: self.request,
        }
    }
}
