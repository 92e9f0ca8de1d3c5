/// A word in a column that is not one of those that may stand there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{word:?} is no {kind}")]
pub struct UnknownWord {
    pub(crate) kind: &'static str,
    pub(crate) word: String,
}

/// A closed set of words, the same in the file, in JSON and in requests.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $kind:literal {
        $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+
    }) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize,
        )]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every one of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// As a word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::UnknownWord;

            fn from_str(word: &str) -> Result<Self, $crate::UnknownWord> {
                Self::ALL.iter().copied().find(|it| it.as_str() == word).ok_or_else(|| {
                    $crate::UnknownWord { kind: $kind, word: word.to_owned() }
                })
            }
        }
    };
}

pub(crate) use words;
