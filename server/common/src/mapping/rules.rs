//! What a mapping is checked against: the analyzers that the index has, and its limits.

use crate::settings::Settings;
use std::collections::BTreeSet;

/// The analyzers that every index has.
pub(crate) const ANALYZERS_BUILT_IN: [&str; 44] = [
    "default",
    "default_search",
    "arabic",
    "armenian",
    "basque",
    "bengali",
    "brazilian",
    "bulgarian",
    "catalan",
    "cjk",
    "czech",
    "danish",
    "dutch",
    "english",
    "estonian",
    "fingerprint",
    "finnish",
    "french",
    "galician",
    "german",
    "greek",
    "hindi",
    "hungarian",
    "indonesian",
    "irish",
    "italian",
    "keyword",
    "latvian",
    "lithuanian",
    "norwegian",
    "pattern",
    "persian",
    "portuguese",
    "romanian",
    "russian",
    "simple",
    "sorani",
    "spanish",
    "standard",
    "stop",
    "swedish",
    "thai",
    "turkish",
    "whitespace",
];

/// What an index allows its mapping to be.
#[derive(Clone, Debug)]
pub struct MappingRules {
    pub(super) analyzers: BTreeSet<String>,
    pub(super) normalizers: BTreeSet<String>,
    pub(super) similarities: BTreeSet<String>,
    /// Whether every name is taken for known.
    pub(super) trusts_names: bool,
    /// `index.mapping.total_fields.limit`, 1,000 unless set.
    pub total_fields_max: usize,
    /// `index.mapping.depth.limit`, 20 unless set.
    pub depth_max: usize,
    /// `index.mapping.field_name_length.limit`, in characters; 50,000 unless set.
    pub field_name_length_max: usize,
    /// `index.mapping.nested_fields.limit`, 50 unless set.
    pub nested_fields_max: usize,
}

impl Default for MappingRules {
    fn default() -> Self {
        MappingRules {
            analyzers: BTreeSet::new(),
            normalizers: BTreeSet::new(),
            similarities: BTreeSet::new(),
            trusts_names: false,
            total_fields_max: 1_000,
            depth_max: 20,
            field_name_length_max: 50_000,
            nested_fields_max: 50,
        }
    }
}

impl MappingRules {
    /// The rules that the settings of an index give.
    pub fn from_settings(settings: &Settings) -> Self {
        let names_below = |prefix: &str| -> BTreeSet<String> {
            let below = settings.iter().filter_map(|(key, _)| key.strip_prefix(prefix)?.split('.').next().map(str::to_owned));
            below.collect()
        };
        let limit = |key: &str, default: usize| settings.text(key).and_then(|text| text.parse().ok()).unwrap_or(default);
        let standard = MappingRules::default();
        MappingRules {
            analyzers: names_below("index.analysis.analyzer."),
            normalizers: names_below("index.analysis.normalizer."),
            similarities: names_below("index.similarity."),
            trusts_names: false,
            total_fields_max: limit("index.mapping.total_fields.limit", standard.total_fields_max),
            depth_max: limit("index.mapping.depth.limit", standard.depth_max),
            field_name_length_max: limit("index.mapping.field_name_length.limit", standard.field_name_length_max),
            nested_fields_max: limit("index.mapping.nested_fields.limit", standard.nested_fields_max),
        }
    }

    /// Rules without limits, for mappings that are checked elsewhere.
    pub(super) fn unlimited() -> Self {
        MappingRules {
            total_fields_max: usize::MAX,
            depth_max: usize::MAX,
            field_name_length_max: usize::MAX,
            nested_fields_max: usize::MAX,
            trusts_names: true,
            ..MappingRules::default()
        }
    }

    pub(super) fn knows_analyzer(&self, name: &str) -> bool {
        self.trusts_names || ANALYZERS_BUILT_IN.contains(&name) || self.analyzers.contains(name)
    }

    pub(super) fn knows_similarity(&self, name: &str) -> bool {
        self.trusts_names || name == "BM25" || name == "boolean" || self.similarities.contains(name)
    }

    pub(super) fn knows_normalizer(&self, name: &str) -> bool {
        self.trusts_names || name == "lowercase" || name == "default" || self.normalizers.contains(name)
    }
}
