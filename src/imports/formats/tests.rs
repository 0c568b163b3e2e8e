//! Files of the three formats, read and written.

use std::io::Write;

use super::*;
use crate::catalog::{
    Image, OptionValue, ProductOption, ProductStatus, Rating, Related, Seo, Variant,
};
use crate::imports::csv::{Normaliser, read_header, read_records};
use crate::inventory::StockLevel;
use crate::types::text::unprotected;
use crate::types::{Currency, ImageId, Money, ProductId, Timestamp, VariantId};

/// The products of a file by their handles, and what is wrong with rows of none.
fn products(text: &str) -> (Format, Vec<(String, Parsed)>) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let mut normaliser = Normaliser::default();
    file.write_all(&normaliser.take(text.as_bytes())).unwrap();
    file.write_all(normaliser.end()).unwrap();
    let (layout, place) = read_header(file.path()).unwrap().unwrap();
    let (format, _) = recognise(&layout.columns).unwrap();
    let columns = Columns::new(&layout.columns);
    let piece = read_records(file.path(), &layout, place, 1_000)
        .unwrap()
        .unwrap();
    let mut groups: Vec<(String, Vec<Row>)> = Vec::new();
    for record in piece.records {
        let line = i64::try_from(record.line).unwrap();
        let row = Row {
            line,
            cells: record.cells.unwrap(),
        };
        let handle = handle_of(format, &columns, &row).unwrap();
        match groups.iter_mut().find(|(known, _)| *known == handle) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((handle, vec![row])),
        }
    }
    let parsed = |(handle, rows): (String, Vec<Row>)| (handle, parse(format, &columns, &rows));
    (format, groups.into_iter().map(parsed).collect())
}

fn amounts(parsed: &Parsed) -> Vec<(Option<String>, Option<String>, Option<i64>)> {
    let euro = Currency::eur();
    let read = |money: &Option<MoneyInput>| {
        money
            .as_ref()
            .map(|money| money.read(euro).unwrap().amount())
    };
    let variants = parsed.described.input.variants.iter().flatten();
    variants
        .map(|one| (read(&one.price), read(&one.compare_at_price), one.stock))
        .collect()
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn a_shopify_file_is_understood() {
    let (format, found) = products(
        "Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Variant SKU,\
         Variant Grams,Variant Inventory Qty,Variant Price,Variant Compare At Price,Image Src,\
         Image Position,Image Alt Text,Gift Card,SEO Title,Variant Image,Status,Odd column\n\
         mug,Mug,\"<p>By <b>hand</b></p>\",Olmo,Table > Cups,\"clay, tea\",TRUE,Colour,Oat,MUG-O,350,5,24.00,30.00,\
         https://example.com/2.jpg,2,Night mug,FALSE,A mug,https://example.com/1.jpg,active,x\n\
         card,Card,,,,,FALSE,Title,Default Title,CARD,0.0,-3,10,,,,,TRUE,,,active,\n\
         mug,,,,,,,,Night,MUG-N,350,2,24.00,,https://example.com/1.jpg,1,Oat mug,,,https://example.com/2.jpg,,\n",
    );
    assert_eq!(format, Format::Shopify);
    let [(_, mug), (_, card)] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(mug.problems, []);
    let input = &mug.described.input;
    assert_eq!(
        (input.name.as_deref(), input.slug.as_deref()),
        (Some("Mug"), Some("mug"))
    );
    assert_eq!(input.description, text("By **hand**"));
    assert_eq!(
        (
            input.status.as_deref(),
            input.digital,
            input.seo_title.clone()
        ),
        (Some("active"), None, text("A mug"))
    );
    assert_eq!(
        mug.described.category,
        Some(vec!["Table".to_owned(), "Cups".to_owned()])
    );
    assert_eq!(input.tags, Some(vec!["clay".to_owned(), "tea".to_owned()]));
    assert_eq!(mug.variant_lines, [2, 4]);
    assert_eq!(
        amounts(mug),
        [
            (text("24.00"), text("30.00"), Some(5)),
            (text("24.00"), text("0.00"), Some(2))
        ]
    );
    let shown: Vec<_> = mug
        .described
        .pictures
        .iter()
        .map(|one| (one.url.as_str(), one.option_value.as_deref()))
        .collect();
    assert_eq!(
        shown,
        [
            ("https://example.com/1.jpg", Some("Oat")),
            ("https://example.com/2.jpg", Some("Night"))
        ]
    );
    let input = &card.described.input;
    assert_eq!(
        (input.status.as_deref(), input.digital),
        (Some("draft"), Some(true))
    );
    assert!(input.options.as_ref().unwrap().is_empty());
    assert_eq!(amounts(card), [(text("10.00"), text("0.00"), Some(0))]);
}

#[test]
fn a_woocommerce_file_is_understood() {
    let (format, found) = products(
        "ID;Type;SKU;Name;Published;Visibility in catalog;Short description;Description;In stock?;Stock;\
         Weight (kg);Sale price;Regular price;Categories;Tags;Images;Parent;Attribute 1 name;Attribute 1 value(s)\n\
         7;variable;vneck;V-neck;1;visible;\"<p>Soft</p>\";\"A\\n\\nB\";1;;;;;\"Clothes > Shirts, New\";;\
         https://example.com/a.jpg;;Size;\"S, M\"\n\
         9;grouped;set;Set;1;visible;;;1;;;;;;;;;;\n\
         10;simple, virtual;song;Song;0;visible;;;0;;;\"1,50\";2.00;;;;;Length;3 min\n\
         11;variation;vneck-s;;1;visible;;;1;4;0.25;;20;;;https://example.com/s.jpg;vneck;Size;S\n\
         12;variation;vneck-m;;1;visible;;;1;1;0.3;;21;;;;vneck;Size;M\n\
         13;variation;lost;;1;visible;;;1;1;;;21;;;;gone;Size;M\n",
    );
    assert_eq!(format, Format::WooCommerce);
    let [(_, shirt), (_, set), (_, song), (_, lost)] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(shirt.problems, []);
    assert_eq!(shirt.variant_lines, [5, 6]);
    let input = &shirt.described.input;
    assert_eq!(
        (input.summary.as_deref(), input.description.as_deref()),
        (Some("Soft"), Some("A B"))
    );
    assert_eq!(
        shirt.described.category,
        Some(vec!["Clothes".to_owned(), "Shirts".to_owned()])
    );
    assert_eq!(input.options.as_ref().unwrap()[0].values.len(), 2);
    assert_eq!(input.variants.as_ref().unwrap()[0].weight_grams, Some(250));
    assert_eq!(shirt.described.pictures[1].option_value, text("S"));
    assert!(set.problems[0].message.contains("grouped"), "{set:?}");
    assert_eq!(amounts(song), [(text("1.50"), text("2.00"), Some(0))]);
    assert_eq!(
        (
            song.described.input.status.as_deref(),
            song.described.input.digital
        ),
        (Some("draft"), Some(true))
    );
    assert_eq!(
        song.described.input.attributes.as_ref().unwrap()[0].value,
        "3 min"
    );
    assert_eq!(
        (lost.problems[0].line, lost.problems[0].field.as_str()),
        (7, "Parent")
    );
}

fn product() -> Product {
    let euro = Currency::eur();
    let variant = |id, sku: &str, options: &[&str], before: Option<i64>| Variant {
        id: VariantId(id),
        product_id: ProductId(1),
        sku: sku.to_owned(),
        options: options.iter().map(|&value| value.to_owned()).collect(),
        price: Money::new(2_400, euro),
        compare_at: before.map(|minor| Money::new(minor, euro)),
        weight_grams: 350,
        barcode: "=1".to_owned(),
        position: id,
        active: id == 1,
        stock: StockLevel {
            on_hand: 5,
            reserved: 1,
        },
        backorder: false,
    };
    let value = |value: &str, swatch: Option<&str>| OptionValue {
        value: value.to_owned(),
        swatch: swatch.map(str::to_owned),
    };
    Product {
        id: ProductId(1),
        slug: Slug::parse("mug").unwrap(),
        name: "-Mug".to_owned(),
        maker: "@olmo".to_owned(),
        summary: "'=One".to_owned(),
        description: "  code\n\n*Two*, \"three\"\n".to_owned(),
        category_id: None,
        status: ProductStatus::Draft,
        publish_at: Timestamp::parse("2026-12-24T09:00:00Z"),
        digital: true,
        tax_class: "reduced".to_owned(),
        seo: Seo {
            title: "T".to_owned(),
            description: String::new(),
        },
        options: vec![ProductOption {
            name: "Colour".to_owned(),
            values: vec![
                value("Unused", None),
                value("A, b", Some("#e4dac8")),
                value("C\\d", None),
            ],
        }],
        tags: vec!["clay".to_owned(), "tea".to_owned()],
        attributes: vec![("Made: in".to_owned(), "Spain: Ubeda".to_owned())],
        related: vec![Related {
            id: ProductId(2),
            slug: Slug::parse("bowl").unwrap(),
            name: "Bowl".to_owned(),
        }],
        variants: vec![
            variant(1, "M-1", &["A, b"], Some(3_000)),
            variant(2, "M-2", &["C\\d"], None),
        ],
        images: vec![Image {
            id: ImageId(1),
            storage_key: "ab/cd".to_owned(),
            alt: "A mug".to_owned(),
            width: 1_600,
            height: 10,
            option_value: "A, b".to_owned(),
            position: 0,
        }],
        rating: Rating::default(),
        version: 1,
        created_by: None,
        created_at: Timestamp(1),
        updated_at: Timestamp(1),
    }
}

/// A product's rows as they come back from a file of this format.
fn there_and_back(format: Format) -> Parsed {
    let rows = rows(
        format,
        &product(),
        &CategoryTree::default(),
        "https://shop.example",
    );
    let names: Vec<String> = header(format).into_iter().map(str::to_owned).collect();
    assert_eq!(recognise(&names).unwrap().0, format);
    let cells = |row: Vec<String>| {
        row.iter()
            .map(|cell| unprotected(cell).to_owned())
            .collect()
    };
    let rows: Vec<Row> = (2..)
        .zip(rows)
        .map(|(line, row)| Row {
            line,
            cells: cells(row),
        })
        .collect();
    let columns = Columns::new(&names);
    let handles: Vec<String> = rows
        .iter()
        .map(|row| handle_of(format, &columns, row).unwrap())
        .collect();
    assert!(
        handles.iter().all(|handle| *handle == handles[0]),
        "{handles:?}"
    );
    parse(format, &columns, &rows)
}

#[test]
fn our_own_format_loses_nothing() {
    let (parsed, product) = (there_and_back(Format::Zoco), product());
    assert_eq!(parsed.problems, []);
    let input = parsed.described.input;
    assert_eq!(input.name, Some(product.name));
    assert_eq!(
        (input.maker, input.summary),
        (Some(product.maker), Some(product.summary))
    );
    assert_eq!(input.description, Some(product.description));
    assert_eq!((input.status, input.digital), (text("draft"), Some(true)));
    assert_eq!(input.publish_at, product.publish_at.map(Timestamp::rfc3339));
    assert_eq!(
        (input.seo_title, input.seo_description),
        (text("T"), text(""))
    );
    assert_eq!(
        (input.tags, input.related),
        (Some(product.tags), Some(vec!["bowl".to_owned()]))
    );
    let attributes: Vec<_> = input
        .attributes
        .unwrap()
        .into_iter()
        .map(|one| (one.name, one.value))
        .collect();
    assert_eq!(attributes, product.attributes);
    let option = input.options.unwrap().remove(0);
    let values: Vec<_> = option
        .values
        .into_iter()
        .map(|one| OptionValue {
            value: one.value,
            swatch: one.swatch,
        })
        .collect();
    assert_eq!(values, product.options[0].values);
    for (given, variant) in input.variants.unwrap().iter().zip(&product.variants) {
        assert_eq!(
            (given.sku.as_ref(), &given.options),
            (Some(&variant.sku), &variant.options)
        );
        assert_eq!(
            given.price.as_ref().unwrap().read(Currency::eur()),
            Ok(variant.price)
        );
        let before = given
            .compare_at_price
            .as_ref()
            .unwrap()
            .read(Currency::eur())
            .unwrap();
        assert_eq!(before.minor(), variant.compare_at.map_or(0, Money::minor));
        assert_eq!(
            (given.stock, given.weight_grams, given.active),
            (Some(5), Some(350), Some(variant.active))
        );
        assert_eq!(given.barcode.as_ref(), Some(&variant.barcode));
    }
    let picture = &parsed.described.pictures[0];
    assert_eq!(picture.url, "https://shop.example/media/ab/cd-1600.webp");
    assert_eq!(
        (picture.alt.as_deref(), picture.option_value.as_deref()),
        (Some("A mug"), Some("A, b"))
    );
}

#[test]
fn other_shops_formats_keep_what_they_can_hold() {
    for format in [Format::Shopify, Format::WooCommerce] {
        let parsed = there_and_back(format);
        assert_eq!(parsed.problems, [], "{format}");
        assert_eq!(parsed.name, "-Mug", "{format}");
        let skus: Vec<_> = parsed
            .described
            .input
            .variants
            .iter()
            .flatten()
            .map(|one| one.sku.clone())
            .collect();
        assert_eq!(skus, [text("M-1"), text("M-2")], "{format}");
        assert_eq!(
            amounts(&parsed)[0],
            (text("24.00"), text("30.00"), Some(5)),
            "{format}"
        );
        assert_eq!(parsed.described.pictures.len(), 1, "{format}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_column() {
    let (_, found) = products(
        "slug,name,sku,stock,active,attributes\nmug,Mug,A,many,maybe,no colon\nmug,,A,1,yes,\n",
    );
    let told: Vec<_> = found[0]
        .1
        .problems
        .iter()
        .map(|one| (one.line, one.field.as_str()))
        .collect();
    assert_eq!(
        told,
        [(2, "attributes"), (2, "stock"), (2, "active"), (3, "sku")]
    );
    assert!(recognise(&["a".to_owned(), "b".to_owned()]).is_none());
    let names = ["Handle", "Title", "Cost per item"].map(str::to_owned);
    assert_eq!(
        recognise(&names),
        Some((Format::Shopify, vec!["Cost per item".to_owned()]))
    );
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, cases: 64, ..Default::default() })]

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..2_000), format in 0..3_usize) {
        let format = [Format::Zoco, Format::Shopify, Format::WooCommerce][format];
        let mut text = header(format).join(",").into_bytes();
        text.push(b'\n');
        text.extend(bytes);
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let mut normaliser = Normaliser::default();
        file.write_all(&normaliser.take(&text)).unwrap();
        file.write_all(normaliser.end()).unwrap();
        if let Ok((layout, place)) = read_header(file.path()).unwrap()
            && let Ok(piece) = read_records(file.path(), &layout, place, 10_000).unwrap()
        {
            let columns = Columns::new(&layout.columns);
            for record in piece.records {
                if let Ok(cells) = record.cells {
                    let row = Row { line: 2, cells };
                    let _ = handle_of(format, &columns, &row);
                    parse(format, &columns, &[row]);
                }
            }
        }
    }
}
