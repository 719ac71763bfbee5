//! Times and sizes as OpenSearch writes them: `10s`, `500ms`, `1kb`, `64mb`.

use crate::error::{Error, Result};
use std::time::Duration;

/// Parses a time such as `10s` for the setting or parameter `name`; `0` and `-1` need no unit.
///
/// Units: `nanos`, `micros`, `ms`, `s`, `m`, `h`, `d`. `-1` gives `None` (no limit).
pub fn parse_time(text: &str, name: &str) -> Result<Option<Duration>> {
    let normal = text.trim().to_lowercase();
    if normal == "-1" {
        return Ok(None);
    }
    if normal == "0" {
        return Ok(Some(Duration::ZERO));
    }
    if normal.starts_with('-') {
        return Err(Error::illegal_argument(format!(
            "failed to parse setting [{name}] with value [{text}] as a time value: negative durations are not supported"
        )));
    }
    // The longer unit names come first: "ms" also ends in "s".
    const UNITS: [(&str, f64); 7] =
        [("nanos", 1e-9), ("micros", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0)];
    for (unit, seconds) in UNITS {
        let Some(number) = normal.strip_suffix(unit) else { continue };
        let parsed: f64 = number.trim().parse().map_err(|_| time_error(text, name))?;
        if !parsed.is_finite() || parsed < 0.0 {
            return Err(time_error(text, name));
        }
        return Duration::try_from_secs_f64(parsed * seconds).map(Some).map_err(|_| time_error(text, name));
    }
    Err(Error::illegal_argument(format!(
        "failed to parse setting [{name}] with value [{text}] as a time value: unit is missing or unrecognized"
    )))
}

fn time_error(text: &str, name: &str) -> Error {
    Error::IllegalArgument {
        reason: format!("failed to parse [{text}]"),
        cause: Some(Box::new(Error::illegal_argument(format!("failed to parse setting [{name}] with value [{text}]")))),
    }
}

/// Parses a size such as `64mb` for `name`, in bytes. Units: `b`, `k`/`kb`, `m`/`mb`, `g`/`gb`, `t`/`tb`, `p`/`pb`.
pub fn parse_bytes(text: &str, name: &str) -> Result<i64> {
    let normal = text.trim().to_lowercase();
    if normal == "-1" || normal == "0" {
        return Ok(if normal == "0" { 0 } else { -1 });
    }
    const UNITS: [(&str, u32); 11] =
        [("kb", 10), ("mb", 20), ("gb", 30), ("tb", 40), ("pb", 50), ("k", 10), ("m", 20), ("g", 30), ("t", 40), ("p", 50), ("b", 0)];
    for (unit, shift) in UNITS {
        let Some(number) = normal.strip_suffix(unit) else { continue };
        let parsed: f64 =
            number.trim().parse().map_err(|_| Error::parse(format!("failed to parse setting [{name}] with value [{text}]")))?;
        #[allow(clippy::cast_possible_truncation, reason = "saturates, and sizes beyond 2^63 mean no limit")]
        return Ok((parsed * (1u64 << shift) as f64) as i64);
    }
    Err(Error::parse(format!("failed to parse setting [{name}] with value [{text}] as a size in bytes: unit is missing or unrecognized")))
}

/// Prints a size as `_cat` does: one digit after the point, no trailing `.0` (`208b`, `1.5kb`, `12mb`).
pub fn format_bytes(bytes: u64) -> String {
    const UNITS: [(&str, u32); 5] = [("pb", 50), ("tb", 40), ("gb", 30), ("mb", 20), ("kb", 10)];
    for (unit, shift) in UNITS {
        if bytes >= 1 << shift {
            return format!("{}{unit}", one_decimal(bytes as f64 / (1u64 << shift) as f64));
        }
    }
    format!("{bytes}b")
}

/// Prints a time as `_cat` does: `12ms`, `1.5s`, `3.2m`.
pub fn format_time(duration: Duration) -> String {
    let millis = duration.as_secs_f64() * 1e3;
    let (value, unit) = match millis {
        m if m >= 86_400e3 => (m / 86_400e3, "d"),
        m if m >= 3_600e3 => (m / 3_600e3, "h"),
        m if m >= 60e3 => (m / 60e3, "m"),
        m if m >= 1e3 => (m / 1e3, "s"),
        m => (m.floor(), "ms"),
    };
    format!("{}{unit}", one_decimal(value))
}

fn one_decimal(value: f64) -> String {
    let text = format!("{:.1}", (value * 10.0).floor() / 10.0);
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_read_as_written() {
        assert_eq!(parse_time("500ms", "t").unwrap(), Some(Duration::from_millis(500)));
        assert_eq!(parse_time("-1", "t").unwrap(), None);
        assert!(parse_time("10", "t").is_err());
        assert_eq!(parse_bytes("64mb", "s").unwrap(), 64 << 20);
        assert_eq!(parse_bytes("1.5k", "s").unwrap(), 1536);
    }

    #[test]
    fn sizes_print_as_cat_prints_them() {
        assert_eq!(format_bytes(208), "208b");
        assert_eq!(format_bytes(1536), "1.5kb");
        assert_eq!(format_bytes(12 << 20), "12mb");
    }
}
