//! Drawing pages as PDF, with DejaVu Sans, whose signs cover the languages of Europe. Of the font
//! only what a file needs goes into it.

use anyhow::anyhow;
use krilla::Document;
use krilla::color::{luma, rgb};
use krilla::geom::{PathBuilder, Point};
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla::paint::{Fill, Stroke};
use krilla::text::{Font, TextDirection};
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};

use crate::error::{Error, Result};

/// A4, in points.
pub const WIDTH: f32 = 595.0;
/// A4, in points.
pub const HEIGHT: f32 = 842.0;

/// A kind of letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    /// As text is.
    Regular,
    /// For what stands out.
    Bold,
}

impl Face {
    fn data(self) -> &'static [u8] {
        match self {
            Self::Regular => dejavu::sans_condensed::regular(),
            Self::Bold => dejavu::sans_condensed::bold(),
        }
    }
}

/// Something on a page. Points from the top left corner; a text stands on its baseline.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// A line of text.
    Text {
        /// Where it begins.
        x: f32,
        /// Its baseline.
        y: f32,
        /// How high letters are.
        size: f32,
        /// Which letters.
        face: Face,
        /// Whether it is of less weight than the rest.
        dim: bool,
        /// The words.
        text: String,
    },
    /// A line across.
    Rule {
        /// From here.
        left: f32,
        /// To here.
        right: f32,
        /// At this height.
        y: f32,
    },
}

/// How wide texts are.
pub struct Ruler {
    regular: FontRef<'static>,
    bold: FontRef<'static>,
}

impl Ruler {
    /// Reads the fonts.
    pub fn new() -> Result<Self> {
        let font = |face: Face| {
            FontRef::new(face.data()).map_err(|error| Error::Internal(anyhow!("a font: {error}")))
        };
        Ok(Self {
            regular: font(Face::Regular)?,
            bold: font(Face::Bold)?,
        })
    }

    /// The width of a text, in points.
    pub fn width(&self, text: &str, face: Face, size: f32) -> f32 {
        let font = match face {
            Face::Regular => &self.regular,
            Face::Bold => &self.bold,
        };
        let signs = font.charmap();
        let metrics = font.glyph_metrics(Size::new(size), LocationRef::default());
        let glyphs = text.chars().map(|sign| signs.map(sign).unwrap_or_default());
        glyphs
            .map(|glyph| metrics.advance_width(glyph).unwrap_or_default())
            .sum()
    }

    /// A text in lines that are no wider than `width`; a word that is wider by itself is cut.
    pub fn wrap(&self, text: &str, face: Face, size: f32, width: f32) -> Vec<String> {
        let fits = |line: &str| self.width(line, face, size) <= width;
        let mut lines = Vec::new();
        for paragraph in text.lines() {
            let mut line = String::new();
            for word in paragraph.split(' ').filter(|word| !word.is_empty()) {
                let longer = if line.is_empty() {
                    word.to_owned()
                } else {
                    format!("{line} {word}")
                };
                if fits(&longer) {
                    line = longer;
                    continue;
                }
                if !line.is_empty() {
                    lines.push(std::mem::take(&mut line));
                }
                for sign in word.chars() {
                    line.push(sign);
                    if !fits(&line) {
                        line.pop();
                        if !line.is_empty() {
                            lines.push(std::mem::take(&mut line));
                        }
                        line.push(sign);
                    }
                }
            }
            lines.push(line);
        }
        lines
    }
}

/// The file of some pages.
pub fn write(title: &str, pages: &[Vec<Mark>]) -> Result<Vec<u8>> {
    let failed = |what: &str| Error::Internal(anyhow!("a PDF could not be made: {what}"));
    let font = |face: Face| Font::new(face.data().into(), 0).ok_or_else(|| failed("a font"));
    let (regular, bold) = (font(Face::Regular)?, font(Face::Bold)?);
    let mut document = Document::new();
    document.set_metadata(
        Metadata::new()
            .title(title.to_owned())
            .language("en".to_owned()),
    );
    for marks in pages {
        let settings = PageSettings::from_wh(WIDTH, HEIGHT).ok_or_else(|| failed("a page"))?;
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        for mark in marks {
            match mark {
                Mark::Text {
                    x,
                    y,
                    size,
                    face,
                    dim,
                    text,
                } => {
                    let paint = if *dim {
                        rgb::Color::new(90, 84, 77).into()
                    } else {
                        luma::Color::black().into()
                    };
                    surface.set_fill(Some(Fill {
                        paint,
                        ..Fill::default()
                    }));
                    surface.set_stroke(None);
                    let font = match face {
                        Face::Regular => regular.clone(),
                        Face::Bold => bold.clone(),
                    };
                    let at = Point::from_xy(*x, *y);
                    surface.draw_text(at, font, *size, text, false, TextDirection::Auto);
                }
                Mark::Rule { left, right, y } => {
                    surface.set_fill(None);
                    surface.set_stroke(Some(Stroke {
                        paint: rgb::Color::new(190, 183, 173).into(),
                        width: 0.6,
                        ..Stroke::default()
                    }));
                    let mut path = PathBuilder::new();
                    path.move_to(*left, *y);
                    path.line_to(*right, *y);
                    if let Some(path) = path.finish() {
                        surface.draw_path(&path);
                    }
                }
            }
        }
        surface.finish();
        page.finish();
    }
    document
        .finish()
        .map_err(|error| failed(&format!("{error:?}")))
}
