//! What the API tells of a list of products, and of what somebody may mean who types.

use axum::http::Uri;
use serde::Serialize;
use utoipa::ToSchema;

use super::json::{CategoryRefJson, ProductCardJson, category_ref};
use crate::catalog::model::{
    CategoryTree, Facets, Listing, Matched, PriceRange, ProductCard, Suggestions,
};
use crate::types::CategoryId;
use crate::web::json::{List, MoneyJson};

/// A page of products, with the counts beside the filters when they were asked for.
#[derive(Serialize, ToSchema)]
pub struct ProductListJson {
    /// The page.
    #[serde(flatten)]
    pub list: List<ProductCardJson>,
    /// With words: `all` when the products have all of them, `some` when no product has all,
    /// `nothing` when nothing was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matched: Option<&'static str>,
    /// The words spelled as the shop spells them, where one was unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub did_you_mean: Option<String>,
    /// When nothing was found: how many products have the words without the other filters or,
    /// without words, how many the category holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub without_filters: Option<i64>,
    /// With `facets=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facets: Option<FacetsJson>,
}

/// How many products of a list have something; each group as if nothing were chosen in it.
#[derive(Serialize, ToSchema)]
pub struct FacetsJson {
    /// By category; those below are counted in.
    pub categories: Vec<CategoryCountJson>,
    /// Products that can be bought now.
    pub in_stock: i64,
    /// Products with at least so many stars, from 4 down to 1.
    pub ratings: Vec<RatingCountJson>,
    /// What they cost.
    pub price: PriceFacetJson,
    /// By tag, the most frequent first.
    pub tags: Vec<ValueCountJson>,
    /// By attribute.
    pub attributes: Vec<AttributeCountJson>,
}

/// Products of a category.
#[derive(Serialize, ToSchema)]
pub struct CategoryCountJson {
    /// Which.
    #[serde(flatten)]
    pub category: CategoryRefJson,
    /// How many products.
    pub count: i64,
}

/// Products by the values of an attribute.
#[derive(Serialize, ToSchema)]
pub struct AttributeCountJson {
    /// The attribute: `Material`.
    pub name: String,
    /// The most frequent value first.
    pub values: Vec<ValueCountJson>,
}

/// Products with a value of an attribute.
#[derive(Serialize, ToSchema)]
pub struct ValueCountJson {
    /// `Stoneware`
    pub value: String,
    /// How many products.
    pub count: i64,
}

/// Products with at least so many stars.
#[derive(Serialize, ToSchema)]
pub struct RatingCountJson {
    /// On average.
    pub stars: i64,
    /// How many products.
    pub count: i64,
}

/// What products cost.
#[derive(Serialize, ToSchema)]
pub struct PriceFacetJson {
    /// The lowest price, or null.
    pub min: Option<MoneyJson>,
    /// The highest price, or null.
    pub max: Option<MoneyJson>,
    /// A few ranges that hold about equally many; empty where one would hold all.
    pub ranges: Vec<PriceRangeJson>,
}

/// Products between two prices.
#[derive(Serialize, ToSchema)]
pub struct PriceRangeJson {
    /// For `min_price`; null for no matter how little.
    pub from: Option<MoneyJson>,
    /// For `max_price`; null for no matter how much.
    pub to: Option<MoneyJson>,
    /// How many products.
    pub count: i64,
}

/// What somebody may mean who has typed so far.
#[derive(Serialize, ToSchema)]
pub struct SuggestionsJson {
    /// Whole searches.
    pub words: Vec<String>,
    /// Categories whose names have the words.
    pub categories: Vec<CategoryRefJson>,
    /// The best products.
    pub products: Vec<ProductCardJson>,
}

impl ProductListJson {
    /// The list; `uri` is the address it was asked at.
    pub fn new(found: Listing, words: bool, uri: &Uri, tree: &CategoryTree) -> Self {
        let matched = match found.matched {
            Matched::All => "all",
            Matched::Some => "some",
            Matched::Nothing => "nothing",
        };
        let card = |card: ProductCard| ProductCardJson::new(card, tree);
        Self {
            list: List::new(found.products, uri, card),
            matched: words.then_some(matched),
            did_you_mean: found.corrected,
            without_filters: found.widened,
            facets: found.facets.map(|facets| FacetsJson::new(facets, tree)),
        }
    }
}

impl FacetsJson {
    /// The counts, with the categories named.
    pub fn new(facets: Facets, tree: &CategoryTree) -> Self {
        let category = |(id, count): (CategoryId, i64)| {
            Some(CategoryCountJson {
                category: category_ref(tree, Some(id))?,
                count,
            })
        };
        let value = |(value, count): (String, i64)| ValueCountJson { value, count };
        let attribute = |(name, values): (String, Vec<(String, i64)>)| AttributeCountJson {
            name,
            values: values.into_iter().map(value).collect(),
        };
        let rating = |(stars, count): (i64, i64)| RatingCountJson { stars, count };
        Self {
            categories: facets.categories.into_iter().filter_map(category).collect(),
            in_stock: facets.in_stock,
            ratings: facets.ratings.into_iter().map(rating).collect(),
            price: PriceFacetJson {
                min: facets.price.map(|(lowest, _)| lowest.into()),
                max: facets.price.map(|(_, highest)| highest.into()),
                ranges: facets
                    .prices
                    .into_iter()
                    .map(PriceRangeJson::from)
                    .collect(),
            },
            tags: facets.tags.into_iter().map(value).collect(),
            attributes: facets.attributes.into_iter().map(attribute).collect(),
        }
    }
}

impl From<PriceRange> for PriceRangeJson {
    fn from(range: PriceRange) -> Self {
        Self {
            from: range.from.map(MoneyJson::from),
            to: range.to.map(MoneyJson::from),
            count: range.count,
        }
    }
}

impl SuggestionsJson {
    /// The suggestions, with the categories named.
    pub fn new(found: Suggestions, tree: &CategoryTree) -> Self {
        let card = |card: ProductCard| ProductCardJson::new(card, tree);
        let categories = found.categories.iter();
        Self {
            words: found.words,
            categories: categories
                .filter_map(|one| category_ref(tree, Some(one.id)))
                .collect(),
            products: found.products.into_iter().map(card).collect(),
        }
    }
}
