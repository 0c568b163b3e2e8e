//! SQL of the category tree.

use crate::catalog::model::{Category, CategoryTree, Seo};
use crate::db::{self, Conn, FromRow, Tx, execute, fetch_all, fetch_one, fetch_optional};
use crate::types::{CategoryId, Slug, Timestamp};

#[derive(FromRow)]
struct CategoryRow {
    id: CategoryId,
    parent_id: Option<CategoryId>,
    #[sqlx(try_from = "String")]
    slug: Slug,
    name: String,
    description: String,
    seo_title: String,
    seo_description: String,
    position: i64,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<CategoryRow> for Category {
    fn from(row: CategoryRow) -> Self {
        Self {
            id: row.id,
            parent_id: row.parent_id,
            slug: row.slug,
            name: row.name,
            description: row.description,
            seo: Seo {
                title: row.seo_title,
                description: row.seo_description,
            },
            position: row.position,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// All categories, siblings in their order.
pub async fn category_tree(conn: &mut Conn) -> db::Result<CategoryTree> {
    let rows = fetch_all!(
        conn,
        CategoryRow,
        "select id, parent_id, slug, name, description, seo_title, seo_description, position,
            version, created_at, updated_at
        from categories
        order by position, name, id"
    )?;
    Ok(CategoryTree(rows.into_iter().map(Category::from).collect()))
}

/// Keeps other changes of the tree out until the transaction ends, so that two moves cannot
/// make a circle together. Roots and all.
pub async fn lock_categories(tx: &mut Tx) -> db::Result<()> {
    execute!(
        tx,
        { sqlite: "select 1", postgres: "lock table categories in exclusive mode" }
    )?;
    Ok(())
}

/// Adds a category; its id and version are given by the database.
pub async fn insert_category(tx: &mut Tx, category: &Category) -> db::Result<CategoryId> {
    let (id,) = fetch_one!(
        tx,
        (CategoryId,),
        "insert into categories
            (parent_id, slug, name, description, position, created_at, updated_at, seo_title,
            seo_description)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        returning id",
        category.parent_id,
        &category.slug,
        &category.name,
        &category.description,
        category.position,
        category.created_at,
        category.updated_at,
        &category.seo.title,
        &category.seo.description,
    )?;
    Ok(id)
}

/// Writes a changed category and counts its version up.
pub async fn update_category(tx: &mut Tx, category: &Category) -> db::Result<()> {
    execute!(
        tx,
        "update categories
        set parent_id = $2, slug = $3, name = $4, description = $5, position = $6,
            version = version + 1, updated_at = $7, seo_title = $8, seo_description = $9
        where id = $1",
        category.id,
        category.parent_id,
        &category.slug,
        &category.name,
        &category.description,
        category.position,
        category.updated_at,
        &category.seo.title,
        &category.seo.description,
    )?;
    Ok(())
}

/// Makes a slug that a category gave up lead to it.
pub async fn put_category_redirect(tx: &mut Tx, slug: &Slug, id: CategoryId) -> db::Result<()> {
    execute!(
        tx,
        "insert into category_redirects (slug, category_id)
        values ($1, $2)
        on conflict (slug) do update set category_id = excluded.category_id",
        slug,
        id,
    )?;
    Ok(())
}

/// Makes a slug lead to no other category, because one has it now.
pub async fn delete_category_redirect(tx: &mut Tx, slug: &Slug) -> db::Result<()> {
    execute!(tx, "delete from category_redirects where slug = $1", slug)?;
    Ok(())
}

/// The category that a slug led to before.
pub async fn category_redirect(conn: &mut Conn, slug: &str) -> db::Result<Option<CategoryId>> {
    let row = fetch_optional!(
        conn,
        (CategoryId,),
        "select category_id
        from category_redirects
        where slug = $1",
        slug,
    )?;
    Ok(row.map(|(id,)| id))
}

/// Deletes a category; its children and products move up to `parent`.
pub async fn delete_category(
    tx: &mut Tx,
    id: CategoryId,
    parent: Option<CategoryId>,
    now: Timestamp,
) -> db::Result<()> {
    execute!(
        tx,
        "update categories
        set parent_id = $2, version = version + 1, updated_at = $3
        where parent_id = $1",
        id,
        parent,
        now,
    )?;
    execute!(
        tx,
        "update products
        set category_id = $2, version = version + 1, updated_at = $3
        where category_id = $1",
        id,
        parent,
        now,
    )?;
    execute!(tx, "delete from categories where id = $1", id)?;
    Ok(())
}

/// Whether no product stands in a category.
pub async fn is_empty_category(conn: &mut Conn, id: CategoryId) -> db::Result<bool> {
    let row = fetch_optional!(
        conn,
        (i64,),
        "select id from products where category_id = $1 limit 1",
        id,
    )?;
    Ok(row.is_none())
}
