//! Simple patterns, in which a star stands for any run of characters, as in index names, source filters and `filter_path`.

/// Whether `text` fits `pattern`, in which `*` stands for any run of characters, also none.
pub fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_run() {
        for (pattern, text, fits) in [
            ("*", "a", true),
            ("*", "", true),
            ("log-*", "log-1", true),
            ("log-*", "lo", false),
            ("*a*b", "xaxb", true),
            ("a*a", "a", false),
            ("a", "ab", false),
            ("a**b", "ab", true),
            ("*.name", "user.name", true),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
        }
    }
}
