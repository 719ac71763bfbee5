//! `tandem config`: every setting, its value and where it comes from.

use super::say;
use std::process::ExitCode;
use tandem_common::config::{Config, NODE_SETTINGS, Origin};
use tandem_common::settings::{SettingValue, find};

/// Prints the table.
pub(super) fn run(config: &Config) -> ExitCode {
    say(table(config).as_bytes());
    ExitCode::SUCCESS
}

fn table(config: &Config) -> String {
    let mut text = String::new();
    for (key, value, origin) in config.effective() {
        let value = match value {
            SettingValue::One(text) => text,
            SettingValue::List(items) => format!("[{}]", items.join(", ")),
            SettingValue::Null => String::new(),
        };
        let doc = find(NODE_SETTINGS, &key).map_or("", |setting| setting.doc);
        let mark = if origin == Origin::Default { ' ' } else { '*' };
        text.push_str(&format!("{mark} {key}: {value}\n      {origin}. {doc}\n"));
    }
    for warning in &config.warnings {
        text.push_str(&format!("! {warning}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_is_marked() {
        let text = table(&Config::of([("cluster.name", "mine")]).unwrap());
        assert!(text.contains("* cluster.name: mine\n      command line. Nodes join only"), "{text}");
        assert!(text.contains("  http.port: 9200\n      default. "), "{text}");
    }
}
