//! Moments to the nanosecond, and date math: `now-1d/d`.

use super::civil::{DAY_MILLIS, civil_from_days, days_from_civil, days_in_month, weekday};
use super::date::{DateFormat, Rounding, Scanner, offset_millis, print_optional_time, to_utc};
use crate::error::{Error, Result};
use jiff::tz::TimeZone;

/// A moment: milliseconds since 1970, and the nanoseconds beyond them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Milliseconds since 1970, rounded down.
    pub millis: i64,
    /// Nanoseconds beyond, from 0 to 999,999.
    pub nanos: u32,
}

/// The nanoseconds of a millisecond, but for the last.
const LAST_NANO: u32 = 999_999;

impl Moment {
    /// The whole millisecond.
    pub fn of_millis(millis: i64) -> Moment {
        Moment { millis, nanos: 0 }
    }

    /// The moment of a number of nanoseconds since 1970.
    pub fn of_nanos(nanos: i64) -> Moment {
        Moment { millis: nanos.div_euclid(1_000_000), nanos: nanos.rem_euclid(1_000_000).try_into().unwrap_or(0) }
    }

    /// Nanoseconds since 1970.
    ///
    /// # Errors
    /// A moment before 1970, or after what 63 bits hold.
    pub fn to_nanos(self) -> Result<i64> {
        let refused = |what: &str| {
            let date = print_instant(self);
            Err(Error::illegal_argument(format!("date[{date}] is {what} and cannot be stored in nanosecond resolution")))
        };
        if self.millis < 0 {
            return refused("before the epoch in 1970");
        }
        let nanos = self.millis.checked_mul(1_000_000).and_then(|nanos| nanos.checked_add(i64::from(self.nanos)));
        nanos.map_or_else(|| refused("after 2262-04-11T23:47:16.854775807"), Ok)
    }
}

/// As Java prints an instant: no more digits than there must be, in groups of three.
pub(super) fn print_instant(moment: Moment) -> String {
    let text = print_optional_time(moment.millis);
    let seconds = text.get(..text.len().saturating_sub(5)).unwrap_or_default();
    let nanos = moment.millis.rem_euclid(1_000) * 1_000_000 + i64::from(moment.nanos);
    match nanos {
        0 => format!("{seconds}Z"),
        nanos if nanos % 1_000_000 == 0 => format!("{seconds}.{:03}Z", nanos / 1_000_000),
        nanos if nanos % 1_000 == 0 => format!("{seconds}.{:06}Z", nanos / 1_000),
        nanos => format!("{seconds}.{nanos:09}Z"),
    }
}

/// Reads a date with math: `now-1d/d`, `2024-01-01||+1M/d`, or a plain date.
///
/// `now_millis` is what `now` means. Rounding up makes `/d` the last millisecond of the day.
///
/// # Errors
/// `parse_exception` for a text that is no date or math that is none.
pub fn parse_date_math(text: &str, format: &DateFormat, now_millis: i64, rounding: Rounding, zone: Option<&TimeZone>) -> Result<i64> {
    Moment::parse_math(text, format, now_millis, rounding, zone).map(|moment| moment.millis)
}

impl Moment {
    /// As [`parse_date_math`], to the nanosecond.
    ///
    /// # Errors
    /// `parse_exception` for a text that is no date or math that is none.
    pub fn parse_math(text: &str, format: &DateFormat, now_millis: i64, rounding: Rounding, zone: Option<&TimeZone>) -> Result<Moment> {
        let (start, math) = match text.strip_prefix("now") {
            Some(math) => (Moment::of_millis(now_millis), math),
            None => {
                let (date, math) = text.split_once("||").unwrap_or((text, ""));
                // With math, rounding up is the math's business.
                let first = if math.is_empty() { rounding } else { Rounding::Down };
                let moment = format.parse_moment(date, first, zone).map_err(|cause| Error::Parse {
                    reason: format!("failed to parse date field [{date}] with format [{}]: [{cause}]", format.name()),
                    cause: Some(Box::new(cause)),
                })?;
                (moment, math)
            }
        };
        let millis = apply_math(math, start.millis, rounding, zone)?;
        // Rounding leaves nothing of what was below a millisecond.
        let nanos = match (math.contains('/'), rounding) {
            (false, _) => start.nanos,
            (true, Rounding::Down) => 0,
            (true, Rounding::Up) => LAST_NANO,
        };
        Ok(Moment { millis, nanos })
    }
}

fn apply_math(math: &str, mut millis: i64, rounding: Rounding, zone: Option<&TimeZone>) -> Result<i64> {
    let mut scanner = Scanner { text: math, at: 0 };
    while let Some(operator) = scanner.peek() {
        scanner.at += 1;
        let (round, sign) = match operator {
            b'/' => (true, 1),
            b'+' => (false, 1),
            b'-' => (false, -1),
            _ => return Err(Error::parse(format!("operator not supported for date math [{math}]"))),
        };
        if scanner.done() {
            return Err(Error::parse(format!("truncated date math [{math}]")));
        }
        let count = if scanner.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            let count = scanner.number(1, 18);
            count.ok_or_else(|| Error::parse(format!("truncated date math [{math}]")))?
        } else {
            1
        };
        let Some(unit) = scanner.peek() else { return Err(Error::parse(format!("truncated date math [{math}]"))) };
        scanner.at += 1;
        if round && count != 1 {
            return Err(Error::parse(format!("rounding `/` can only be used on single unit types [{math}]")));
        }
        let moved = if round { round_to(millis, unit, rounding, zone) } else { add(millis, unit, sign * count, zone) };
        millis = moved.ok_or_else(|| Error::parse(format!("unit [{}] not supported for date math [{math}]", unit as char)))?;
    }
    Ok(millis)
}

/// Adds `count` units; calendar units keep the local time of day.
fn add(millis: i64, unit: u8, count: i64, zone: Option<&TimeZone>) -> Option<i64> {
    let local = millis.saturating_add(zone.map_or(0, |zone| offset_millis(millis, zone)));
    let (days, time) = (local.div_euclid(DAY_MILLIS), local.rem_euclid(DAY_MILLIS));
    let days = match unit {
        b'y' | b'M' => {
            let (year, month, day) = civil_from_days(days);
            let months =
                year.checked_mul(12)?.checked_add(month - 1)?.checked_add(count.checked_mul(if unit == b'y' { 12 } else { 1 })?)?;
            let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
            if year.abs() > 200_000_000 {
                return None;
            }
            days_from_civil(year, month, day.min(days_in_month(year, month)))
        }
        b'w' => days.checked_add(count.checked_mul(7)?)?,
        b'd' => days.checked_add(count)?,
        b'h' | b'H' => return millis.checked_add(count.checked_mul(3_600_000)?),
        b'm' => return millis.checked_add(count.checked_mul(60_000)?),
        b's' => return millis.checked_add(count.checked_mul(1_000)?),
        _ => return None,
    };
    Some(to_utc(days.checked_mul(DAY_MILLIS)?.checked_add(time)?, zone))
}

/// The first millisecond of the unit, or the last when rounding up.
fn round_to(millis: i64, unit: u8, rounding: Rounding, zone: Option<&TimeZone>) -> Option<i64> {
    let local = millis.saturating_add(zone.map_or(0, |zone| offset_millis(millis, zone)));
    let days = local.div_euclid(DAY_MILLIS);
    let (year, month, _) = civil_from_days(days);
    // At the very ends of time there is no earlier moment to round to.
    let floor = |size: i64| local.div_euclid(size).saturating_mul(size);
    let start = match unit {
        b'y' => days_from_civil(year, 1, 1).saturating_mul(DAY_MILLIS),
        b'M' => days_from_civil(year, month, 1).saturating_mul(DAY_MILLIS),
        b'w' => (days - weekday(days) + 1).saturating_mul(DAY_MILLIS),
        b'd' => floor(DAY_MILLIS),
        b'h' | b'H' => floor(3_600_000),
        b'm' => floor(60_000),
        b's' => floor(1_000),
        _ => return None,
    };
    let start = to_utc(start, zone);
    match rounding {
        Rounding::Down => Some(start),
        Rounding::Up => add(start, unit, 1, zone).map(|next| next - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::super::date::parse_zone;
    use super::*;

    fn millis(text: &str) -> i64 {
        DateFormat::default().parse(text, Rounding::Down, None).unwrap()
    }

    #[test]
    fn math_moves_and_rounds() {
        let now = millis("2024-01-31T12:34:56.789");
        let format = DateFormat::default();
        let cases = [
            ("now", "2024-01-31T12:34:56.789Z", "2024-01-31T12:34:56.789Z"),
            ("now-1d/d", "2024-01-30T00:00:00.000Z", "2024-01-30T23:59:59.999Z"),
            ("now+1M", "2024-02-29T12:34:56.789Z", "2024-02-29T12:34:56.789Z"),
            ("now/w", "2024-01-29T00:00:00.000Z", "2024-02-04T23:59:59.999Z"),
            ("2024-01-01||+1M/M", "2024-02-01T00:00:00.000Z", "2024-02-29T23:59:59.999Z"),
            ("2024-01-01||+1M/d", "2024-02-01T00:00:00.000Z", "2024-02-01T23:59:59.999Z"),
            ("2024-01", "2024-01-01T00:00:00.000Z", "2024-01-31T23:59:59.999Z"),
            ("2024-01-15T10:20", "2024-01-15T10:20:00.000Z", "2024-01-15T10:20:59.999Z"),
            ("now/y", "2024-01-01T00:00:00.000Z", "2024-12-31T23:59:59.999Z"),
        ];
        for (text, down, up) in cases {
            assert_eq!(format.print(parse_date_math(text, &format, now, Rounding::Down, None).unwrap()), down, "{text}");
            assert_eq!(format.print(parse_date_math(text, &format, now, Rounding::Up, None).unwrap()), up, "{text}");
        }
    }

    #[test]
    fn math_that_is_none_is_refused() {
        let format = DateFormat::default();
        let reason = |text: &str| parse_date_math(text, &format, 0, Rounding::Down, None).unwrap_err().to_string();
        assert_eq!(reason("2024-01-01||+1x"), "unit [x] not supported for date math [+1x]");
        assert_eq!(
            reason("nodate"),
            "failed to parse date field [nodate] with format [strict_date_optional_time||epoch_millis]: \
             [failed to parse date field [nodate] with format [strict_date_optional_time||epoch_millis]]"
        );
    }

    #[test]
    fn the_ends_of_time_are_no_trap() {
        let format = DateFormat::default();
        for zone in [None, Some(parse_zone("+18:00").unwrap()), Some(parse_zone("Europe/Paris").unwrap())] {
            for date in [i64::MIN.to_string(), i64::MAX.to_string(), "999999999".to_owned(), "-999999999-01-01".to_owned()] {
                for math in
                    ["", "||/y", "||/M", "||/w", "||/d", "||/h", "||-1y", "||+999999999999999999d", "||+999999999999999999y", "||+1M/s"]
                {
                    for rounding in [Rounding::Down, Rounding::Up] {
                        // An answer or an error, and neither takes the node down.
                        if let Ok(millis) = parse_date_math(&format!("{date}{math}"), &format, 0, rounding, zone.as_ref()) {
                            format.print(millis);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn nanoseconds_reach_from_1970_to_2262() {
        let nanos = |text: &str| DateFormat::default().parse_moment(text, Rounding::Down, None).unwrap().to_nanos();
        assert_eq!(nanos("2024-01-01T00:00:00.123456789Z").unwrap(), 1_704_067_200_123_456_789);
        assert_eq!(Moment::of_nanos(1_704_067_200_123_456_789), Moment { millis: 1_704_067_200_123, nanos: 456_789 });
        for (text, reason) in [
            ("-5", "date[1969-12-31T23:59:59.995Z] is before the epoch in 1970 and cannot be stored in nanosecond resolution"),
            (
                "2300-01-01",
                "date[2300-01-01T00:00:00Z] is after 2262-04-11T23:47:16.854775807 and cannot be stored in nanosecond resolution",
            ),
        ] {
            assert_eq!(nanos(text).unwrap_err().to_string(), reason);
        }
    }
}
