//! Categories, products, variants and pictures, as the rest of the shop sees them.

use crate::types::{
    CategoryId, ImageId, Money, Page, ProductId, Slug, Timestamp, UserId, VariantId, text_enum,
};

/// A variant carries its stock, so the store of the catalog reads it.
pub use crate::inventory::StockLevel;
/// What the index of the search knows of a product.
pub use crate::search::{Document, Matched};

/// What search engines show instead of the name and the first words; empty for those.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seo {
    /// The title of the page.
    pub title: String,
    /// One or two sentences.
    pub description: String,
}

/// A node of the category tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    /// Its id.
    pub id: CategoryId,
    /// The node above; none for a root.
    pub parent_id: Option<CategoryId>,
    /// Its name in URLs.
    pub slug: Slug,
    /// Its name.
    pub name: String,
    /// A sentence or two for its page.
    pub description: String,
    /// What search engines show.
    pub seo: Seo,
    /// Its place among its siblings.
    pub position: i64,
    /// Counts its changes; the `ETag`.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// All categories, siblings in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CategoryTree(pub Vec<Category>);

impl CategoryTree {
    /// The category with this id.
    pub fn get(&self, id: CategoryId) -> Option<&Category> {
        self.0.iter().find(|category| category.id == id)
    }

    /// The category with this slug.
    pub fn by_slug(&self, slug: &str) -> Option<&Category> {
        self.0
            .iter()
            .find(|category| category.slug.as_str() == slug)
    }

    /// The children of a category; of `None`, the roots.
    pub fn children(&self, parent: Option<CategoryId>) -> Vec<&Category> {
        self.0
            .iter()
            .filter(|category| category.parent_id == parent)
            .collect()
    }

    /// The way from the root down to a category, itself included.
    pub fn path(&self, id: CategoryId) -> Vec<&Category> {
        let mut path = Vec::new();
        let mut next = self.get(id);
        while let Some(category) = next {
            path.push(category);
            next = category
                .parent_id
                .filter(|_| path.len() < self.0.len())
                .and_then(|id| self.get(id));
        }
        path.reverse();
        path
    }

    /// A category and everything below it.
    pub fn with_descendants(&self, id: CategoryId) -> Vec<CategoryId> {
        let mut found = vec![id];
        let mut looked_at = 0;
        while looked_at < found.len() {
            for child in self.children(Some(found[looked_at])) {
                if !found.contains(&child.id) {
                    found.push(child.id);
                }
            }
            looked_at += 1;
        }
        found
    }

    /// The whole tree in reading order, each node with its depth (roots: 0).
    pub fn flattened(&self) -> Vec<(usize, &Category)> {
        fn below<'t>(
            tree: &'t CategoryTree,
            parent: Option<CategoryId>,
            depth: usize,
            rows: &mut Vec<(usize, &'t Category)>,
        ) {
            for category in tree.children(parent) {
                rows.push((depth, category));
                below(tree, Some(category.id), depth + 1, rows);
            }
        }
        let mut rows = Vec::with_capacity(self.0.len());
        below(self, None, 0, &mut rows);
        rows
    }
}

/// Whether a product is for sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProductStatus {
    /// Being written; only staff see it.
    Draft,
    /// For sale.
    Active,
    /// No longer for sale; orders still name it.
    Archived,
}
text_enum!(ProductStatus { Draft => "draft", Active => "active", Archived => "archived" });

/// Something that a shopper chooses, such as a colour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductOption {
    /// Its name: `Colour`.
    pub name: String,
    /// What can be chosen.
    pub values: Vec<OptionValue>,
}

/// A choice of an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionValue {
    /// `Oat`
    pub value: String,
    /// A colour to show, `#e4dac8`.
    pub swatch: Option<String>,
}

/// What is bought: one choice of each option, with a price and stock of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Its id.
    pub id: VariantId,
    /// The product it belongs to.
    pub product_id: ProductId,
    /// The merchant's own number, unique in the shop.
    pub sku: String,
    /// One value for each option of the product, in its order.
    pub options: Vec<String>,
    /// The price of one.
    pub price: Money,
    /// The price it had before, shown struck through.
    pub compare_at: Option<Money>,
    /// Grams.
    pub weight_grams: i64,
    /// GTIN, or empty.
    pub barcode: String,
    /// Its place among its siblings.
    pub position: i64,
    /// Whether it can be bought; a variant that was ordered once is switched off, not deleted.
    pub active: bool,
    /// What is there of it.
    pub stock: StockLevel,
    /// Whether it is sold beyond that, and sent when it comes in.
    pub backorder: bool,
}

impl Variant {
    /// Its options as a shopper reads them: `Oat, 350 ml`; empty for a product without options.
    pub fn name(&self) -> String {
        self.options.join(", ")
    }

    /// Whether one can be bought now.
    pub fn in_stock(&self) -> bool {
        self.active && (self.backorder || self.stock.available() > 0)
    }

    /// Whether it can be bought now, but is sent when it comes in.
    pub fn on_backorder(&self) -> bool {
        self.active && self.backorder && self.stock.available() == 0
    }

    /// The barcode where it is a GTIN of 8, 12, 13 or 14 digits with the right check digit (GS1
    /// General Specifications, section 7.9: weights 3 and 1 in turn from the right).
    pub fn gtin(&self) -> Option<&str> {
        let digits: Vec<u32> = self
            .barcode
            .chars()
            .map(|digit| digit.to_digit(10))
            .collect::<Option<_>>()?;
        let weighed = digits.iter().rev().zip([1, 3].into_iter().cycle());
        let sum: u32 = weighed.map(|(digit, weight)| digit * weight).sum();
        (matches!(digits.len(), 8 | 12..=14) && sum.is_multiple_of(10)).then_some(&self.barcode)
    }
}

/// A picture of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its id.
    pub id: ImageId,
    /// Where storage keeps it, without the size.
    pub storage_key: String,
    /// What it shows, for those who do not see it.
    pub alt: String,
    /// Width of the original in pixels.
    pub width: i64,
    /// Height of the original in pixels.
    pub height: i64,
    /// The option value that it shows, such as a colour; empty when it shows any.
    pub option_value: String,
    /// Its place; the first is the cover.
    pub position: i64,
}

impl Image {
    /// The widths that each picture is kept in, in pixels, smallest first.
    pub const WIDTHS: [u32; 3] = [400, 800, 1600];

    /// The storage key of the file of one width: `{key}-{width}.webp`.
    pub fn file(storage_key: &str, width: u32) -> String {
        format!("{storage_key}-{width}.webp")
    }

    /// The widths that there are files of: never wider than the original, but at least one.
    pub fn widths(&self) -> Vec<u32> {
        let width = u32::try_from(self.width).unwrap_or(0);
        Self::widths_of(width)
    }

    /// The widths that a picture of this width is kept in.
    pub fn widths_of(width: u32) -> Vec<u32> {
        let fitting: Vec<u32> = Self::WIDTHS
            .into_iter()
            .filter(|&kept| kept <= width)
            .collect();
        if fitting.is_empty() {
            vec![Self::WIDTHS[0]]
        } else {
            fitting
        }
    }

    /// The URL of the file that is at least `wanted` pixels wide, or the widest.
    pub fn url(&self, wanted: u32) -> String {
        let widths = self.widths();
        let width = widths
            .iter()
            .copied()
            .find(|&width| width >= wanted)
            .or(widths.last().copied());
        image_url(&self.storage_key, width.unwrap_or(Self::WIDTHS[0]))
    }

    /// For `srcset`: `/media/…-400.webp 400w, …`.
    pub fn srcset(&self) -> String {
        let one = |width: u32| format!("{} {width}w", image_url(&self.storage_key, width));
        self.widths()
            .into_iter()
            .map(one)
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// The URL of a picture's file of one width.
pub fn image_url(storage_key: &str, width: u32) -> String {
    format!("/media/{}", Image::file(storage_key, width))
}

/// What shoppers think of a product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rating {
    /// All stars together.
    pub sum: i64,
    /// How many reviews.
    pub count: i64,
}

impl Rating {
    /// Weight of the prior, in reviews: a product is believed to be average until as many say
    /// otherwise.
    pub const PRIOR_REVIEWS: i64 = 10;
    /// The prior, in thousandths of a star.
    pub const PRIOR_MILLI: i64 = 4_000;

    /// The mean with one decimal, `4.8`; empty without reviews.
    pub fn average(self) -> String {
        if self.count == 0 {
            return String::new();
        }
        let tenths = (self.sum * 20 + self.count) / (self.count * 2);
        format!("{}.{}", tenths / 10, tenths % 10)
    }

    /// Bayesian average in thousandths of a star: `(C·m + Σ) / (C + n)`, so that one vote of
    /// five stars does not beat a hundred of 4.8.
    pub fn score(self) -> i64 {
        (Self::PRIOR_REVIEWS * Self::PRIOR_MILLI + self.sum * 1000)
            / (Self::PRIOR_REVIEWS + self.count)
    }
}

/// Slugs that no product can have: the API has routes of these names.
pub const RESERVED_SLUGS: [&str; 6] = [
    "categories",
    "edit",
    "featured",
    "new",
    "products",
    "suggest",
];

/// A product as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductCard {
    /// Its id.
    pub id: ProductId,
    /// Its name in URLs.
    pub slug: Slug,
    /// Its name.
    pub name: String,
    /// One sentence.
    pub summary: String,
    /// Where it stands in the tree.
    pub category_id: Option<CategoryId>,
    /// Whether it is for sale.
    pub status: ProductStatus,
    /// The lowest price of its variants; none without variants.
    pub price: Option<Money>,
    /// Whether variants differ in price, so that the price reads "from".
    pub price_varies: bool,
    /// What the cheapest variant cost before.
    pub compare_at: Option<Money>,
    /// What shoppers think of it.
    pub rating: Rating,
    /// The first picture.
    pub cover: Option<Image>,
    /// Colours that it comes in.
    pub swatches: Vec<OptionValue>,
    /// Pieces that can be sold now, over all variants.
    pub available: i64,
    /// Whether a variant is sold beyond that, and sent when it comes in.
    pub backorder: bool,
    /// What is there of all variants; for staff.
    pub stock: StockLevel,
    /// The variant, where there is only one: it can be put into the cart from the list.
    pub only_variant: Option<VariantId>,
    /// How many variants can be bought.
    pub variant_count: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Counts its changes.
    pub version: i64,
    /// When a draft goes on sale by itself.
    pub publish_at: Option<Timestamp>,
    /// Whether there is nothing to send by post.
    pub digital: bool,
}

impl ProductCard {
    /// Whether one can be bought now.
    pub fn in_stock(&self) -> bool {
        self.backorder || self.available > 0
    }

    /// What is taken off the former price, in whole percent; none when nothing is.
    pub fn percent_off(&self) -> Option<i64> {
        let (price, before) = (self.price?.minor(), self.compare_at?.minor());
        (before > price && before > 0).then(|| (before - price) * 100 / before)
    }

    /// The former price, where it was higher.
    pub fn before(&self) -> Option<Money> {
        let price = self.price?;
        self.compare_at
            .filter(|before| before.minor() > price.minor())
    }

    /// Whether it was added within the last 30 days before `now`.
    pub fn is_new(&self, now: Timestamp) -> bool {
        self.created_at > now.plus_seconds(-30 * 24 * 3600)
    }
}

/// A product, named by another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// Its id.
    pub id: ProductId,
    /// Its name in URLs.
    pub slug: Slug,
    /// Its name.
    pub name: String,
}

/// A product with everything that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// Its name in URLs.
    pub slug: Slug,
    /// Its name.
    pub name: String,
    /// Who made it.
    pub maker: String,
    /// One sentence.
    pub summary: String,
    /// Markdown, as typed.
    pub description: String,
    /// Where it stands in the tree.
    pub category_id: Option<CategoryId>,
    /// Whether it is for sale.
    pub status: ProductStatus,
    /// When a draft goes on sale by itself; none for one that waits for staff.
    pub publish_at: Option<Timestamp>,
    /// Whether there is nothing to send by post.
    pub digital: bool,
    /// The code of its tax class.
    pub tax_class: String,
    /// What search engines show.
    pub seo: Seo,
    /// What a shopper chooses.
    pub options: Vec<ProductOption>,
    /// Free words.
    pub tags: Vec<String>,
    /// Facts as name and value: `Material`, `Stoneware`.
    pub attributes: Vec<(String, String)>,
    /// What goes well with it, in the merchant's order.
    pub related: Vec<Related>,
    /// Its variants in order; for shoppers only the active ones.
    pub variants: Vec<Variant>,
    /// Its pictures in order; the first is the cover.
    pub images: Vec<Image>,
    /// What shoppers think of it.
    pub rating: Rating,
    /// Counts its changes; the `ETag`.
    pub version: i64,
    /// Who made the entry.
    pub created_by: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Product {
    /// The active variants.
    pub fn for_sale(&self) -> impl Iterator<Item = &Variant> {
        self.variants.iter().filter(|variant| variant.active)
    }

    /// The lowest and the highest price of the active variants.
    pub fn price_range(&self) -> Option<(Money, Money)> {
        let lowest = self
            .for_sale()
            .map(|variant| variant.price)
            .min_by_key(|price| price.minor())?;
        let highest = self
            .for_sale()
            .map(|variant| variant.price)
            .max_by_key(|price| price.minor())?;
        Some((lowest, highest))
    }
}

/// A part of the sitemap: the products whose ids lie in one span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SitemapPart {
    /// Its number, from 1.
    pub number: i64,
    /// The latest change of its products.
    pub updated_at: Timestamp,
}

/// What the sitemap tells of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SitemapProduct {
    /// Its name in URLs.
    pub slug: Slug,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// The storage key of its first picture and the width of the widest file.
    pub cover: Option<(String, u32)>,
}

/// A variant that is about to run out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LowStock {
    /// The product it belongs to.
    pub product_id: ProductId,
    /// The product's name.
    pub name: String,
    /// Its options as a shopper reads them; empty for a product without options.
    pub variant: String,
    /// The merchant's own number.
    pub sku: String,
    /// What is there of it.
    pub stock: StockLevel,
}

/// Which products a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProductFilter {
    /// Words to search for.
    pub search: String,
    /// This category and everything below it.
    pub category: Option<CategoryId>,
    /// At least this price.
    pub min_price: Option<Money>,
    /// At most this price.
    pub max_price: Option<Money>,
    /// Only what can be bought now.
    pub in_stock: bool,
    /// At least so many stars on average.
    pub min_rating: Option<i64>,
    /// With this tag; empty for any.
    pub tag: String,
    /// Attribute names and values: one of the values of each name must be present.
    pub attributes: Vec<(String, String)>,
    /// Staff with `catalog` only: whether drafts and archived products are listed, too. Without
    /// it, everybody gets what shoppers see.
    pub for_staff: bool,
    /// With `for_staff`: this status only.
    pub status: Option<ProductStatus>,
    /// The order.
    pub sort: ProductSort,
}

impl ProductFilter {
    /// The same words without other filters; without words, what else the category holds. None
    /// when there is nothing to leave out.
    pub fn widened(&self) -> Option<Self> {
        let wide = Self {
            search: self.search.clone(),
            category: self.category.filter(|_| self.search.is_empty()),
            for_staff: self.for_staff,
            sort: self.sort,
            ..Self::default()
        };
        (wide != *self).then_some(wide)
    }
}

/// The order of a list of products.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProductSort {
    /// How well the words match, best first; without words the same as `Rating`.
    #[default]
    Relevance,
    /// By Bayesian average of the ratings, best first.
    Rating,
    /// Newest first.
    Newest,
    /// Cheapest first.
    PriceAscending,
    /// Dearest first.
    PriceDescending,
    /// By name.
    Name,
}
text_enum!(ProductSort {
    Relevance => "relevance",
    Rating => "rating",
    Newest => "newest",
    PriceAscending => "price",
    PriceDescending => "-price",
    Name => "name",
});

/// Which products the list for staff shows, whatever their status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StaffFilter {
    /// Words to search for; the beginning of a SKU is enough.
    pub search: String,
    /// This status only.
    pub status: Option<ProductStatus>,
    /// This category and everything below it.
    pub category: Option<CategoryId>,
    /// With this tag, whatever its case; empty for any.
    pub tag: String,
    /// By this maker, whatever its case; empty for any.
    pub maker: String,
    /// With so much on the shelf.
    pub stock: Option<StockChoice>,
    /// Only drafts that go on sale by themselves.
    pub scheduled: bool,
    /// Only what has no picture.
    pub without_picture: bool,
    /// At least this price.
    pub min_price: Option<Money>,
    /// At most this price.
    pub max_price: Option<Money>,
    /// The order.
    pub sort: StaffSort,
}

/// How much there is of a product, for a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StockChoice {
    /// Some variant can be bought now.
    In,
    /// Some variant can be bought now, but of it there are [`StockLevel::LOW`] or fewer.
    Low,
    /// No variant can be bought now.
    Out,
}
text_enum!(StockChoice { In => "in", Low => "low", Out => "out" });

/// The order of the list for staff.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StaffSort {
    /// Newest first.
    #[default]
    Newest,
    /// By name.
    Name,
    /// By name, from the end.
    NameDescending,
    /// Cheapest first.
    Price,
    /// Dearest first.
    PriceDescending,
    /// The fewest pieces first.
    Stock,
    /// The most pieces first.
    StockDescending,
    /// Active, draft, archived.
    Status,
    /// Archived, draft, active.
    StatusDescending,
    /// Longest unchanged first.
    Updated,
    /// Last changed first.
    UpdatedDescending,
    /// By Bayesian average of the ratings, best first, as shoppers sort.
    Rating,
    /// Worst rated first.
    RatingAscending,
}
text_enum!(StaffSort {
    Newest => "newest",
    Name => "name",
    NameDescending => "-name",
    Price => "price",
    PriceDescending => "-price",
    Stock => "stock",
    StockDescending => "-stock",
    Status => "status",
    StatusDescending => "-status",
    Updated => "updated",
    UpdatedDescending => "-updated",
    Rating => "rating",
    RatingAscending => "-rating",
});

/// A product in the list for staff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaffCard {
    /// What shoppers see of it in a list, and what is on the shelf.
    pub card: ProductCard,
    /// The SKU of its only variant; of several, one.
    pub sku: String,
}

/// Words that staff can filter by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StaffWords {
    /// Makers by name.
    pub makers: Vec<String>,
    /// Tags by name.
    pub tags: Vec<String>,
}

/// A page of a list, and what is told beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The products.
    pub products: Page<ProductCard>,
    /// How many have what, if that was asked.
    pub facets: Option<Facets>,
    /// How far the products have the words; `Nothing` without words.
    pub matched: Matched,
    /// The words spelled as the shop spells them, where one was unknown.
    pub corrected: Option<String>,
    /// When nothing was found: how many products there are with [`ProductFilter::widened`].
    pub widened: Option<i64>,
}

/// What somebody may mean who has typed so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suggestions {
    /// Whole searches.
    pub words: Vec<String>,
    /// Categories whose names have the words.
    pub categories: Vec<Category>,
    /// The best products.
    pub products: Vec<ProductCard>,
}

/// Products between two prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceRange {
    /// At least so much; none for no matter how little.
    pub from: Option<Money>,
    /// At most so much; none for no matter how much.
    pub to: Option<Money>,
    /// How many products.
    pub count: i64,
}

/// How many products of a list have something: shown beside each filter. Each group is counted
/// as if nothing were chosen in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facets {
    /// Products by category, with those below it counted in; as if no category were chosen.
    pub categories: Vec<(CategoryId, i64)>,
    /// Products that can be bought now.
    pub in_stock: i64,
    /// Products with at least so many stars, from 4 down to 1.
    pub ratings: Vec<(i64, i64)>,
    /// The lowest and the highest price.
    pub price: Option<(Money, Money)>,
    /// A few ranges of prices that hold about equally many, cheapest first; empty where one
    /// would hold all.
    pub prices: Vec<PriceRange>,
    /// Products by tag, the most frequent first.
    pub tags: Vec<(String, i64)>,
    /// Products by attribute name and value, the most frequent first; those of a name as if
    /// none of its values were chosen.
    pub attributes: Vec<(String, Vec<(String, i64)>)>,
}
