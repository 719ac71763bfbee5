//! The settings of an index that its shards obey.

use std::time::Duration;
use tandem_common::mapping::DocumentLimits;
use tandem_common::settings::SettingKind;
use tandem_common::{Setting, SettingScope, Settings};

const DURABILITY: Setting = Setting {
    key: "index.translog.durability",
    default: "REQUEST",
    scope: SettingScope::IndexDynamic,
    kind: SettingKind::OneOf(&["request", "async"]),
    doc: "When a write is acknowledged: once it is durable, or once it is written to the file.",
};
const SYNC_INTERVAL: Setting = Setting {
    key: "index.translog.sync_interval",
    default: "5s",
    scope: SettingScope::IndexDynamic,
    kind: SettingKind::Time,
    doc: "How often the log is made durable when writes do not wait for it.",
};
const FLUSH_THRESHOLD: Setting = Setting {
    key: "index.translog.flush_threshold_size",
    default: "512mb",
    scope: SettingScope::IndexDynamic,
    kind: SettingKind::Bytes,
    doc: "The index is made durable when the log above it is larger than this.",
};
const GENERATION_THRESHOLD: Setting = Setting {
    key: "index.translog.generation_threshold_size",
    default: "64mb",
    scope: SettingScope::IndexDynamic,
    kind: SettingKind::Bytes,
    doc: "The log begins a new file when the newest is larger than this.",
};
const REFRESH_INTERVAL: Setting = Setting {
    key: "index.refresh_interval",
    default: "",
    scope: SettingScope::IndexDynamic,
    kind: SettingKind::Time,
    doc: "How often new documents become searchable; -1 for only when asked, unset for as soon as it costs little.",
};
const GC_DELETES: Setting = Setting {
    key: "index.gc_deletes",
    default: "60s",
    scope: SettingScope::IndexDynamic,
    kind: SettingKind::Time,
    doc: "How long the version of a deleted document is remembered.",
};
const LEASE_PERIOD: Setting = Setting {
    key: "index.soft_deletes.retention_lease.period",
    default: "12h",
    scope: SettingScope::IndexDynamic,
    kind: SettingKind::Time,
    doc: "How long a retention lease lives without being renewed.",
};

const RETENTION_BYTES: Setting = Setting {
    key: "index.soft_deletes.retention.max_bytes",
    default: "-1",
    scope: SettingScope::IndexDynamic,
    kind: SettingKind::Bytes,
    doc: "How much history of a shard leases may keep; beyond, the lowest lease ends. -1 for no bound but that of the disk.",
};

/// Every setting of this room.
pub const SETTINGS: &[Setting] =
    &[DURABILITY, SYNC_INTERVAL, FLUSH_THRESHOLD, GENERATION_THRESHOLD, REFRESH_INTERVAL, GC_DELETES, LEASE_PERIOD, RETENTION_BYTES];

/// When what was applied becomes searchable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RefreshInterval {
    /// As soon as it costs little.
    Adaptive,
    /// Only when asked.
    Never,
    /// This long after the last time.
    Every(Duration),
}

/// The settings, read.
#[derive(Clone, Debug)]
pub(super) struct ShardSettings {
    pub(super) asynchronous: bool,
    pub(super) sync_interval: Duration,
    pub(super) flush_threshold_bytes: u64,
    pub(super) generation_threshold_bytes: u64,
    pub(super) refresh_interval: RefreshInterval,
    pub(super) gc_deletes: Duration,
    pub(super) document_limits: DocumentLimits,
    pub(super) lease_period: Option<Duration>,
    pub(super) retention_bytes_max: u64,
}

impl ShardSettings {
    /// Values that cannot be read count as not set; they were checked when they were set.
    pub(super) fn new(settings: &Settings) -> Self {
        let bytes = |setting: Setting| u64::try_from(setting.bytes(settings)).unwrap_or(u64::MAX).max(1);
        let refresh_interval = match settings.text(REFRESH_INTERVAL.key) {
            None => RefreshInterval::Adaptive,
            Some(_) => REFRESH_INTERVAL.time(settings).map_or(RefreshInterval::Never, RefreshInterval::Every),
        };
        Self {
            asynchronous: DURABILITY.text(settings).eq_ignore_ascii_case("async"),
            sync_interval: SYNC_INTERVAL.time(settings).unwrap_or(Duration::from_secs(5)),
            flush_threshold_bytes: bytes(FLUSH_THRESHOLD),
            generation_threshold_bytes: bytes(GENERATION_THRESHOLD),
            refresh_interval,
            gc_deletes: GC_DELETES.time(settings).unwrap_or_default(),
            document_limits: DocumentLimits::from_settings(settings),
            lease_period: LEASE_PERIOD.time(settings),
            retention_bytes_max: u64::try_from(RETENTION_BYTES.bytes(settings)).unwrap_or(u64::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> ShardSettings {
        let mut settings = Settings::new();
        for (key, value) in pairs {
            settings.set(*key, *value);
        }
        ShardSettings::new(&settings)
    }

    #[test]
    fn unset_settings_have_their_documented_defaults() {
        let settings = read(&[]);
        assert!(!settings.asynchronous);
        assert_eq!(settings.flush_threshold_bytes, 512 << 20);
        assert_eq!(settings.refresh_interval, RefreshInterval::Adaptive);
        assert_eq!(settings.lease_period, Some(Duration::from_secs(12 * 3600)));
        assert_eq!(settings.retention_bytes_max, u64::MAX);
    }

    #[test]
    fn a_refresh_interval_of_minus_one_means_never() {
        assert_eq!(read(&[("index.refresh_interval", "-1")]).refresh_interval, RefreshInterval::Never);
        assert_eq!(read(&[("index.refresh_interval", "1s")]).refresh_interval, RefreshInterval::Every(Duration::from_secs(1)));
    }
}
