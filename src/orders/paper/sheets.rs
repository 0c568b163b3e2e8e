//! Invoices, credit notes and packing slips on A4.

use super::layout::{Column, EDGE, RIGHT, Sheet, TEXT};
use super::pdf::{Face, Mark, write};
use super::{Printed, Slip};
use crate::error::Result;

/// The middle of a page.
const MIDDLE: f32 = (EDGE + RIGHT) / 2.0;

/// An invoice or a credit note as PDF.
pub fn invoice_pdf(printed: &Printed) -> Result<Vec<u8>> {
    write(&printed.title(), &invoice_pages(printed)?)
}

fn column(title: &'static str, left: f32, right: f32, number: bool) -> Column {
    Column {
        title,
        left,
        right,
        number,
    }
}

/// The columns of the lines; without a discount there is none for it.
fn columns(printed: &Printed) -> Vec<Column> {
    if printed.has_discounts() {
        vec![
            column("Product", EDGE, 252.0, false),
            column("Pieces", 256.0, 290.0, true),
            column("Price", 294.0, 352.0, true),
            column("Discount", 356.0, 414.0, true),
            column("Tax", 418.0, 476.0, true),
            column("Amount", 480.0, RIGHT, true),
        ]
    } else {
        vec![
            column("Product", EDGE, 300.0, false),
            column("Pieces", 304.0, 340.0, true),
            column("Price", 344.0, 402.0, true),
            column("Tax", 406.0, 472.0, true),
            column("Amount", 476.0, RIGHT, true),
        ]
    }
}

fn party(sheet: &mut Sheet, left: f32, right: f32, title: &str, lines: &[String]) {
    sheet.text(left, right, title, Face::Bold, TEXT, true);
    for line in lines {
        sheet.text(left, right, line, Face::Regular, TEXT, false);
    }
}

fn invoice_pages(printed: &Printed) -> Result<Vec<Vec<Mark>>> {
    let mut sheet = Sheet::new()?;
    let seller = &printed.seller;
    let top = sheet.y();
    for line in seller.address.iter().chain(
        Some(format!("Tax number {}", seller.tax_id))
            .filter(|_| !seller.tax_id.is_empty())
            .iter(),
    ) {
        sheet.text_to(MIDDLE, RIGHT, line, 8.0, true);
    }
    let below = sheet.y();
    sheet.go_to(top);
    sheet.text(EDGE, MIDDLE, &seller.name, Face::Bold, 16.0, false);
    let next = sheet.y().max(below) + 26.0;
    sheet.go_to(next);
    sheet.text(EDGE, RIGHT, &printed.title(), Face::Bold, 14.0, false);
    sheet.space(10.0);

    let third = (RIGHT - EDGE) / 3.0;
    let top = sheet.y();
    party(
        &mut sheet,
        EDGE,
        EDGE + third - 12.0,
        "Bill to",
        &printed.buyer,
    );
    let mut lowest = sheet.y();
    sheet.go_to(top);
    let left = EDGE + third;
    party(
        &mut sheet,
        left,
        left + third - 12.0,
        "Ships to",
        &printed.ships_to,
    );
    lowest = lowest.max(sheet.y());
    sheet.go_to(top);
    for (name, fact) in printed.facts() {
        sheet.sum(EDGE + 2.0 * third, RIGHT, name, &fact, Face::Regular);
    }
    let next = lowest.max(sheet.y()) + 22.0;
    sheet.go_to(next);

    if !printed.lines.is_empty() {
        lines(&mut sheet, printed);
    }
    closing(&mut sheet, printed);
    let mut foot = format!("{} · {}", seller.name, printed.title());
    if !seller.tax_id.is_empty() {
        foot = format!("{foot} · Tax number {}", seller.tax_id);
    }
    Ok(sheet.finish(&foot))
}

fn lines(sheet: &mut Sheet, printed: &Printed) {
    sheet.begin_table(&columns(printed));
    for line in &printed.lines {
        let plain = |text: String| (text, String::new());
        let money = |minor: i64| plain(printed.money(&minor).to_string());
        let mut cells = vec![
            (line.label.clone(), line.sku.clone()),
            plain(line.quantity.to_string()),
            money(line.unit),
        ];
        if printed.has_discounts() {
            cells.push(if line.discount == 0 {
                plain(String::new())
            } else {
                money(-line.discount)
            });
        }
        cells.push(plain(line.tax.clone()));
        cells.push(money(line.amount));
        sheet.row(&cells);
    }
    sheet.end_table();
    sheet.space(8.0);
}

/// The sums, the taxes, and how the price came about.
fn closing(sheet: &mut Sheet, printed: &Printed) {
    let last = printed.sums.len().saturating_sub(1);
    for (index, (words, minor)) in printed.sums.iter().enumerate() {
        let face = if index == last {
            Face::Bold
        } else {
            Face::Regular
        };
        if index == last {
            sheet.need(40.0);
            sheet.space(3.0);
            sheet.rule(MIDDLE, RIGHT);
            sheet.space(5.0);
        }
        let amount = printed.money(minor).to_string();
        sheet.sum(MIDDLE, RIGHT, words, &amount, face);
    }
    if !printed.taxes.is_empty() {
        sheet.space(16.0);
        let title = if printed.prices_include_tax {
            "Tax in it"
        } else {
            "Tax"
        };
        sheet.begin_table(&[
            column(title, MIDDLE, MIDDLE + 90.0, false),
            column("Net", MIDDLE + 94.0, MIDDLE + 160.0, true),
            column("Tax", MIDDLE + 164.0, RIGHT, true),
        ]);
        for tax in &printed.taxes {
            let plain = |text: String| (text, String::new());
            let money = |minor: &i64| plain(printed.money(minor).to_string());
            sheet.row(&[plain(tax.name.clone()), money(&tax.net), money(&tax.tax)]);
        }
        sheet.end_table();
    }
    if !printed.trace.is_empty() {
        sheet.space(18.0);
        sheet.need(60.0);
        sheet.text(EDGE, RIGHT, "Why this price?", Face::Bold, TEXT, true);
        sheet.space(3.0);
        for (words, minor) in &printed.trace {
            let amount = printed.money(minor).to_string();
            sheet.sum(EDGE, RIGHT, words, &amount, Face::Regular);
        }
    }
}

/// Packing slips as one PDF, each beginning on a page of its own.
pub fn slips_pdf(slips: &[Slip]) -> Result<Vec<u8>> {
    let mut pages = Vec::new();
    for slip in slips {
        pages.extend(slip_pages(slip)?);
    }
    let title = match slips {
        [slip] => format!("Packing slip {}", slip.order),
        _ => "Packing slips".to_owned(),
    };
    write(&title, &pages)
}

fn slip_pages(slip: &Slip) -> Result<Vec<Vec<Mark>>> {
    let mut sheet = Sheet::new()?;
    sheet.text(EDGE, RIGHT, &slip.shop, Face::Bold, 16.0, false);
    sheet.space(20.0);
    let title = format!("Packing slip, parcel {}", slip.parcel);
    sheet.text(EDGE, RIGHT, &title, Face::Bold, 14.0, false);
    sheet.space(10.0);
    let top = sheet.y();
    party(&mut sheet, EDGE, MIDDLE - 12.0, "Ships to", &slip.ships_to);
    let lowest = sheet.y();
    sheet.go_to(top);
    for (name, fact) in [
        ("Order", &slip.order),
        ("Ordered on", &slip.ordered),
        ("Delivery", &slip.method),
        ("Carrier", &slip.tracking),
    ] {
        if !fact.is_empty() {
            sheet.sum(MIDDLE, RIGHT, name, fact, Face::Regular);
        }
    }
    let next = lowest.max(sheet.y()) + 22.0;
    sheet.go_to(next);
    sheet.begin_table(&[
        column("Product", EDGE, 380.0, false),
        column("SKU", 388.0, 480.0, false),
        column("Pieces", 484.0, RIGHT, true),
    ]);
    for (label, sku, quantity) in &slip.lines {
        let plain = |text: &str| (text.to_owned(), String::new());
        sheet.row(&[plain(label), plain(sku), plain(&quantity.to_string())]);
    }
    sheet.end_table();
    if !slip.note.is_empty() {
        sheet.space(14.0);
        sheet.text(EDGE, RIGHT, "Note", Face::Bold, TEXT, true);
        sheet.text(EDGE, RIGHT, &slip.note, Face::Regular, TEXT, false);
    }
    Ok(sheet.finish(&format!("{} · Order {}", slip.shop, slip.order)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orders::paper::pdf::{HEIGHT, Ruler, WIDTH};
    use crate::orders::paper::{PrintedLine, PrintedTax, Seller};

    fn printed(lines: usize, discount: i64) -> Printed {
        let line = |number: usize| PrintedLine {
            label: format!("Łódź mug {number} with a name that is so long that it goes on and on"),
            sku: "SKU-1234567890-ABCDEFGHIJKLMNOPQRSTUVWXYZ-1234567890".repeat(2),
            quantity: 2,
            unit: 1299,
            discount,
            tax: "21 % VAT".to_owned(),
            amount: 2598 - discount,
        };
        Printed {
            kind: "invoice".to_owned(),
            number: "2026-000123".to_owned(),
            currency: "EUR".to_owned(),
            seller: Seller {
                name: "Olmo".to_owned(),
                address: vec!["Calle Mayor 1".to_owned(), "28013 Madrid".to_owned()],
                tax_id: "ESB12345678".to_owned(),
            },
            buyer: vec!["Ada Lovelace".to_owned(), "12 Main Street".to_owned()],
            ships_to: vec!["Ñandú & Söhne".to_owned()],
            lines: (1..=lines).map(line).collect(),
            sums: vec![("Subtotal".to_owned(), 2598), ("Total".to_owned(), 2598)],
            taxes: vec![PrintedTax {
                name: "21 % VAT".to_owned(),
                net: 2147,
                tax: 451,
            }],
            prices_include_tax: true,
            total: 2598,
            trace: vec![("word ".repeat(60), 2598); 3],
            ..Printed::default()
        }
    }

    #[test]
    fn nothing_stands_outside_of_a_page_and_long_lists_go_on() {
        let ruler = Ruler::new().unwrap();
        for (lines, discount, count) in [(1, 0, 1), (1, 300, 1), (60, 300, 4), (400, 0, 20)] {
            let pages = invoice_pages(&printed(lines, discount)).unwrap();
            assert!(pages.len() >= count, "{lines}: {}", pages.len());
            for page in &pages {
                for mark in page {
                    match mark {
                        Mark::Text {
                            x,
                            y,
                            size,
                            face,
                            text,
                            ..
                        } => {
                            let end = x + ruler.width(text, *face, *size);
                            assert!(
                                *x >= EDGE - 0.5 && end <= RIGHT + 0.5,
                                "{text}: {x} to {end}"
                            );
                            assert!(*y > EDGE && *y < HEIGHT - 20.0, "{text}: {y}");
                        }
                        Mark::Rule { left, right, .. } => {
                            assert!(*left >= EDGE && *right <= WIDTH - EDGE);
                        }
                    }
                }
            }
            let texts: Vec<&str> = pages
                .iter()
                .flatten()
                .filter_map(|mark| match mark {
                    Mark::Text { text, .. } => Some(text.as_str()),
                    Mark::Rule { .. } => None,
                })
                .collect();
            let heads = texts.iter().filter(|text| **text == "Product").count();
            assert!(heads >= count.min(heads), "{heads}");
            assert!(texts.contains(&format!("Page {0} of {0}", pages.len()).as_str()));
            assert!(texts.contains(&"Why this price?"));
        }
    }

    #[test]
    fn the_same_invoice_is_the_same_file() {
        let first = invoice_pdf(&printed(3, 100)).unwrap();
        assert!(first.starts_with(b"%PDF-"));
        assert!(first.len() < 120_000, "{} bytes", first.len());
        assert_eq!(first, invoice_pdf(&printed(3, 100)).unwrap());
    }

    #[test]
    fn slips_show_no_prices() {
        let slip = Slip {
            shop: "Olmo".to_owned(),
            order: "K7QM-3XWT-9RPA".to_owned(),
            parcel: 1,
            lines: vec![("Mug".to_owned(), "MUG".to_owned(), 2); 60],
            note: "Ring twice".to_owned(),
            ..Slip::default()
        };
        let pages = slip_pages(&slip).unwrap();
        assert!(pages.len() > 1);
        for mark in pages.iter().flatten() {
            if let Mark::Text { text, .. } = mark {
                assert!(!text.contains('€'), "{text}");
            }
        }
        assert!(
            slips_pdf(&[slip.clone(), slip])
                .unwrap()
                .starts_with(b"%PDF-")
        );
    }
}
