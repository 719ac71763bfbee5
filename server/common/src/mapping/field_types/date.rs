//! Date formats: text to milliseconds since 1970, and back.
//!
//! A format is a list of alternatives (`strict_date_optional_time||epoch_millis`), each a known name or a Java pattern. Parts
//! that a text leaves out become the first moment they allow, or the last when rounding up, which is what makes
//! `lte: 2024-01` include the whole month.

use super::civil::{DAY_MILLIS, civil_from_days, days_from_civil, days_in_month, weekday};
use super::date_pattern::Pattern;
use super::moment::{Moment, print_instant};
use crate::error::{Error, Result};
use jiff::tz::TimeZone;

/// The format of a date field that names none.
pub const DATE_FORMAT_DEFAULT: &str = "strict_date_optional_time||epoch_millis";

/// A parsed format.
#[derive(Clone, Debug)]
pub struct DateFormat {
    name: String,
    alternatives: Vec<Alternative>,
}

#[derive(Clone, Debug)]
enum Alternative {
    /// `nanos`: printed with all nine digits.
    OptionalTime {
        strict: bool,
        nanos: bool,
    },
    EpochMillis,
    EpochSecond,
    Pattern(Pattern),
}

/// What a text said of a moment; what it left out is `None`.
#[derive(Clone, Debug, Default)]
pub(super) struct Parts {
    pub(super) year: Option<i64>,
    pub(super) month: Option<i64>,
    pub(super) day: Option<i64>,
    pub(super) day_of_year: Option<i64>,
    /// Year, week and day of weeks that begin on Monday, the first with at least four days.
    pub(super) iso_week: (Option<i64>, Option<i64>, Option<i64>),
    /// The same for weeks that begin on Sunday, the first with at least one day; what is left out is the first.
    pub(super) week: (Option<i64>, Option<i64>, Option<i64>),
    pub(super) quarter: Option<i64>,
    pub(super) hour: Option<i64>,
    pub(super) hour_of_half: Option<i64>,
    pub(super) afternoon: Option<bool>,
    pub(super) minute: Option<i64>,
    pub(super) second: Option<i64>,
    pub(super) nanos: Option<i64>,
    pub(super) epoch: Option<Moment>,
    pub(super) zone: Option<TimeZone>,
}

/// Whether left-out parts become the first or the last moment that they allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// `2024-01` is its first millisecond.
    Down,
    /// `2024-01` is its last millisecond.
    Up,
}

/// The patterns behind the names: the name, its pattern, and that of its `strict_` form if there is one. Beside Java's letters
/// they have some of their own: `f` and `g` are fractions of up to nine or three digits, `R`, `I` and `i` year, week and day of
/// ISO weeks, `W` is an offset with a colon.
const NAMED: &[(&str, &str, &str)] = &[
    ("basic_date", "yyyyMMdd", ""),
    ("basic_date_time", "yyyyMMdd'T'HHmmss.fX", ""),
    ("basic_date_time_no_millis", "yyyyMMdd'T'HHmmssX", ""),
    ("basic_ordinal_date", "yyyyDDD", ""),
    ("basic_ordinal_date_time", "yyyyDDD'T'HHmmss.fX", ""),
    ("basic_ordinal_date_time_no_millis", "yyyyDDD'T'HHmmssX", ""),
    ("basic_time", "HHmmss.fX", ""),
    ("basic_time_no_millis", "HHmmssX", ""),
    ("basic_t_time", "'T'HHmmss.fX", ""),
    ("basic_t_time_no_millis", "'T'HHmmssX", ""),
    ("basic_week_date", "R'W'Ii", "R'W'Ii"),
    ("basic_week_date_time", "R'W'Ii'T'HHmmss.fX", "R'W'Ii'T'HHmmss.fX"),
    ("basic_week_date_time_no_millis", "R'W'Ii'T'HHmmssX", "R'W'Ii'T'HHmmssX"),
    ("date", "yyyy[-MM[-dd]]", "yyyy-MM-dd"),
    ("date_hour", "yyyy-MM-dd'T'HH", "yyyy-MM-dd'T'HH"),
    ("date_hour_minute", "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'HH:mm"),
    ("date_hour_minute_second", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss"),
    ("date_hour_minute_second_fraction", "yyyy-MM-dd'T'HH:mm:ss.f", "yyyy-MM-dd'T'HH:mm:ss.f"),
    ("date_hour_minute_second_millis", "yyyy-MM-dd'T'HH:mm:ss.g", "yyyy-MM-dd'T'HH:mm:ss.f"),
    ("date_time", "yyyy-MM-dd'T'HH:mm:ss.fX", "yyyy-MM-dd'T'HH:mm:ss[.f]X"),
    ("date_time_no_millis", "yyyy-MM-dd'T'HH:mm[:ss][X]", "yyyy-MM-dd'T'HH:mm:ssX"),
    ("hour", "HH", "HH"),
    ("hour_minute", "HH:mm", "HH:mm"),
    ("hour_minute_second", "HH:mm:ss", "HH:mm:ss"),
    ("hour_minute_second_fraction", "HH:mm:ss.f", "HH:mm:ss.f"),
    ("hour_minute_second_millis", "HH:mm:ss.g", "HH:mm:ss.f"),
    ("ordinal_date", "yyyy-DDD", "yyyy-DDD"),
    ("ordinal_date_time", "yyyy-DDD'T'HH:mm:ss.fX", "yyyy-DDD'T'HH:mm:ss.fX"),
    ("ordinal_date_time_no_millis", "yyyy-DDD'T'HH:mm:ssX", "yyyy-DDD'T'HH:mm:ssX"),
    ("rfc3339_lenient", "yyyy[-MM[-dd['T'HH:mm[:ss[.f]]W]]]", ""),
    ("time", "HH:mm:ss.fX", "HH:mm:ss.fX"),
    ("time_no_millis", "HH:mm:ssX", "HH:mm:ssX"),
    ("t_time", "'T'HH:mm:ss.fX", "'T'HH:mm:ss.fX"),
    ("t_time_no_millis", "'T'HH:mm:ssX", "'T'HH:mm:ssX"),
    ("week_date", "R-'W'I-i", "R-'W'I-i"),
    ("week_date_time", "R-'W'I-i'T'HH:mm:ss.fX", "R-'W'I-i'T'HH:mm:ss.fX"),
    ("week_date_time_no_millis", "R-'W'I-i'T'HH:mm:ssX", "R-'W'I-i'T'HH:mm:ssX"),
    ("weekyear", "R", "R"),
    ("weekyear_week", "R-'W'I", "R-'W'I"),
    ("weekyear_week_day", "R-'W'I-i", "R-'W'I-i"),
    ("year", "u", "yyyy"),
    ("year_month", "yyyy-MM", "yyyy-MM"),
    ("year_month_day", "yyyy-MM-dd", "yyyy[-MM[-dd]]"),
];

impl Default for DateFormat {
    fn default() -> Self {
        DateFormat {
            name: DATE_FORMAT_DEFAULT.to_owned(),
            alternatives: vec![Alternative::OptionalTime { strict: true, nanos: false }, Alternative::EpochMillis],
        }
    }
}

impl DateFormat {
    /// Reads a format.
    ///
    /// # Errors
    /// A name that is none and no pattern either: `Invalid format: [x]: Unknown pattern letter: o`.
    pub fn new(format: &str) -> Result<Self> {
        let mut alternatives = Vec::new();
        for name in format.split("||") {
            let invalid = |reason: String| Error::IllegalArgument {
                reason: format!("Invalid format: [{name}]: {reason}"),
                cause: Some(Box::new(Error::illegal_argument(reason))),
            };
            let named = |bare: &str| NAMED.iter().find(|(known, ..)| *known == bare);
            alternatives.push(match name {
                "" => return Err(Error::illegal_argument("No date pattern provided")),
                "date_optional_time" => Alternative::OptionalTime { strict: false, nanos: false },
                "strict_date_optional_time" | "iso8601" => Alternative::OptionalTime { strict: true, nanos: false },
                "strict_date_optional_time_nanos" => Alternative::OptionalTime { strict: true, nanos: true },
                "epoch_millis" => Alternative::EpochMillis,
                "epoch_second" => Alternative::EpochSecond,
                _ => match (named(name), name.strip_prefix("strict_").and_then(named)) {
                    // What has no separators is as wide as it is.
                    (Some((_, lenient, _)), _) => {
                        let is_strict = name.starts_with("basic_") || name == "rfc3339_lenient";
                        Alternative::Pattern(Pattern::named(lenient, is_strict).map_err(invalid)?)
                    }
                    (None, Some((.., strict))) if !strict.is_empty() => {
                        Alternative::Pattern(Pattern::named(strict, true).map_err(invalid)?)
                    }
                    _ => Alternative::Pattern(Pattern::new(name).map_err(invalid)?),
                },
            });
        }
        Ok(DateFormat { name: format.to_owned(), alternatives })
    }

    /// The format as it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads a text as milliseconds since 1970; `zone` counts where the text names none.
    ///
    /// # Errors
    /// A text that fits no alternative.
    pub fn parse(&self, text: &str, rounding: Rounding, zone: Option<&TimeZone>) -> Result<i64> {
        self.parse_moment(text, rounding, zone).map(|moment| moment.millis)
    }

    /// As [`DateFormat::parse`], to the nanosecond.
    ///
    /// # Errors
    /// A text that fits no alternative.
    pub fn parse_moment(&self, text: &str, rounding: Rounding, zone: Option<&TimeZone>) -> Result<Moment> {
        if text.is_empty() {
            return Err(Error::illegal_argument("cannot parse empty date"));
        }
        for alternative in &self.alternatives {
            if let Some(moment) = alternative.parse(text).and_then(|parts| parts.resolve(rounding, zone)) {
                return Ok(moment);
            }
        }
        let detail = match self.alternatives.len() {
            1 => format!("Text '{text}' could not be parsed at index 0"),
            _ => "Failed to parse with all enclosed parsers".to_owned(),
        };
        Err(Error::IllegalArgument {
            reason: format!("failed to parse date field [{text}] with format [{}]", self.name),
            cause: Some(Box::new(Error::DateTimeParse { reason: detail })),
        })
    }

    /// Prints a moment in the first alternative, in UTC.
    pub fn print_moment(&self, moment: Moment) -> String {
        match self.alternatives.first() {
            Some(Alternative::OptionalTime { nanos: true, .. }) if moment.nanos != 0 => print_instant(moment),
            Some(Alternative::EpochMillis) if moment.nanos != 0 => {
                format!("{}.{}", moment.millis, format!("{:06}", moment.nanos).trim_end_matches('0'))
            }
            Some(Alternative::Pattern(pattern)) => pattern.print(moment.millis, moment.nanos),
            _ => self.print(moment.millis),
        }
    }

    /// Prints milliseconds in the first alternative, in UTC.
    pub fn print(&self, millis: i64) -> String {
        match self.alternatives.first() {
            Some(Alternative::EpochMillis) => millis.to_string(),
            Some(Alternative::EpochSecond) => {
                let (sign, size) = (if millis < 0 { "-" } else { "" }, millis.unsigned_abs());
                let fraction = format!(".{:03}", size % 1_000);
                format!("{sign}{}{}", size / 1_000, fraction.trim_end_matches('0').trim_end_matches('.'))
            }
            Some(Alternative::Pattern(pattern)) => pattern.print(millis, 0),
            Some(Alternative::OptionalTime { .. }) | None => print_optional_time(millis),
        }
    }
}

/// `2024-01-02T03:04:05.678Z`
pub(super) fn print_optional_time(millis: i64) -> String {
    let (year, month, day) = civil_from_days(millis.div_euclid(DAY_MILLIS));
    let rest = millis.rem_euclid(DAY_MILLIS);
    let (hour, minute, second) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60);
    let sign = match year {
        ..0 => "-",
        0..=9_999 => "",
        _ => "+",
    };
    format!("{sign}{:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", year.abs(), rest % 1_000)
}

impl Alternative {
    fn parse(&self, text: &str) -> Option<Parts> {
        match self {
            Alternative::OptionalTime { strict, nanos } => {
                // With nanoseconds a time says its seconds.
                parse_optional_time(text, *strict).filter(|parts| !nanos || parts.hour.is_none() || parts.second.is_some())
            }
            Alternative::EpochMillis => parse_epoch(text, 1),
            Alternative::EpochSecond => parse_epoch(text, 1_000),
            Alternative::Pattern(pattern) => pattern.parse(text),
        }
    }
}

fn parse_epoch(text: &str, scale: i64) -> Option<Parts> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    // Java refuses more than nineteen digits, and so would the cast.
    if digits.is_empty() || digits.len() > 19 || !plain(digits) || !plain(fraction) || fraction.len() > 9 {
        return None;
    }
    let whole_millis = whole.parse::<i64>().ok()?.checked_mul(scale)?;
    // What stands behind the point, in nanoseconds.
    let digits = if scale == 1_000 { 9 } else { 6 };
    let part = if fraction.is_empty() { 0 } else { format!("{fraction:0<digits$}").get(..digits)?.parse::<i64>().ok()? };
    let part = if whole.starts_with('-') { -part } else { part };
    let millis = whole_millis.checked_add(part.div_euclid(1_000_000))?;
    let nanos = u32::try_from(part.rem_euclid(1_000_000)).ok()?;
    Some(Parts { epoch: Some(Moment { millis, nanos }), ..Parts::default() })
}

/// How many digits a year may have where little is strict.
pub(super) const LENIENT_YEAR_DIGITS_MAX: usize = 5;

/// A reader over digits and separators.
pub(super) struct Scanner<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

impl Scanner<'_> {
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    pub(super) fn done(&self) -> bool {
        self.at >= self.text.len()
    }

    /// Between `min` and `max` digits.
    pub(super) fn number(&mut self, min: usize, max: usize) -> Option<i64> {
        let start = self.at;
        while self.at - start < max && self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at - start < min {
            return None;
        }
        self.text.get(start..self.at)?.parse().ok()
    }

    /// Up to nine digits after a point, as nanoseconds.
    pub(super) fn fraction(&mut self, min: usize, max: usize) -> Option<i64> {
        let start = self.at;
        let value = self.number(min, max)?;
        let digits = u32::try_from(self.at - start).ok()?;
        10_i64.checked_pow(9_u32.checked_sub(digits)?)?.checked_mul(value)
    }

    /// `Z`, `+02`, `+0200`, `+02:00`, or the name of a zone in its region form.
    pub(super) fn offset(&mut self) -> Option<TimeZone> {
        if self.take(b'Z') {
            return Some(TimeZone::UTC);
        }
        let sign = match self.peek()? {
            b'+' => 1,
            b'-' => -1,
            _ => return self.zone_name(),
        };
        self.at += 1;
        let hours = self.number(2, 2)?;
        let has_minutes = self.take(b':') || self.peek().is_some_and(|byte| byte.is_ascii_digit());
        let minutes = if has_minutes { self.number(2, 2)? } else { 0 };
        if hours > 18 || minutes > 59 {
            return None;
        }
        let seconds = i32::try_from(sign * (hours * 3_600 + minutes * 60)).ok()?;
        Some(TimeZone::fixed(jiff::tz::Offset::from_seconds(seconds).ok()?))
    }

    fn zone_name(&mut self) -> Option<TimeZone> {
        let length = self.rest().bytes().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_')).count();
        let name = self.rest().get(..length).filter(|name| !name.is_empty())?;
        let zone = if name == "UTC" || name == "GMT" { TimeZone::UTC } else { TimeZone::get(name).ok()? };
        self.at += length;
        Some(zone)
    }
}

/// `yyyy[-MM[-dd['T'[HH[:mm[:ss[.SSS]]][offset]]]]]`
fn parse_optional_time(text: &str, strict: bool) -> Option<Parts> {
    let mut scanner = Scanner { text, at: 0 };
    let mut parts = Parts::default();
    let width = if strict { 2 } else { 1 };
    let negative = scanner.take(b'-');
    let plus = !negative && scanner.take(b'+');
    let start = scanner.at;
    let year = if strict { scanner.number(4, 9)? } else { scanner.number(1, LENIENT_YEAR_DIGITS_MAX)? };
    // More than four digits need a sign, where anything is strict.
    if (plus && scanner.at - start <= 4) || (strict && !plus && !negative && scanner.at - start > 4) {
        return None;
    }
    parts.year = Some(if negative { -year } else { year });
    if scanner.done() {
        return Some(parts);
    }
    if scanner.take(b'-') {
        parts.month = Some(scanner.number(width, 2)?);
        if scanner.take(b'-') {
            parts.day = Some(scanner.number(width, 2)?);
        }
    }
    if scanner.done() {
        return Some(parts);
    }
    if !scanner.take(b'T') || parts.day.is_none() {
        return None;
    }
    if scanner.done() {
        return Some(parts);
    }
    parts.hour = Some(scanner.number(width, 2)?);
    if scanner.take(b':') {
        parts.minute = Some(scanner.number(width, 2)?);
        if scanner.take(b':') {
            parts.second = Some(scanner.number(width, 2)?);
            if scanner.take(b'.') || scanner.take(b',') {
                parts.nanos = Some(scanner.fraction(1, 9)?);
            }
        }
    }
    if !scanner.done() {
        parts.zone = Some(scanner.offset()?);
    }
    scanner.done().then_some(parts)
}

impl Parts {
    /// The same moment by month and day.
    fn of_weeks(&self) -> Option<Parts> {
        let in_range = |value: i64, low: i64, high: i64| (low..=high).contains(&value).then_some(value);
        let days = match (self.iso_week, self.week) {
            ((Some(year), Some(week), Some(day)), _) => {
                first_week(in_range(year, -YEARS_MAX, YEARS_MAX)?, 1, 4) + in_range(week, 1, 53)? * 7 - 7 + in_range(day, 1, 7)? - 1
            }
            ((None, None, None), (Some(year), week, day)) => {
                let (week, day) = (in_range(week.unwrap_or(1), 1, 54)?, in_range(day.unwrap_or(1), 1, 7)?);
                first_week(in_range(year, -YEARS_MAX, YEARS_MAX)?, 7, 1) + week * 7 - 7 + day - 1
            }
            _ => return None,
        };
        let (year, month, day) = civil_from_days(days);
        let none = (None, None, None);
        Some(Parts { year: Some(year), month: Some(month), day: Some(day), iso_week: none, week: none, ..self.clone() })
    }

    fn resolve(&self, rounding: Rounding, zone: Option<&TimeZone>) -> Option<Moment> {
        if self.epoch.is_some() {
            return self.epoch;
        }
        if self.iso_week != (None, None, None) || self.week.0.is_some() {
            return self.of_weeks()?.resolve(rounding, zone);
        }
        let up = rounding == Rounding::Up;
        let pick = |value: Option<i64>, low: i64, high: i64| value.unwrap_or(if up { high } else { low });
        let year = self.year.unwrap_or(1970);
        let in_range = |value: i64, low: i64, high: i64| (low..=high).contains(&value).then_some(value);
        let (month, day) = match self.day_of_year {
            Some(day_of_year) => {
                let length = days_from_civil(year + 1, 1, 1) - days_from_civil(year, 1, 1);
                let days = days_from_civil(year, 1, 1) + in_range(day_of_year, 1, length)? - 1;
                let (_, month, day) = civil_from_days(days);
                (month, day)
            }
            // A pattern without a date means the first of January, whichever way it is rounded.
            None if self.year.is_none() && self.month.is_none() && self.day.is_none() && self.quarter.is_none() => (1, 1),
            None if self.month.is_none() && self.quarter.is_some() => (in_range(self.quarter?, 1, 4)? * 3 - 2, self.day.unwrap_or(1)),
            None => {
                let month = in_range(pick(self.month, 1, 12), 1, 12)?;
                (month, in_range(pick(self.day, 1, days_in_month(year, month)), 1, days_in_month(year, month))?)
            }
        };
        let hour = match (self.hour, self.hour_of_half) {
            (Some(hour), _) => hour,
            (None, Some(hour)) => in_range(hour, 1, 12)? % 12 + if self.afternoon == Some(true) { 12 } else { 0 },
            (None, None) => pick(None, 0, 23),
        };
        let (hour, minute) = (in_range(hour, 0, 23)?, in_range(pick(self.minute, 0, 59), 0, 59)?);
        let (second, nanos) = (in_range(pick(self.second, 0, 59), 0, 59)?, pick(self.nanos, 0, 999_999_999));
        let days = days_from_civil(year, month, day);
        let local =
            days.checked_mul(DAY_MILLIS)?.checked_add(hour * 3_600_000 + minute * 60_000 + second * 1_000 + nanos.div_euclid(1_000_000))?;
        let millis = to_utc(local, self.zone.as_ref().or(zone));
        Some(Moment { millis, nanos: u32::try_from(nanos.rem_euclid(1_000_000)).ok()? })
    }
}

/// The years that weeks are counted in.
const YEARS_MAX: i64 = 999_999_999;

/// The first day of the first week of a year, for weeks that begin on `first_day` (Monday is 1) and belong to the year that has
/// at least `days_min` of their days.
fn first_week(year: i64, first_day: i64, days_min: i64) -> i64 {
    let new_year = days_from_civil(year, 1, 1);
    // How far into its week the year begins.
    let into = (weekday(new_year) - first_day).rem_euclid(7);
    if 7 - into >= days_min { new_year - into } else { new_year - into + 7 }
}

/// Year, week and day of a day number, by the same weeks.
pub(super) fn week_of(days: i64, first_day: i64, days_min: i64) -> (i64, i64, i64) {
    let (year, ..) = civil_from_days(days);
    let year = [year + 1, year].into_iter().find(|year| first_week(*year, first_day, days_min) <= days).unwrap_or(year - 1);
    let into = days - first_week(year, first_day, days_min);
    (year, into / 7 + 1, into % 7 + 1)
}

/// The moment of a local time in a zone.
pub(super) fn to_utc(local_millis: i64, zone: Option<&TimeZone>) -> i64 {
    let Some(zone) = zone else { return local_millis };
    let guess = local_millis.saturating_sub(offset_millis(local_millis, zone));
    // One correction is enough away from a gap; inside one any answer is as good.
    local_millis.saturating_sub(offset_millis(guess, zone))
}

/// How far a zone is ahead of UTC at a moment.
pub(super) fn offset_millis(utc_millis: i64, zone: &TimeZone) -> i64 {
    let at = jiff::Timestamp::from_millisecond(utc_millis).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    i64::from(zone.to_offset(at).seconds()) * 1_000
}

/// Reads a time zone as queries name it: `+01:00`, `Z`, `Europe/Paris`.
///
/// # Errors
/// A zone that is not known.
pub fn parse_zone(text: &str) -> Result<TimeZone> {
    let mut scanner = Scanner { text, at: 0 };
    match scanner.offset() {
        Some(zone) if scanner.done() => Ok(zone),
        _ => Err(Error::IllegalArgument { reason: format!("Unknown time-zone ID: {text}"), cause: None }),
    }
}

#[cfg(test)]
#[path = "date_tests.rs"]
mod tests;
