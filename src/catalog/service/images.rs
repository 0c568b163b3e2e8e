//! Pictures of products: an upload is decoded and encoded anew, so that nothing of the file that
//! somebody sent is ever served.

use std::io::Cursor;

use anyhow::anyhow;
use fast_image_resize::{ResizeOptions, Resizer};
use image::{DynamicImage, ImageDecoder, ImageReader, Limits};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use webp::PixelLayout;

use super::ProductKey;
use super::draft::line;
use super::read::visible_id;
use super::write::{finish, take_for_change};
use crate::app::App;
use crate::catalog::model::{Image, Product};
use crate::catalog::store;
use crate::ctx::{Ctx, Permission};
use crate::db::Tx;
use crate::error::{Error, FieldErrors, Result};
use crate::types::ImageId;

/// The largest file of a picture, in bytes.
pub const MAX_BYTES: usize = 10 * 1024 * 1024;
/// The largest width and height, in pixels.
const MAX_SIDE: u32 = 12_000;
/// The most pixels in all.
const MAX_PIXELS: u64 = 40_000_000;
/// The most memory that decoding one picture may take, in bytes.
const MAX_MEMORY: u64 = 320 * 1024 * 1024;
/// The most pictures of one product.
pub const MAX_IMAGES: usize = 30;
const MAX_ALT: usize = 300;
/// Of WebP, from 0 to 100.
const QUALITY: f32 = 82.0;

/// Pictures that are decoded at once: each may take [`MAX_MEMORY`] and a core.
static DECODERS: Semaphore = Semaphore::const_new(2);

/// A picture, ready to be stored.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// Width of the original in pixels, as it is to be seen.
    pub width: u32,
    /// Height of the original in pixels, as it is to be seen.
    pub height: u32,
    /// The WebP files, by the width that their name tells.
    pub files: Vec<(u32, Vec<u8>)>,
}

/// Decodes an uploaded picture, encodes it anew in several sizes and adds it at the end.
/// Errors: `Invalid` at `image` for what is no picture, too large or too many pixels.
pub async fn add_image(
    app: &App,
    ctx: &Ctx,
    product: &ProductKey,
    bytes: Vec<u8>,
    alt: &str,
) -> Result<Image> {
    ctx.require(Permission::Catalog)?;
    let alt = read_alt(alt)?;
    // All work is in vain for a product that is not there.
    let id = visible_id(&mut app.db.conn().await?, ctx, product).await?;
    let (key, picture) = store_picture(app, bytes).await?;
    let mut tx = app.db.begin().await?;
    let before = take_for_change(app, ctx, &mut tx, &ProductKey::Id(id), None).await?;
    let mut image = Image {
        id: ImageId(0),
        storage_key: key,
        alt: String::new(),
        width: i64::from(picture.width),
        height: i64::from(picture.height),
        option_value: String::new(),
        position: 0,
    };
    place_last(&before, &mut image, &alt)?;
    image.id = store::insert_image(&mut tx, id, &image, ctx.now).await?;
    finish(app, ctx, &mut tx, "product.image_added", Some(&before), id).await?;
    tx.commit().await?;
    Ok(image)
}

/// Gives a new picture its place behind those of the product, and what it shows. Errors: `Invalid`
/// at `image` for one too many, at `alt`.
pub(super) fn place_last(product: &Product, image: &mut Image, alt: &str) -> Result<()> {
    if product.images.len() >= MAX_IMAGES {
        let message = format!("A product has at most {MAX_IMAGES} pictures.");
        return Err(Error::invalid("image", "too_many", message));
    }
    image.alt = read_alt(alt)?;
    image.position = product.images.last().map_or(0, |last| last.position + 1);
    Ok(())
}

/// A picture whose files were made beforehand, such as those of the demo shop.
#[derive(Clone, Debug)]
pub struct ReadyImage {
    /// What it shows, for those who do not see it.
    pub alt: String,
    /// The option value that it shows, such as a colour; empty when it shows any.
    pub option_value: String,
    /// Size of the original, and the files in the widths of [`Image::widths_of`].
    pub picture: Encoded,
}

/// Gives a product that has no pictures its first ones, without decoding anything; a product
/// that has any is left alone, so that it may be asked twice. The cover comes first. Only for
/// files of our own: nothing in them is checked.
pub async fn add_ready_images(
    app: &App,
    ctx: &Ctx,
    product: &ProductKey,
    pictures: Vec<ReadyImage>,
) -> Result<()> {
    ctx.require(Permission::Catalog)?;
    let id = visible_id(&mut app.db.conn().await?, ctx, product).await?;
    let mut images = Vec::with_capacity(pictures.len());
    for (position, ready) in (0..).zip(pictures) {
        let largest = ready.picture.files.last().map(|(_, file)| file.as_slice());
        let storage_key = key_of(largest.unwrap_or_default());
        store_files(app, &storage_key, &ready.picture).await?;
        images.push(Image {
            id: ImageId(0),
            storage_key,
            alt: read_alt(&ready.alt)?,
            width: i64::from(ready.picture.width),
            height: i64::from(ready.picture.height),
            option_value: ready.option_value,
            position,
        });
    }
    let mut tx = app.db.begin().await?;
    let before = take_for_change(app, ctx, &mut tx, &ProductKey::Id(id), None).await?;
    if !before.images.is_empty() || images.is_empty() {
        return Ok(());
    }
    for image in &images {
        store::insert_image(&mut tx, id, image, ctx.now).await?;
    }
    finish(app, ctx, &mut tx, "product.image_added", Some(&before), id).await?;
    Ok(tx.commit().await?)
}

/// What is to change of a picture.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ImageInput {
    /// What it shows, for those who do not see it.
    pub alt: Option<String>,
    /// Its place from 0; the others make room.
    pub position: Option<i64>,
    /// The option value that it shows, such as a colour; empty: any.
    pub option_value: Option<String>,
}

/// Changes a picture. `version`: the product's, from `If-Match`; another one is `Stale`.
pub async fn update_image(
    app: &App,
    ctx: &Ctx,
    product: &ProductKey,
    image: ImageId,
    version: Option<i64>,
    input: ImageInput,
) -> Result<Image> {
    ctx.require(Permission::Catalog)?;
    let alt = input.alt.as_deref().map(read_alt).transpose()?;
    let position = input.position.map(usize::try_from).transpose();
    let position = position.map_err(|_| {
        let message = "A place is a number from 0.";
        Error::invalid("position", "range", message)
    })?;
    let mut tx = app.db.begin().await?;
    let before = take_for_change(app, ctx, &mut tx, product, version).await?;
    let mut images = before.images.clone();
    let mut changed = images.remove(place_of(&before, image)?);
    changed.alt = alt.unwrap_or(changed.alt);
    if let Some(value) = input.option_value {
        changed.option_value = known_value(&before, value)?;
    }
    store::update_image(&mut tx, &changed).await?;
    if let Some(position) = position {
        images.insert(position.min(images.len()), changed);
        place(&mut tx, &images).await?;
    }
    let action = "product.image_changed";
    let after = finish(app, ctx, &mut tx, action, Some(&before), before.id).await?;
    tx.commit().await?;
    let found = after.images.into_iter().find(|one| one.id == image);
    found.ok_or(Error::NotFound)
}

/// Removes a picture. Its files stay, because another product may show the same. `version`: the
/// product's, from `If-Match`; another one is `Stale`.
pub async fn delete_image(
    app: &App,
    ctx: &Ctx,
    product: &ProductKey,
    image: ImageId,
    version: Option<i64>,
) -> Result<()> {
    ctx.require(Permission::Catalog)?;
    let mut tx = app.db.begin().await?;
    let before = take_for_change(app, ctx, &mut tx, product, version).await?;
    let mut images = before.images.clone();
    images.remove(place_of(&before, image)?);
    store::delete_image(&mut tx, image).await?;
    place(&mut tx, &images).await?;
    let action = "product.image_removed";
    finish(app, ctx, &mut tx, action, Some(&before), before.id).await?;
    Ok(tx.commit().await?)
}

/// Numbers pictures anew, in this order.
async fn place(tx: &mut Tx, images: &[Image]) -> Result<()> {
    let ids: Vec<ImageId> = images.iter().map(|image| image.id).collect();
    Ok(store::place_images(tx, &ids).await?)
}

fn place_of(product: &Product, image: ImageId) -> Result<usize> {
    let place = product.images.iter().position(|one| one.id == image);
    place.ok_or(Error::NotFound)
}

/// An option value that the product has, or none.
fn known_value(product: &Product, value: String) -> Result<String> {
    let value = value.trim().to_owned();
    let mut values = product.options.iter().flat_map(|option| &option.values);
    if value.is_empty() || values.any(|known| known.value == value) {
        return Ok(value);
    }
    let message = format!("No option of this product has the value \u{201c}{value}\u{201d}.");
    Err(Error::invalid("option_value", "unknown", message))
}

fn read_alt(alt: &str) -> Result<String> {
    let mut errors = FieldErrors::default();
    let alt = line(&mut errors, "alt", alt, MAX_ALT);
    errors.into_result()?;
    Ok(alt)
}

/// Encodes a picture and puts its files where they belong. The key is the name of the contents.
pub(super) async fn store_picture(app: &App, bytes: Vec<u8>) -> Result<(String, Encoded)> {
    let _permit = DECODERS.acquire().await.map_err(|error| anyhow!(error))?;
    let key = key_of(&bytes);
    let encoded = tokio::task::spawn_blocking(move || encode(&bytes)).await;
    let encoded = encoded.map_err(|error| anyhow!(error))??;
    store_files(app, &key, &encoded).await?;
    Ok((key, encoded))
}

/// The key of a picture made of these bytes: the name of the contents.
fn key_of(bytes: &[u8]) -> String {
    let hash = hex::encode(Sha256::digest(bytes));
    format!("{}/{hash}", &hash[..2])
}

async fn store_files(app: &App, key: &str, picture: &Encoded) -> Result<()> {
    for (width, file) in &picture.files {
        app.storage.put(&Image::file(key, *width), file).await?;
    }
    Ok(())
}

/// Decodes a JPEG, PNG or WebP and encodes it as WebP in the widths of
/// [`Image::widths_of`]; a picture that is narrower than the smallest is not blown up. Slow: call
/// it where it may block. Errors: `Invalid` at `image`.
pub fn encode(bytes: &[u8]) -> Result<Encoded> {
    if bytes.len() > MAX_BYTES {
        let message = "This file is too large: at most 10 MiB.";
        return Err(Error::invalid("image", "too_large", message));
    }
    let original = decode(bytes)?;
    let (width, height) = (original.width(), original.height());
    let mut files = Vec::new();
    for kept in Image::widths_of(width) {
        files.push((kept, webp(&scaled(&original, kept.min(width))?)?));
    }
    Ok(Encoded {
        width,
        height,
        files,
    })
}

/// The picture as it is to be seen, in 8 bits a channel.
fn decode(bytes: &[u8]) -> Result<DynamicImage> {
    let no_picture = |_| {
        let message = "This is no picture that the shop can read: choose a JPEG, PNG or WebP.";
        Error::invalid("image", "invalid", message)
    };
    let too_many = || {
        let message = "This picture is too large: at most 40 megapixels, 12000 on a side.";
        Error::invalid("image", "too_many_pixels", message)
    };
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    let mut decoder = reader.into_decoder().map_err(no_picture)?;
    // The size stands in the first bytes: what claims too much is not decoded at all.
    let (width, height) = decoder.dimensions();
    if width > MAX_SIDE
        || height > MAX_SIDE
        || u64::from(width) * u64::from(height) > MAX_PIXELS
        || decoder.total_bytes() > MAX_MEMORY
    {
        return Err(too_many());
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_MEMORY);
    decoder.set_limits(limits).map_err(|_| too_many())?;
    let orientation = decoder.orientation().map_err(no_picture)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(no_picture)?;
    picture.apply_orientation(orientation);
    Ok(if picture.color().has_alpha() {
        picture.into_rgba8().into()
    } else {
        picture.into_rgb8().into()
    })
}

fn scaled(original: &DynamicImage, width: u32) -> Result<DynamicImage> {
    if width == original.width() {
        return Ok(original.clone());
    }
    let ratio = f64::from(width) / f64::from(original.width());
    let height = ((f64::from(original.height()) * ratio).round() as u32).max(1);
    let mut small = DynamicImage::new(width, height, original.color());
    Resizer::new()
        .resize(original, &mut small, &ResizeOptions::new())
        .map_err(|error| anyhow!(error))?;
    Ok(small)
}

fn webp(picture: &DynamicImage) -> Result<Vec<u8>> {
    let layout = if picture.color().has_alpha() {
        PixelLayout::Rgba
    } else {
        PixelLayout::Rgb
    };
    let (width, height) = (picture.width(), picture.height());
    let encoder = webp::Encoder::new(picture.as_bytes(), layout, width, height);
    let encoded = encoder
        .encode_simple(false, QUALITY)
        .map_err(|error| anyhow!("cannot write WebP: {error:?}"))?;
    Ok(encoded.to_vec())
}
