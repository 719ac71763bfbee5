//! `if_seq_no`, `if_primary_term`, `version`, `version_type`: what may go together, in OpenSearch's words.

use tandem_common::{Error, PrimaryTerm, Result, SeqNo};
use tandem_node::action::write::WriteCondition;

/// How a write says what it expects, before it is checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Expectation {
    /// `if_seq_no`.
    pub(crate) if_seq_no: Option<i64>,
    /// `if_primary_term`.
    pub(crate) if_primary_term: Option<i64>,
    /// `version`.
    pub(crate) version: Option<i64>,
    /// `version_type`.
    pub(crate) version_type: VersionType,
}

/// Who gives the versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum VersionType {
    /// The index counts.
    #[default]
    Internal,
    /// The client; each must be higher than the last.
    External,
    /// The client; none may be lower than the last.
    ExternalOrEqual,
}

impl VersionType {
    /// Reads the parameter.
    ///
    /// # Errors
    /// An unknown word.
    pub(crate) fn parse(text: Option<&str>) -> Result<Self> {
        match text {
            None | Some("internal") => Ok(VersionType::Internal),
            Some("external" | "external_gt") => Ok(VersionType::External),
            Some("external_gte") => Ok(VersionType::ExternalOrEqual),
            Some(other) => Err(Error::illegal_argument(format!("No version type match [{other}]"))),
        }
    }

    fn name(self) -> &'static str {
        match self {
            VersionType::Internal => "INTERNAL",
            VersionType::External => "EXTERNAL",
            VersionType::ExternalOrEqual => "EXTERNAL_GTE",
        }
    }
}

impl Expectation {
    /// Refuses numbers that no operation has.
    ///
    /// # Errors
    /// A negative number.
    pub(crate) fn check_numbers(&self) -> Result<()> {
        if let Some(seq_no) = self.if_seq_no.filter(|seq_no| *seq_no < 0) {
            return Err(Error::illegal_argument(format!("sequence numbers must be non negative. got [{seq_no}].")));
        }
        if let Some(term) = self.if_primary_term.filter(|term| *term < 0) {
            return Err(Error::illegal_argument(format!("primary term must be non negative. got [{term}]")));
        }
        Ok(())
    }

    /// The condition, or the reasons why these values do not go together.
    pub(crate) fn condition(&self, creates: bool) -> Result<WriteCondition, Vec<String>> {
        let term = self.if_primary_term.unwrap_or(0);
        if creates {
            let reason = match self {
                Self { version_type: VersionType::External | VersionType::ExternalOrEqual, .. } => {
                    "create operations only support internal versioning. use index instead"
                }
                Self { version: Some(_), .. } => "create operations do not support explicit versions. use index instead",
                Self { if_seq_no: Some(_), .. } => "create operations do not support compare and set. use index instead",
                _ => return Ok(WriteCondition::None),
            };
            return Err(vec![reason.to_owned()]);
        }
        let mut reasons = Vec::new();
        let external = self.version_type != VersionType::Internal;
        if !external && self.version.is_some() {
            reasons.push("internal versioning can not be used for optimistic concurrency control. Please use `if_seq_no` and `if_primary_term` instead".to_owned());
        }
        if self.if_seq_no.is_some() && (external || self.version.is_some()) {
            reasons.push("compare and write operations can not use versioning".to_owned());
        }
        if self.if_seq_no.is_some() && term == 0 {
            reasons.push("ifSeqNo is set, but primary term is [0]".to_owned());
        }
        if self.if_seq_no.is_none() && term != 0 {
            reasons.push(format!("ifSeqNo is unassigned, but primary term is [{term}]"));
        }
        // -3 is how OpenSearch writes "any version".
        let version = self.version.unwrap_or(-3);
        if external && version < 0 {
            reasons.push(format!("illegal version value [{version}] for version type [{}]", self.version_type.name()));
        }
        if !reasons.is_empty() {
            return Err(reasons);
        }
        Ok(match (self.if_seq_no, self.version_type) {
            (Some(seq_no), _) => WriteCondition::IfSeqNo { seq_no: SeqNo(seq_no), primary_term: PrimaryTerm(term.unsigned_abs()) },
            (None, VersionType::External) => WriteCondition::External(version),
            (None, VersionType::ExternalOrEqual) => WriteCondition::ExternalOrEqual(version),
            (None, VersionType::Internal) => WriteCondition::None,
        })
    }
}

/// OpenSearch's limit on ids.
pub(crate) const ID_BYTES_MAX: usize = 512;

/// Why this id is none, if so.
pub(crate) fn id_reason(id: &str) -> Option<String> {
    (id.len() > ID_BYTES_MAX).then(|| format!("id [{id}] is too long, must be no longer than {ID_BYTES_MAX} bytes but was: {}", id.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expect(if_seq_no: Option<i64>, if_primary_term: Option<i64>, version: Option<i64>, version_type: VersionType) -> Expectation {
        Expectation { if_seq_no, if_primary_term, version, version_type }
    }

    #[test]
    fn values_that_do_not_go_together_are_refused() {
        use VersionType::{External, Internal};
        for (expectation, creates, reason) in [
            (expect(Some(1), None, None, Internal), false, "ifSeqNo is set, but primary term is [0]"),
            (expect(None, Some(1), None, Internal), false, "ifSeqNo is unassigned, but primary term is [1]"),
            (expect(None, None, None, External), false, "illegal version value [-3] for version type [EXTERNAL]"),
            (expect(Some(1), Some(1), Some(10), External), false, "compare and write operations can not use versioning"),
            (expect(Some(1), Some(1), None, Internal), true, "create operations do not support compare and set. use index instead"),
            (expect(None, None, Some(1), External), true, "create operations only support internal versioning. use index instead"),
        ] {
            assert_eq!(expectation.condition(creates), Err(vec![reason.to_owned()]));
        }
        assert!(expect(None, None, Some(9), Internal).condition(false).is_err());
    }

    #[test]
    fn values_that_go_together_are_a_condition() {
        let cas = expect(Some(3), Some(2), None, VersionType::Internal);
        assert_eq!(cas.condition(false), Ok(WriteCondition::IfSeqNo { seq_no: SeqNo(3), primary_term: PrimaryTerm(2) }));
        assert_eq!(expect(None, None, Some(5), VersionType::External).condition(false), Ok(WriteCondition::External(5)));
        assert_eq!(Expectation::default().condition(true), Ok(WriteCondition::None));
        assert!(expect(Some(-1), Some(1), None, VersionType::Internal).check_numbers().is_err());
        assert!(VersionType::parse(Some("foo")).is_err());
    }
}
