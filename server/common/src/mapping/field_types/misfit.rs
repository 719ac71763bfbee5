//! Why a value does not fit its field.

use crate::error::Error;

/// The cause, and what differs from field to field in how it is told.
#[derive(Debug)]
pub(in crate::mapping) struct Misfit {
    pub(in crate::mapping) cause: Box<Error>,
    /// What is shown in the place of the whole value.
    pub(in crate::mapping) shown: Option<String>,
    /// Whether `ignore_malformed` helps.
    pub(in crate::mapping) ignorable: bool,
}

impl From<Error> for Misfit {
    fn from(cause: Error) -> Self {
        Misfit { cause: Box::new(cause), shown: None, ignorable: true }
    }
}

impl Misfit {
    /// One that `ignore_malformed` does not help against.
    pub(in crate::mapping) fn grave(cause: Error) -> Self {
        Misfit { cause: Box::new(cause), shown: None, ignorable: false }
    }

    /// Shows this instead of the whole value.
    pub(in crate::mapping) fn showing(self, shown: impl Into<String>) -> Self {
        Misfit { shown: Some(shown.into()), ..self }
    }
}
