//! Where things stand on a page: text that wraps, columns, and pages that follow each other.

use super::pdf::{Face, HEIGHT, Mark, Ruler, WIDTH};
use crate::error::Result;

/// The empty edge of a page, in points.
pub const EDGE: f32 = 54.0;
/// Where nothing but the foot stands.
const BOTTOM: f32 = HEIGHT - 72.0;
/// The right edge of the text.
pub const RIGHT: f32 = WIDTH - EDGE;
/// The usual size of letters.
pub const TEXT: f32 = 9.0;
/// How much of a line's height is above its baseline.
const ASCENT: f32 = 0.95;
/// The height of a line, by the size of its letters.
const LINE: f32 = 1.35;

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its head.
    pub title: &'static str,
    /// Where it begins.
    pub left: f32,
    /// Where it ends.
    pub right: f32,
    /// Whether its texts end at the right.
    pub number: bool,
}

/// Pages in the making.
pub struct Sheet {
    ruler: Ruler,
    pages: Vec<Vec<Mark>>,
    /// How far down the last page is filled.
    y: f32,
    /// What stands above the rows of a table on each page.
    head: Vec<Column>,
}

impl Sheet {
    /// One empty page.
    pub fn new() -> Result<Self> {
        Ok(Self {
            ruler: Ruler::new()?,
            pages: vec![Vec::new()],
            y: EDGE,
            head: Vec::new(),
        })
    }

    /// How far down the page is filled.
    pub fn y(&self) -> f32 {
        self.y
    }

    /// Goes on further down, or back up for another column.
    pub fn go_to(&mut self, y: f32) {
        self.y = y;
    }

    /// Leaves some space.
    pub fn space(&mut self, height: f32) {
        self.y += height;
    }

    /// Begins another page.
    pub fn page(&mut self) {
        self.pages.push(Vec::new());
        self.y = EDGE;
    }

    fn mark(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }

    /// Begins another page if this one has not so much left; within a table with its head.
    pub fn need(&mut self, height: f32) {
        if self.y + height > BOTTOM {
            self.page();
            if !self.head.is_empty() {
                self.draw_head();
            }
        }
    }

    /// Draws a line of text at the present height, which stays.
    fn line(&mut self, x: f32, text: &str, face: Face, size: f32, dim: bool) {
        let y = self.y + size * ASCENT;
        let text = text.to_owned();
        self.mark(Mark::Text {
            x,
            y,
            size,
            face,
            dim,
            text,
        });
    }

    fn line_to(&mut self, right: f32, text: &str, face: Face, size: f32, dim: bool) {
        let x = right - self.ruler.width(text, face, size);
        self.line(x, text, face, size, dim);
    }

    /// A text that wraps between two edges.
    pub fn text(&mut self, left: f32, right: f32, text: &str, face: Face, size: f32, dim: bool) {
        for line in self.ruler.wrap(text, face, size, right - left) {
            self.need(size * LINE);
            self.line(left, &line, face, size, dim);
            self.y += size * LINE;
        }
    }

    /// A text that wraps and ends at the right edge.
    pub fn text_to(&mut self, left: f32, right: f32, text: &str, size: f32, dim: bool) {
        for line in self.ruler.wrap(text, Face::Regular, size, right - left) {
            self.line_to(right, &line, Face::Regular, size, dim);
            self.y += size * LINE;
        }
    }

    /// A line across.
    pub fn rule(&mut self, left: f32, right: f32) {
        let y = self.y;
        self.mark(Mark::Rule { left, right, y });
    }

    /// Begins a table.
    pub fn begin_table(&mut self, columns: &[Column]) {
        self.head = columns.to_vec();
        self.need(60.0);
        if self.y > EDGE || self.pages.last().is_some_and(Vec::is_empty) {
            self.draw_head();
        }
    }

    fn draw_head(&mut self) {
        let columns = std::mem::take(&mut self.head);
        for column in &columns {
            if column.number {
                self.line_to(column.right, column.title, Face::Bold, TEXT, true);
            } else {
                self.line(column.left, column.title, Face::Bold, TEXT, true);
            }
        }
        self.y += TEXT * LINE + 3.0;
        self.head = columns;
        self.rule_of_table();
        self.y += 5.0;
    }

    /// A line as wide as the table.
    fn rule_of_table(&mut self) {
        let (first, last) = (self.head.first(), self.head.last());
        let left = first.map_or(EDGE, |column| column.left);
        let right = last.map_or(RIGHT, |column| column.right);
        self.rule(left, right);
    }

    /// A row of the table; each cell wraps, the first line of a cell may be followed by a dim one.
    pub fn row(&mut self, cells: &[(String, String)]) {
        let columns = self.head.clone();
        let wrapped: Vec<(Vec<String>, Vec<String>)> = cells
            .iter()
            .zip(&columns)
            .map(|((text, below), column)| {
                let width = column.right - column.left;
                let lines = |text: &str| {
                    if text.is_empty() {
                        Vec::new()
                    } else {
                        self.ruler.wrap(text, Face::Regular, TEXT, width)
                    }
                };
                (lines(text), lines(below))
            })
            .collect();
        let most = wrapped.iter().map(|(text, below)| text.len() + below.len());
        let height = most.max().unwrap_or(1) as f32 * TEXT * LINE + 8.0;
        self.need(height);
        let top = self.y;
        for ((text, below), column) in wrapped.iter().zip(&columns) {
            self.y = top;
            let lines = text.iter().map(|line| (line, false));
            for (line, dim) in lines.chain(below.iter().map(|line| (line, true))) {
                if column.number {
                    self.line_to(column.right, line, Face::Regular, TEXT, dim);
                } else {
                    self.line(column.left, line, Face::Regular, TEXT, dim);
                }
                self.y += TEXT * LINE;
            }
        }
        self.y = top + height - 4.0;
        self.rule_of_table();
        self.y += 4.0;
    }

    /// Ends the table.
    pub fn end_table(&mut self) {
        self.head.clear();
    }

    /// Words at the left of a column and an amount at its right.
    pub fn sum(&mut self, left: f32, right: f32, words: &str, amount: &str, face: Face) {
        let size = TEXT;
        let room = right - left - self.ruler.width(amount, face, size) - 12.0;
        let lines = self.ruler.wrap(words, face, size, room);
        self.need(lines.len() as f32 * size * LINE);
        let first = self.y;
        for line in &lines {
            self.line(left, line, face, size, false);
            self.y += size * LINE;
        }
        let after = self.y.max(first + size * LINE);
        self.y = first;
        self.line_to(right, amount, face, size, false);
        self.y = after;
    }

    /// The pages, each with its number and a word at its foot.
    pub fn finish(mut self, foot: &str) -> Vec<Vec<Mark>> {
        let count = self.pages.len();
        let pages = std::mem::take(&mut self.pages);
        for (index, page) in pages.into_iter().enumerate() {
            self.pages.push(page);
            self.y = HEIGHT - 54.0;
            self.rule(EDGE, RIGHT);
            self.y += 6.0;
            let shown = self
                .ruler
                .wrap(foot, Face::Regular, 7.5, RIGHT - EDGE - 80.0);
            if let Some(first) = shown.first() {
                self.line(EDGE, first, Face::Regular, 7.5, true);
            }
            let number = format!("Page {} of {count}", index + 1);
            self.line_to(RIGHT, &number, Face::Regular, 7.5, true);
        }
        self.pages
    }
}
