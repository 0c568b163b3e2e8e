//! What the query of a list of products says.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::value::{Error as ValueError, MapDeserializer};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::catalog::model::{
    ProductFilter, ProductSort, ProductStatus, StaffFilter, StaffSort, StockChoice,
};
use crate::catalog::service;
use crate::error::Error;
use crate::types::{CategoryId, PageRequest};
use crate::web::Failure;
use crate::web::json::{PageQuery, Query, page_request, query_money, query_value};
use crate::web::openapi::{flag as flag_schema, money, stars, word};

/// Which products, for shoppers.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Words: all of them must match, or, if no product has all, some. Typing mistakes, plurals
    /// and accents do not matter.
    search: String,
    /// Id or slug of a category: its products and those of all below it.
    category: String,
    /// At least this price, `19.99`.
    #[param(schema_with = money)]
    min_price: String,
    /// At most this price.
    #[param(schema_with = money)]
    max_price: String,
    /// Only products with this tag.
    tag: String,
    /// `true`: only what can be bought now.
    #[param(schema_with = flag_schema)]
    in_stock: String,
    /// At least so many stars on average, 1 to 5.
    #[param(schema_with = stars)]
    min_rating: String,
    /// `relevance` (if left out; without words the same as `rating`), `rating`, `newest`,
    /// `price`, `-price` or `name`.
    #[param(schema_with = word::<ProductSort>)]
    sort: String,
    /// `true`: with counts beside the filters.
    #[param(schema_with = flag_schema)]
    facets: String,
    /// From 1.
    page: String,
    /// 1 to 100; left out: 24.
    per_page: String,
}

/// A query with its `attr.<name>=<value>` pairs, whose names nobody knows beforehand.
pub struct Asked {
    query: ListQuery,
    attributes: Vec<(String, String)>,
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Query(pairs) = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await?;
        let mut attributes = Vec::new();
        let mut others = Vec::new();
        for (name, value) in pairs {
            match name.strip_prefix("attr.") {
                Some("") => return Err(bad("attr.: which attribute?")),
                Some(attribute) => attributes.push((attribute.to_owned(), value)),
                None => others.push((name, value)),
            }
        }
        let others = MapDeserializer::<_, ValueError>::new(others.into_iter());
        let query = ListQuery::deserialize(others).map_err(|error| bad(error.to_string()))?;
        Ok(Self { query, attributes })
    }
}

impl Asked {
    /// What is asked for. Errors: 400 with the name of what cannot be read.
    pub async fn filter(&self, app: &App) -> Result<ProductFilter, Failure> {
        let query = &self.query;
        let min_rating = query_value("min_rating", Some(&query.min_rating))?;
        if min_rating.is_some_and(|stars: i64| !(1..=5).contains(&stars)) {
            return Err(bad("min_rating: a number of stars from 1 to 5."));
        }
        Ok(ProductFilter {
            search: query.search.clone(),
            category: category(app, &query.category).await?,
            min_price: query_money("min_price", &query.min_price, app.currency())?,
            max_price: query_money("max_price", &query.max_price, app.currency())?,
            tag: query.tag.clone(),
            in_stock: flag("in_stock", &query.in_stock)?,
            min_rating,
            attributes: self.attributes.clone(),
            sort: query_value("sort", Some(&query.sort))?.unwrap_or_default(),
            ..ProductFilter::default()
        })
    }

    /// Which page.
    pub fn page(&self) -> Result<PageRequest, Failure> {
        page_request(Some(&self.query.page), Some(&self.query.per_page))
    }

    /// Whether the counts beside the filters are wanted.
    pub fn facets(&self) -> Result<bool, Failure> {
        flag("facets", &self.query.facets)
    }
}

/// Which products, for staff.
#[derive(Debug, Default, Deserialize, Serialize, IntoParams, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StaffNarrowed {
    /// Words, as for shoppers; the beginning of a SKU is enough.
    search: String,
    /// Id or slug of a category: its products and those of all below it.
    category: String,
    /// `draft`, `active` or `archived`; left out: all.
    #[param(schema_with = word::<ProductStatus>)]
    #[schema(schema_with = word::<ProductStatus>)]
    status: String,
    /// Only products with this tag, whatever its case.
    tag: String,
    /// Only products by this maker, whatever its case.
    maker: String,
    /// `in` for what can be bought now, `low` for what runs out, `out` for what is sold out.
    #[param(schema_with = word::<StockChoice>)]
    #[schema(schema_with = word::<StockChoice>)]
    stock: String,
    /// `true`: only what can be bought now; the same as `stock=in`.
    #[param(schema_with = flag_schema)]
    #[schema(schema_with = flag_schema)]
    in_stock: String,
    /// `true`: only drafts that go on sale by themselves.
    #[param(schema_with = flag_schema)]
    #[schema(schema_with = flag_schema)]
    scheduled: String,
    /// `true`: only what has no picture.
    #[param(schema_with = flag_schema)]
    #[schema(schema_with = flag_schema)]
    without_picture: String,
    /// At least this price, `19.99`.
    #[param(schema_with = money)]
    #[schema(schema_with = money)]
    min_price: String,
    /// At most this price.
    #[param(schema_with = money)]
    #[schema(schema_with = money)]
    max_price: String,
    /// `newest` (if left out), `name`, `price`, `stock`, `status`, `updated`, each also from the
    /// end, `-name`; `rating` for the best first, `-rating` for the worst.
    #[param(schema_with = word::<StaffSort>)]
    #[schema(schema_with = word::<StaffSort>)]
    sort: String,
}

impl StaffNarrowed {
    /// What is asked for. Errors: 400 with the name of what cannot be read.
    pub async fn filter(&self, app: &App) -> Result<StaffFilter, Failure> {
        let in_stock = flag("in_stock", &self.in_stock)?;
        let stock = query_value("stock", Some(&self.stock))?;
        Ok(StaffFilter {
            search: self.search.clone(),
            status: query_value("status", Some(&self.status))?,
            category: category(app, &self.category).await?,
            tag: self.tag.clone(),
            maker: self.maker.clone(),
            stock: stock.or(in_stock.then_some(StockChoice::In)),
            scheduled: flag("scheduled", &self.scheduled)?,
            without_picture: flag("without_picture", &self.without_picture)?,
            min_price: query_money("min_price", &self.min_price, app.currency())?,
            max_price: query_money("max_price", &self.max_price, app.currency())?,
            sort: query_value("sort", Some(&self.sort))?.unwrap_or_default(),
        })
    }
}

/// The query of the list for staff.
pub struct StaffAsked {
    /// Which products.
    pub narrowed: StaffNarrowed,
    page: PageQuery,
}

impl<S: Send + Sync> FromRequestParts<S> for StaffAsked {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Query(pairs) = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await?;
        let mut page = PageQuery::default();
        let mut others = Vec::new();
        for (name, value) in pairs {
            match name.as_str() {
                "page" => page.page = value,
                "per_page" => page.per_page = value,
                _ => others.push((name, value)),
            }
        }
        let others = MapDeserializer::<_, ValueError>::new(others.into_iter());
        let narrowed =
            StaffNarrowed::deserialize(others).map_err(|error| bad(error.to_string()))?;
        Ok(Self { narrowed, page })
    }
}

impl StaffAsked {
    /// Which page.
    pub fn page(&self) -> Result<PageRequest, Failure> {
        self.page.read()
    }
}

fn flag(name: &str, text: &str) -> Result<bool, Failure> {
    Ok(query_value(name, Some(text))?.unwrap_or(false))
}

async fn category(app: &App, key: &str) -> Result<Option<CategoryId>, Failure> {
    if key.is_empty() {
        return Ok(None);
    }
    match service::category(app, key).await {
        Ok(category) => Ok(Some(category.id)),
        Err(Error::NotFound) => Err(bad("category: there is no such category.")),
        Err(error) => Err(error.into()),
    }
}

/// 400 with what is wrong.
pub(super) fn bad(detail: impl Into<String>) -> Failure {
    Failure::new(StatusCode::BAD_REQUEST, "bad_query", detail)
}
