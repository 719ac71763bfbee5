//! Java's date patterns, as far as formats of fields use them: `yyyy-MM-dd HH:mm:ss`, `dd MMM yyyy`, `[.SSS]XXX`.

use super::civil::{DAY_MILLIS, civil_from_days, days_from_civil, weekday};
use super::date::{LENIENT_YEAR_DIGITS_MAX, Parts, Scanner, week_of};

/// A pattern, read once.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pieces: Vec<Piece>,
    strict: bool,
    /// Whether it is behind a name: offsets and years are then read more freely.
    has_name: bool,
}

#[derive(Clone, Debug)]
enum Piece {
    Literal(String),
    /// A letter and how often it stands.
    Field(u8, usize),
    /// `[…]`
    Optional(Vec<Piece>),
}

/// Java's names where no language is asked for are short, however long they are asked for.
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// The letters of Java's patterns.
const LETTERS: &str = "yuMLdDHkhKmsSnNAaBEecXxZzVOGQqYwWF";

/// The letters that only the patterns behind names have.
const OWN_LETTERS: &str = "fgRIiW";

impl Pattern {
    /// Reads a pattern of a client; the error is the reason without its frame.
    pub(super) fn new(pattern: &str) -> Result<Pattern, String> {
        Self::read(pattern, true, LETTERS)
    }

    /// Reads the pattern behind a name.
    pub(super) fn named(pattern: &str, strict: bool) -> Result<Pattern, String> {
        let letters = format!("{LETTERS}{OWN_LETTERS}");
        Self::read(pattern, strict, &letters).map(|read| Pattern { has_name: true, ..read })
    }

    fn read(pattern: &str, strict: bool, known: &str) -> Result<Pattern, String> {
        let mut letters = pattern.chars().peekable();
        let mut open: Vec<Vec<Piece>> = vec![Vec::new()];
        while let Some(letter) = letters.next() {
            let piece = match letter {
                '\'' => Piece::Literal(
                    quoted(&mut letters).ok_or_else(|| format!("Pattern ends with an incomplete string literal: {pattern}"))?,
                ),
                '[' => {
                    open.push(Vec::new());
                    continue;
                }
                ']' => match (open.pop(), open.is_empty()) {
                    (Some(inner), false) => Piece::Optional(inner),
                    _ => return Err("Pattern invalid as it contains ] without previous [".to_owned()),
                },
                letter if letter.is_ascii_alphabetic() && known.contains(letter) => {
                    let mut count = 1;
                    while letters.next_if_eq(&letter).is_some() {
                        count += 1;
                    }
                    Piece::Field(letter as u8, count)
                }
                'A'..='Z' | 'a'..='z' => return Err(format!("Unknown pattern letter: {}", first_unknown(pattern).unwrap_or(letter))),
                other => Piece::Literal(other.to_string()),
            };
            if let Some(pieces) = open.last_mut() {
                pieces.push(piece);
            }
        }
        match (open.pop(), open.is_empty()) {
            (Some(pieces), true) => Ok(Pattern { pieces, strict, has_name: false }),
            _ => Err("Pattern invalid as it contains [ without ]".to_owned()),
        }
    }

    pub(super) fn parse(&self, text: &str) -> Option<Parts> {
        let mut scanner = Scanner { text, at: 0 };
        let mut parts = Parts::default();
        read(&self.pieces, &mut scanner, &mut parts, (self.strict, self.has_name))?;
        scanner.done().then_some(parts)
    }

    /// Prints milliseconds and the nanoseconds beyond them.
    pub(super) fn print(&self, millis: i64, nanos: u32) -> String {
        let mut out = String::new();
        write(&self.pieces, (millis, nanos), self.has_name, &mut out);
        out
    }
}

fn quoted(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<String> {
    let mut text = String::new();
    if letters.next_if_eq(&'\'').is_some() {
        return Some("'".to_owned());
    }
    loop {
        match letters.next()? {
            '\'' if letters.next_if_eq(&'\'').is_some() => text.push('\''),
            '\'' => return Some(text),
            letter => text.push(letter),
        }
    }
}

/// Java stumbles over the first letter that means nothing.
fn first_unknown(pattern: &str) -> Option<char> {
    pattern.chars().find(|letter| letter.is_ascii_alphabetic() && !LETTERS.contains(*letter))
}

fn read(pieces: &[Piece], scanner: &mut Scanner<'_>, parts: &mut Parts, (strict, has_name): (bool, bool)) -> Option<()> {
    for (position, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Literal(text) => {
                if !scanner.rest().starts_with(text.as_str()) {
                    return None;
                }
                scanner.at += text.len();
            }
            Piece::Optional(inner) => {
                let (at, before) = (scanner.at, parts.clone());
                if read(inner, scanner, parts, (strict, has_name)).is_none() {
                    scanner.at = at;
                    *parts = before;
                }
            }
            Piece::Field(letter, count) => {
                // Digits right after digits: the width is what the pattern says.
                let adjacent = matches!(pieces.get(position + 1), Some(Piece::Field(..)));
                read_field(*letter, *count, scanner, parts, (strict || adjacent, has_name))?;
            }
        }
    }
    Some(())
}

fn read_field(letter: u8, count: usize, scanner: &mut Scanner<'_>, parts: &mut Parts, (strict, has_name): (bool, bool)) -> Option<()> {
    let low = if strict { count } else { 1 };
    let two = |scanner: &mut Scanner<'_>| scanner.number(low.min(2), 2);
    match letter {
        b'y' | b'u' | b'Y' | b'R' => {
            let negative = has_name && scanner.take(b'-');
            let year = match count {
                2 => 2000 + scanner.number(2, 2)?,
                4 if strict => scanner.number(4, 4)?,
                4 if has_name => scanner.number(1, LENIENT_YEAR_DIGITS_MAX)?,
                _ if letter == b'R' => scanner.number(4, 9)?,
                _ => scanner.number(low, 9)?,
            };
            let year = Some(if negative { -year } else { year });
            match letter {
                b'Y' => parts.week.0 = year,
                b'R' => parts.iso_week.0 = year,
                _ => parts.year = year,
            }
        }
        b'w' => parts.week.1 = Some(two(scanner)?),
        b'I' => parts.iso_week.1 = Some(scanner.number(if strict { 2 } else { 1 }, 2)?),
        b'i' => parts.iso_week.2 = Some(scanner.number(1, 1)?),
        b'e' | b'c' if count <= 2 => parts.week.2 = Some(scanner.number(1, 1)?),
        b'Q' | b'q' if count >= 3 => {
            if !scanner.take(b'Q') {
                return None;
            }
            parts.quarter = Some(scanner.number(1, 1)?);
        }
        b'Q' | b'q' => parts.quarter = Some(two(scanner)?),
        b'G' => {
            let era = ["BCE", "CE"].into_iter().find(|era| scanner.rest().starts_with(era))?;
            scanner.at += era.len();
            if era == "BCE" {
                parts.year = parts.year.map(|year| 1 - year);
            }
        }
        b'M' | b'L' if count >= 3 => parts.month = Some(name(&MONTHS, scanner)?),
        b'M' | b'L' => parts.month = Some(two(scanner)?),
        b'd' => parts.day = Some(two(scanner)?),
        b'D' => parts.day_of_year = Some(scanner.number(low.min(3), 3)?),
        b'H' => parts.hour = Some(two(scanner)?),
        // Both count midnight, and noon, as the last hour and not as the first.
        b'k' => parts.hour = Some(two(scanner).filter(|hour| (1..=24).contains(hour))? % 24),
        b'K' => parts.hour_of_half = Some(two(scanner).filter(|hour| *hour < 12).map(|hour| if hour == 0 { 12 } else { hour })?),
        b'h' => parts.hour_of_half = Some(two(scanner)?),
        b'm' => parts.minute = Some(two(scanner)?),
        b's' => parts.second = Some(two(scanner)?),
        b'S' => parts.nanos = Some(scanner.fraction(if strict { count.min(9) } else { 1 }, if strict { count.min(9) } else { 9 })?),
        b'f' => parts.nanos = Some(scanner.fraction(1, 9)?),
        b'g' => parts.nanos = Some(scanner.fraction(1, 3)?),
        b'n' => parts.nanos = Some(scanner.number(1, 9)?),
        b'A' | b'N' => {
            let whole = scanner.number(1, 18)?;
            let nanos = if letter == b'A' { whole.checked_mul(1_000_000)? } else { whole };
            parts.hour = Some(nanos / 3_600_000_000_000);
            parts.minute = Some(nanos / 60_000_000_000 % 60);
            parts.second = Some(nanos / 1_000_000_000 % 60);
            parts.nanos = Some(nanos % 1_000_000_000);
        }
        b'a' | b'B' => {
            let half = scanner.rest().get(..2)?;
            parts.afternoon = Some(match half {
                "AM" | "am" => false,
                "PM" | "pm" => true,
                _ => return None,
            });
            scanner.at += 2;
        }
        // The weekday says nothing that the date does not.
        b'E' | b'e' | b'c' => drop(name(&WEEKDAYS, scanner)?),
        b'W' if has_name => parts.zone = Some(offset(b'X', 3, scanner)?),
        b'X' | b'x' | b'Z' if !has_name => parts.zone = Some(offset(letter, count, scanner)?),
        b'X' | b'x' | b'Z' | b'z' | b'V' | b'O' => parts.zone = Some(scanner.offset()?),
        _ => return None,
    }
    Some(())
}

/// An offset in just the form that a pattern asks for.
fn offset(letter: u8, count: usize, scanner: &mut Scanner<'_>) -> Option<jiff::tz::TimeZone> {
    let takes_z = letter == b'X' || (letter == b'Z' && count == 5);
    let start = scanner.at;
    let zone = scanner.offset()?;
    let text = scanner.text.get(start..scanner.at)?;
    let is_right = match text.as_bytes() {
        [b'Z'] => takes_z,
        [b'+' | b'-', rest @ ..] => match (letter, count) {
            (b'X' | b'x', 1) => matches!(rest.len(), 2 | 4) && !rest.contains(&b':'),
            (b'X' | b'x', 3 | 5) | (b'Z', 5) => rest.contains(&b':'),
            _ => rest.len() == 4,
        },
        // A name of a zone is no offset.
        _ => false,
    };
    is_right.then_some(zone)
}

/// The number, from 1, of a name.
fn name(names: &[&str], scanner: &mut Scanner<'_>) -> Option<i64> {
    let position = names.iter().position(|name| scanner.rest().starts_with(name))?;
    scanner.at += 3;
    i64::try_from(position + 1).ok()
}

fn write(pieces: &[Piece], (millis, nanos): (i64, u32), has_name: bool, out: &mut String) {
    use std::fmt::Write as _;
    let days = millis.div_euclid(DAY_MILLIS);
    let (year, month, day) = civil_from_days(days);
    let rest = millis.rem_euclid(DAY_MILLIS);
    let hour = rest / 3_600_000;
    for piece in pieces {
        // Writing to a string cannot fail.
        let _ = match piece {
            Piece::Literal(text) => out.write_str(text),
            Piece::Optional(inner) => {
                write(inner, (millis, nanos), has_name, out);
                Ok(())
            }
            Piece::Field(letter, count) => match letter {
                // Years of an era begin with one on both sides.
                b'y' if year <= 0 && !has_name => write!(out, "{:0count$}", 1 - year),
                b'y' | b'u' if *count == 2 => write!(out, "{:02}", year.rem_euclid(100)),
                b'y' | b'u' => write_year(year, *count, out),
                b'Y' if *count == 2 => write!(out, "{:02}", week_of(days, 7, 1).0.rem_euclid(100)),
                b'Y' => write_year(week_of(days, 7, 1).0, *count, out),
                b'R' => write_year(week_of(days, 1, 4).0, 4, out),
                b'w' => write!(out, "{:0count$}", week_of(days, 7, 1).1),
                b'I' => write!(out, "{:02}", week_of(days, 1, 4).1),
                b'i' => write!(out, "{}", weekday(days)),
                b'e' | b'c' if *count <= 2 => write!(out, "{:0count$}", weekday(days) % 7 + 1),
                b'W' if !has_name => write!(out, "{:0count$}", (day + weekday(days - day + 1) % 7 + 6) / 7),
                b'F' => write!(out, "{:0count$}", (day + 6) / 7),
                b'Q' | b'q' if *count >= 3 => write!(out, "Q{}", (month + 2) / 3),
                b'Q' | b'q' => write!(out, "{:0count$}", (month + 2) / 3),
                b'G' => out.write_str(if year > 0 { "CE" } else { "BCE" }),
                b'M' | b'L' if *count == 3 || *count == 4 => write_name(&MONTHS, month, out),
                b'M' | b'L' if *count >= 5 => write!(out, "{month}"),
                b'M' | b'L' => write!(out, "{month:0count$}"),
                b'd' => write!(out, "{day:0count$}"),
                b'D' => write!(out, "{:0count$}", days - days_from_civil(year, 1, 1) + 1),
                b'H' => write!(out, "{hour:0count$}"),
                b'k' => write!(out, "{:0count$}", if hour == 0 { 24 } else { hour }),
                b'h' => write!(out, "{:0count$}", (hour + 11) % 12 + 1),
                b'K' => write!(out, "{:0count$}", hour % 12),
                b'm' => write!(out, "{:0count$}", rest / 60_000 % 60),
                b's' => write!(out, "{:0count$}", rest / 1_000 % 60),
                b'S' => out.write_str(format!("{:03}{nanos:06}", rest % 1_000).get(..(*count).min(9)).unwrap_or_default()),
                b'f' | b'g' if nanos != 0 => write!(out, "{:03}{nanos:06}", rest % 1_000),
                b'f' | b'g' => write!(out, "{:03}", rest % 1_000),
                b'n' => write!(out, "{}", rest % 1_000 * 1_000_000 + i64::from(nanos)),
                b'A' => write!(out, "{rest}"),
                b'N' => write!(out, "{}", rest * 1_000_000 + i64::from(nanos)),
                b'a' | b'B' => out.write_str(if hour < 12 { "AM" } else { "PM" }),
                b'E' | b'e' | b'c' if *count == 5 => {
                    out.write_str(WEEKDAYS.get(weekday(days) as usize - 1).and_then(|name| name.get(..1)).unwrap_or_default())
                }
                b'E' | b'e' | b'c' => write_name(&WEEKDAYS, weekday(days), out),
                b'Z' if *count <= 3 => out.write_str("+0000"),
                b'Z' if *count == 4 => out.write_str("GMT"),
                b'O' => out.write_str("GMT"),
                b'x' => out.write_str(match count {
                    1 => "+00",
                    3 | 5 => "+00:00",
                    _ => "+0000",
                }),
                _ => out.write_str("Z"),
            },
        };
    }
}

/// A year with at least so many digits, and a sign where it would be mistaken without.
fn write_year(year: i64, count: usize, out: &mut String) -> std::fmt::Result {
    use std::fmt::Write as _;
    let sign = if year < 0 {
        "-"
    } else if count >= 4 && year > 9_999 {
        "+"
    } else {
        ""
    };
    write!(out, "{sign}{:0count$}", year.abs())
}

fn write_name(names: &[&str], number: i64, out: &mut String) -> std::fmt::Result {
    use std::fmt::Write as _;
    out.write_str(usize::try_from(number - 1).ok().and_then(|position| names.get(position)).copied().unwrap_or_default())
}
