//! The rules for names of leader and follower indices; every violation is reported.

/// What is wrong with `name`, in the plugin's words.
pub(super) fn violations(name: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut say = |broken: bool, rule: &str| {
        if broken {
            found.push(format!("Value {name} {rule}"));
        }
    };
    say(name.to_lowercase() != name, "must be lowercase");
    say(name.contains(|c: char| "\\/*?\"<>| ,".contains(c)), "must not contain the following characters [ , \", *, \\, <, |, ,, >, /, ?]");
    say(name.contains(['#', ':']), "must not contain '#' or ':'");
    say(name == "." || name == "..", "must not be '.' or '..'");
    say(name.starts_with(['_', '-', '+']), "must not start with '_' or '-' or '+'");
    say(name.len() > 255, "must not be longer than 255 bytes");
    say(name.starts_with('.'), "must not start with '.'");
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_violation_is_reported() {
        assert!(violations("movies-2026").is_empty());
        assert_eq!(
            violations("_A b"),
            [
                "Value _A b must be lowercase",
                "Value _A b must not contain the following characters [ , \", *, \\, <, |, ,, >, /, ?]",
                "Value _A b must not start with '_' or '-' or '+'",
            ]
        );
    }
}
