//! Enums that the database and the API carry as fixed words.

/// An enum whose values are fixed words. Made by [`text_enum!`].
pub trait TextEnum: Copy + Sized + 'static {
    /// All values, in their usual order.
    const ALL: &'static [Self];

    /// The word that the database and the API carry.
    fn as_str(self) -> &'static str;

    /// The word for people, beginning a line: `Partially refunded`.
    fn label(self) -> String {
        let words = self.as_str().replace('_', " ");
        let mut letters = words.chars();
        letters.next().map_or(String::new(), |first| {
            first.to_uppercase().chain(letters).collect()
        })
    }

    /// The value of a word.
    fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|value| value.as_str() == word)
    }
}

/// `text_enum!(Status { Draft => "draft", … })` gives an existing enum its words, `Display`,
/// `FromStr` and `TryFrom<String>` (for `#[sqlx(try_from = "String")]` on a row).
macro_rules! text_enum {
    ($name:ident { $($variant:ident => $text:literal),+ $(,)? }) => {
        impl $crate::types::TextEnum for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];
            fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text),+
                }
            }
        }

        impl $name {
            /// The word that the database and the API carry.
            pub fn as_str(self) -> &'static str {
                $crate::types::TextEnum::as_str(self)
            }

            /// The word for people, beginning a line.
            pub fn label(self) -> String {
                $crate::types::TextEnum::label(self)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(word: &str) -> ::std::result::Result<Self, String> {
                $crate::types::TextEnum::from_word(word)
                    .ok_or_else(|| format!("must be one of: {}", [$($text),+].join(", ")))
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(word: String) -> ::std::result::Result<Self, String> {
                word.parse()
            }
        }
    };
}
pub(crate) use text_enum;
