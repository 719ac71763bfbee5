//! What a node is told at start: a file, the environment, the command line, in rising precedence.
//!
//! *What it is*: the settings of one process with the origin of each. · *Types to know*: [`Config`], [`ConfigSources`],
//! [`PortRange`]. · **Invariants**: every key is in [`NODE_SETTINGS`] and its value fits; nothing here changes after the
//! start. · *How it fails*: [`Error::Settings`] with the nearest known key, or the line of the file. · *How it is
//! tested*: beside the code.

mod catalogue;
mod yaml;

pub use catalogue::NODE_SETTINGS;

use crate::env::fs;
use crate::error::{Error, Result};
use crate::settings::{self, Setting, SettingValue, Settings};
use crate::units;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// Where settings come from.
#[derive(Clone, Debug, Default)]
pub struct ConfigSources {
    /// The file; without one, `opensearch.yml` in the working directory is read if it is there.
    pub file: Option<PathBuf>,
    /// The variables of the environment.
    pub environment: Vec<(String, String)>,
    /// `key=value`, from the command line.
    pub overrides: Vec<String>,
    /// Whether to listen beyond loopback without TLS and authentication.
    pub insecure: bool,
}

/// Where one value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A line of a file.
    File(PathBuf, usize),
    /// A variable of the environment.
    Environment(String),
    /// The command line.
    CommandLine,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File(path, line) => write!(f, "{}:{line}", path.display()),
            Origin::Environment(name) => write!(f, "environment {name}"),
            Origin::CommandLine => f.write_str("command line"),
        }
    }
}

/// Ports to try in order; both ends included. 0 lets the system choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
}

/// The settings of this process.
#[derive(Clone, Debug, Default)]
pub struct Config {
    entries: BTreeMap<String, (SettingValue, Origin)>,
    /// Whether the node may listen beyond loopback without TLS and authentication.
    pub insecure: bool,
    /// What an operator should know: variables that look like settings but are none.
    pub warnings: Vec<String>,
}

/// Variables with our prefix that are no settings.
const NOT_SETTINGS: [&str; 4] = ["TANDEM_LOG", "TANDEM_CONFIG", "TANDEM_INSECURE", "TANDEM_URL"];

impl Config {
    /// Reads every source.
    ///
    /// # Errors
    /// [`Error::Settings`] for a broken file, an unknown key or a value that does not fit.
    pub fn load(sources: &ConfigSources) -> Result<Config> {
        let mut config = Config { insecure: sources.insecure, ..Config::default() };
        let fallback = Path::new("opensearch.yml");
        match &sources.file {
            Some(path) => config.read_file(path)?,
            None if fs::exists(fallback) => config.read_file(fallback)?,
            None => {}
        }
        let mut environment = sources.environment.clone();
        environment.sort();
        for (name, value) in environment {
            config.read_variable(&name, &value)?;
        }
        for text in &sources.overrides {
            let (key, value) =
                text.split_once('=').ok_or_else(|| Error::Settings { reason: format!("-E takes key=value, not [{text}]") })?;
            config.set(key.trim(), yaml::read_value(value.trim(), 0).unwrap_or(SettingValue::One(value.into())), Origin::CommandLine)?;
        }
        config.http_ports()?;
        config.transport_ports()?;
        Ok(config)
    }

    /// A configuration of just these settings, for a node inside another program.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn of<K: AsRef<str>, V: Into<String>>(values: impl IntoIterator<Item = (K, V)>) -> Result<Config> {
        let mut config = Config::default();
        for (key, value) in values {
            config.set(key.as_ref(), SettingValue::One(value.into()), Origin::CommandLine)?;
        }
        Ok(config)
    }

    fn read_file(&mut self, path: &Path) -> Result<()> {
        let bytes = fs::read(path)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| Error::Settings { reason: format!("[{}] is not UTF-8", path.display()) })?;
        for (key, value, line) in yaml::parse(text)? {
            self.set(&key, value, Origin::File(path.to_owned(), line))?;
        }
        Ok(())
    }

    fn read_variable(&mut self, name: &str, value: &str) -> Result<()> {
        let one = || SettingValue::One(value.to_owned());
        if let Some(rest) = name.strip_prefix("TANDEM_") {
            if NOT_SETTINGS.contains(&name) {
                return Ok(());
            }
            match key_of_variable(rest) {
                Some(key) => self.set(&key, one(), Origin::Environment(name.to_owned()))?,
                // Not an error: Kubernetes sets such variables by itself for a service of our name.
                None => self.warnings.push(format!("the variable {name} is not a setting and was ignored")),
            }
        } else if name.contains('.') && name.split('.').next().is_some_and(is_root_word) {
            self.set(name, one(), Origin::Environment(name.to_owned()))?;
        }
        Ok(())
    }

    fn set(&mut self, key: &str, value: SettingValue, origin: Origin) -> Result<()> {
        let Some(setting) = settings::find(NODE_SETTINGS, key) else {
            let hint = match settings::nearest(NODE_SETTINGS.iter().map(|known| known.key), key) {
                Some(known) => format!(" did you mean [{known}]?"),
                None => " see `tandem config` for all settings".to_owned(),
            };
            return Err(Error::Settings { reason: format!("unknown setting [{key}] ({origin}){hint}") });
        };
        setting.check(key, &value).map_err(|error| Error::Settings { reason: format!("{error} ({key}, {origin})") })?;
        let key = if key == "cluster.initial_master_nodes" { "cluster.initial_cluster_manager_nodes" } else { key };
        self.entries.insert(key.to_owned(), (value, origin));
        Ok(())
    }

    /// Every setting that was set, without the defaults.
    pub fn settings(&self) -> Settings {
        self.entries.iter().map(|(key, (value, _))| (key.clone(), value.clone())).collect()
    }

    /// Every effective value with its origin, defaults included, in the order of the keys.
    pub fn effective(&self) -> Vec<(String, SettingValue, Origin)> {
        let mut all: BTreeMap<String, (SettingValue, Origin)> = NODE_SETTINGS
            .iter()
            .filter(|setting| !setting.key.contains('*') && setting.key != "cluster.initial_master_nodes")
            .map(|setting| (setting.key.to_owned(), (SettingValue::One(setting.default.to_owned()), Origin::Default)))
            .collect();
        all.extend(self.entries.clone());
        all.into_iter().map(|(key, (value, origin))| (key, value, origin)).collect()
    }

    /// The value of `key` as one text, or its default; empty when it has neither. A list is joined with commas.
    pub fn text(&self, key: &str) -> String {
        match self.entries.get(key) {
            Some((SettingValue::One(text), _)) => text.clone(),
            Some((SettingValue::List(items), _)) => items.join(","),
            Some((SettingValue::Null, _)) | None => default_of(key).to_owned(),
        }
    }

    /// The value of `key` as a list, or its default.
    pub fn list(&self, key: &str) -> Vec<String> {
        match self.entries.get(key) {
            Some((SettingValue::List(items), _)) => items.clone(),
            _ => self.text(key).split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect(),
        }
    }

    /// Whether `key` is `true`.
    pub fn bool(&self, key: &str) -> bool {
        self.text(key) == "true"
    }

    /// `cluster.name`.
    pub fn cluster_name(&self) -> String {
        self.text("cluster.name")
    }

    /// `node.name`, if it was set.
    pub fn node_name(&self) -> Option<String> {
        Some(self.text("node.name")).filter(|name| !name.is_empty())
    }

    /// `node.roles`.
    pub fn node_roles(&self) -> Vec<String> {
        self.list("node.roles")
    }

    /// The labels under `node.attr.`, without that prefix.
    pub fn node_attributes(&self) -> BTreeMap<String, String> {
        self.entries.keys().filter_map(|key| Some((key.strip_prefix("node.attr.")?.to_owned(), self.text(key)))).collect()
    }

    /// `path.data`.
    pub fn data_path(&self) -> PathBuf {
        PathBuf::from(self.text("path.data"))
    }

    /// The host for the REST port: a name or an address.
    pub fn http_host(&self) -> String {
        self.host("http.host")
    }

    /// The host for the port of other nodes: a name or an address.
    pub fn transport_host(&self) -> String {
        self.host("transport.host")
    }

    fn host(&self, key: &str) -> String {
        let own = self.text(key);
        let host = if own.is_empty() { self.text("network.host") } else { own };
        match host.as_str() {
            "_local_" | "localhost" => "127.0.0.1".to_owned(),
            "_site_" | "_global_" | "_all_" => "0.0.0.0".to_owned(),
            _ => host,
        }
    }

    /// `http.port`.
    ///
    /// # Errors
    /// A text that is neither a port nor a range of ports.
    pub fn http_ports(&self) -> Result<PortRange> {
        PortRange::parse("http.port", &self.text("http.port"))
    }

    /// `transport.port`.
    ///
    /// # Errors
    /// A text that is neither a port nor a range of ports.
    pub fn transport_ports(&self) -> Result<PortRange> {
        PortRange::parse("transport.port", &self.text("transport.port"))
    }

    /// `discovery.seed_hosts`.
    pub fn seed_hosts(&self) -> Vec<String> {
        self.list("discovery.seed_hosts")
    }

    /// `cluster.initial_cluster_manager_nodes`.
    pub fn initial_cluster_manager_nodes(&self) -> Vec<String> {
        self.list("cluster.initial_cluster_manager_nodes")
    }

    /// Whether the node forms a cluster of its own at once: it was told so, or was told of nobody else.
    pub fn is_single_node(&self) -> bool {
        match self.text("discovery.type").as_str() {
            "single-node" => true,
            "" => self.seed_hosts().is_empty() && self.initial_cluster_manager_nodes().is_empty(),
            _ => false,
        }
    }

    /// `http.max_content_length`, in bytes.
    pub fn http_content_bytes_max(&self) -> usize {
        usize::try_from(units::parse_bytes(&self.text("http.max_content_length"), "http.max_content_length").unwrap_or(-1))
            .unwrap_or(100 << 20)
    }

    /// `http.max_header_size`, in bytes.
    pub fn http_header_bytes_max(&self) -> usize {
        usize::try_from(units::parse_bytes(&self.text("http.max_header_size"), "http.max_header_size").unwrap_or(-1)).unwrap_or(16 << 10)
    }
}

impl PortRange {
    /// Reads `9200` or `9200-9300` for the setting `key`.
    ///
    /// # Errors
    /// [`Error::Settings`] for anything else.
    pub fn parse(key: &str, text: &str) -> Result<PortRange> {
        let broken = || Error::Settings { reason: format!("[{key}] takes a port or a range such as 9200-9300, not [{text}]") };
        let port = |part: &str| part.trim().parse::<u16>().map_err(|_| broken());
        let (first, last) = match text.split_once('-') {
            Some((first, last)) => (port(first)?, port(last)?),
            None => (port(text)?, port(text)?),
        };
        if first > last {
            return Err(broken());
        }
        Ok(PortRange { first, last })
    }
}

fn default_of(key: &str) -> &'static str {
    settings::find(NODE_SETTINGS, key).map_or("", |setting: &Setting| setting.default)
}

fn is_root_word(word: &str) -> bool {
    NODE_SETTINGS.iter().any(|setting| setting.key.split('.').next() == Some(word))
}

/// The key that `CLUSTER_REMOTE_LEADER_SEEDS` means: dots became underscores, so the known key that explains the most
/// of the name wins.
fn key_of_variable(name: &str) -> Option<String> {
    let name = name.to_lowercase();
    let flat = |key: &str| key.replace(['.', '-'], "_");
    if let Some(setting) = NODE_SETTINGS.iter().find(|setting| flat(setting.key) == name) {
        return Some(setting.key.to_owned());
    }
    NODE_SETTINGS
        .iter()
        .filter_map(|setting| {
            let (before, after) = setting.key.split_once('*')?;
            let middle = name.strip_prefix(&flat(before))?.strip_suffix(&flat(after))?;
            (!middle.is_empty()).then(|| (before.len() + after.len(), setting.key.replace('*', middle)))
        })
        .max_by_key(|(explained, _)| *explained)
        .map(|(_, key)| key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(environment: &[(&str, &str)], overrides: &[&str]) -> ConfigSources {
        ConfigSources {
            environment: environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            overrides: overrides.iter().map(|text| (*text).to_owned()).collect(),
            ..ConfigSources::default()
        }
    }

    #[test]
    fn the_command_line_beats_the_environment_which_beats_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("o.yml");
        fs::write_durably(&path, b"cluster.name: file\nnode.name: file\nhttp:\n  port: 1\n").unwrap();
        let mut sources = sources(&[("cluster.name", "env"), ("TANDEM_NODE_NAME", "env")], &["cluster.name=line"]);
        sources.file = Some(path.clone());
        let config = Config::load(&sources).unwrap();
        assert_eq!((config.cluster_name().as_str(), config.node_name().as_deref()), ("line", Some("env")));
        assert_eq!(config.http_ports().unwrap(), PortRange { first: 1, last: 1 });
        let origins: Vec<(String, Origin)> = config.effective().into_iter().map(|(key, _, origin)| (key, origin)).collect();
        assert!(origins.contains(&("cluster.name".into(), Origin::CommandLine)));
        assert!(origins.contains(&("http.port".into(), Origin::File(path, 4))));
        assert!(origins.contains(&("transport.port".into(), Origin::Default)));
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_one() {
        let error = Config::load(&sources(&[], &["cluster.nmae=x"])).unwrap_err();
        assert_eq!(error.to_string(), "unknown setting [cluster.nmae] (command line) did you mean [cluster.name]?");
        assert!(Config::load(&sources(&[("discovery.seed_host", "a")], &[])).is_err());
        assert!(Config::load(&sources(&[("java.home", "a")], &[])).is_ok());
    }

    #[test]
    fn a_variable_finds_the_key_that_it_means() {
        for (name, key) in [
            ("CLUSTER_NAME", Some("cluster.name")),
            ("CLUSTER_REMOTE_LEADER_SEEDS", Some("cluster.remote.leader.seeds")),
            ("CLUSTER_REMOTE_MY_LEADER_PROXY_ADDRESS", Some("cluster.remote.my_leader.proxy_address")),
            ("DISCOVERY_SEED_HOSTS", Some("discovery.seed_hosts")),
            ("NODE_ATTR_RACK", Some("node.attr.rack")),
            ("PORT_9200_TCP", None),
        ] {
            assert_eq!(key_of_variable(name).as_deref(), key, "{name}");
        }
        let config = Config::load(&sources(&[("TANDEM_PORT_9200_TCP", "x")], &[])).unwrap();
        assert_eq!(config.warnings.len(), 1);
    }

    #[test]
    fn values_that_do_not_fit_are_refused_at_start() {
        for text in ["http.port=x", "http.port=9-1", "http.port=70000", "discovery.type=many", "http.max_content_length=5", "nonsense"] {
            assert!(Config::load(&sources(&[], &[text])).is_err(), "{text}");
        }
    }

    #[test]
    fn a_list_may_be_given_with_commas_or_brackets() {
        for text in ["discovery.seed_hosts=a:1,b:2", "discovery.seed_hosts=[\"a:1\", \"b:2\"]"] {
            let config = Config::load(&sources(&[], &[text])).unwrap();
            assert_eq!(config.seed_hosts(), ["a:1", "b:2"]);
            assert!(!config.is_single_node());
        }
        assert!(Config::default().is_single_node());
    }
}
