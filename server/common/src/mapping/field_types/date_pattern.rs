//! Java's date patterns, as far as formats of fields use them: `yyyy-MM-dd HH:mm:ss`, `dd MMM yyyy`, `[.SSS]XXX`.

use super::civil::{DAY_MILLIS, civil_from_days, days_from_civil, weekday};
use super::date::{Parts, Scanner};

/// A pattern, read once.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pieces: Vec<Piece>,
    strict: bool,
}

#[derive(Clone, Debug)]
enum Piece {
    Literal(String),
    /// A letter and how often it stands.
    Field(u8, usize),
    /// `[…]`
    Optional(Vec<Piece>),
}

const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

impl Pattern {
    /// Reads a pattern; the error is the reason without its frame.
    pub(super) fn new(pattern: &str, strict: bool) -> Result<Pattern, String> {
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
                'y' | 'u' | 'M' | 'L' | 'd' | 'D' | 'H' | 'k' | 'h' | 'K' | 'm' | 's' | 'S' | 'n' | 'a' | 'E' | 'e' | 'X' | 'x' | 'Z'
                | 'z' | 'V' | 'O' => {
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
            (Some(pieces), true) => Ok(Pattern { pieces, strict }),
            _ => Err("Pattern invalid as it contains [ without ]".to_owned()),
        }
    }

    pub(super) fn parse(&self, text: &str) -> Option<Parts> {
        let mut scanner = Scanner { text, at: 0 };
        let mut parts = Parts::default();
        read(&self.pieces, &mut scanner, &mut parts, self.strict)?;
        scanner.done().then_some(parts)
    }

    pub(super) fn print(&self, millis: i64) -> String {
        let mut out = String::new();
        write(&self.pieces, millis, &mut out);
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

/// Java reads `n` as nanoseconds, so it stumbles over the first letter that is none.
fn first_unknown(pattern: &str) -> Option<char> {
    pattern.chars().find(|letter| letter.is_ascii_alphabetic() && !"yuMLdDHkhKmsSnaEeXxZzVOGQqwWcBNAFgp".contains(*letter))
}

fn read(pieces: &[Piece], scanner: &mut Scanner<'_>, parts: &mut Parts, strict: bool) -> Option<()> {
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
                if read(inner, scanner, parts, strict).is_none() {
                    scanner.at = at;
                    *parts = before;
                }
            }
            Piece::Field(letter, count) => {
                // Digits right after digits: the width is what the pattern says.
                let adjacent = matches!(pieces.get(position + 1), Some(Piece::Field(..)));
                read_field(*letter, *count, scanner, parts, strict || adjacent)?;
            }
        }
    }
    Some(())
}

fn read_field(letter: u8, count: usize, scanner: &mut Scanner<'_>, parts: &mut Parts, strict: bool) -> Option<()> {
    let low = if strict { count } else { 1 };
    let two = |scanner: &mut Scanner<'_>| scanner.number(low.min(2), 2);
    match letter {
        b'y' | b'u' => {
            let negative = scanner.take(b'-');
            let year = match count {
                2 => 2000 + scanner.number(2, 2)?,
                4 if strict => scanner.number(4, 4)?,
                _ => scanner.number(low, 9)?,
            };
            parts.year = Some(if negative { -year } else { year });
        }
        b'M' | b'L' if count >= 3 => parts.month = Some(name(&MONTHS, count, scanner)?),
        b'M' | b'L' => parts.month = Some(two(scanner)?),
        b'd' => parts.day = Some(two(scanner)?),
        b'D' => parts.day_of_year = Some(scanner.number(low.min(3), 3)?),
        b'H' | b'k' => parts.hour = Some(two(scanner)?),
        b'h' | b'K' => parts.hour_of_half = Some(two(scanner)?),
        b'm' => parts.minute = Some(two(scanner)?),
        b's' => parts.second = Some(two(scanner)?),
        b'S' => parts.nanos = Some(scanner.fraction(if strict { count.min(9) } else { 1 }, if strict { count.min(9) } else { 9 })?),
        b'n' => parts.nanos = Some(scanner.number(1, 9)?),
        b'a' => {
            let half = scanner.rest().get(..2)?;
            parts.afternoon = Some(match half {
                "AM" | "am" => false,
                "PM" | "pm" => true,
                _ => return None,
            });
            scanner.at += 2;
        }
        // The weekday says nothing that the date does not.
        b'E' | b'e' => drop(name(&WEEKDAYS, count, scanner)?),
        b'X' | b'x' | b'Z' | b'z' | b'V' | b'O' => parts.zone = Some(scanner.offset()?),
        _ => return None,
    }
    Some(())
}

/// The number, from 1, of a name: whole for four letters, three letters otherwise.
fn name(names: &[&str], count: usize, scanner: &mut Scanner<'_>) -> Option<i64> {
    for (position, whole) in names.iter().enumerate() {
        let text = if count >= 4 { whole } else { whole.get(..3)? };
        if scanner.rest().starts_with(text) {
            scanner.at += text.len();
            return i64::try_from(position + 1).ok();
        }
    }
    None
}

fn write(pieces: &[Piece], millis: i64, out: &mut String) {
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
                write(inner, millis, out);
                Ok(())
            }
            Piece::Field(letter, count) => match letter {
                b'y' | b'u' if *count == 2 => write!(out, "{:02}", year.rem_euclid(100)),
                b'y' | b'u' => write!(out, "{year:0count$}"),
                b'M' | b'L' if *count >= 3 => write_name(&MONTHS, *count, month, out),
                b'M' | b'L' => write!(out, "{month:0count$}"),
                b'd' => write!(out, "{day:0count$}"),
                b'D' => write!(out, "{:0count$}", days - days_from_civil(year, 1, 1) + 1),
                b'H' | b'k' => write!(out, "{hour:0count$}"),
                b'h' | b'K' => write!(out, "{:0count$}", (hour + 11) % 12 + 1),
                b'm' => write!(out, "{:0count$}", rest / 60_000 % 60),
                b's' => write!(out, "{:0count$}", rest / 1_000 % 60),
                b'S' => out.write_str(format!("{:03}000000", rest % 1_000).get(..(*count).min(9)).unwrap_or_default()),
                b'n' => write!(out, "{}", rest % 1_000 * 1_000_000),
                b'a' => out.write_str(if hour < 12 { "AM" } else { "PM" }),
                b'E' | b'e' => write_name(&WEEKDAYS, *count, weekday(days), out),
                b'Z' => out.write_str("+0000"),
                b'x' => out.write_str(if *count >= 3 { "+00:00" } else { "+00" }),
                b'z' | b'V' => out.write_str("UTC"),
                _ => out.write_str("Z"),
            },
        };
    }
}

fn write_name(names: &[&str], count: usize, number: i64, out: &mut String) -> std::fmt::Result {
    use std::fmt::Write as _;
    let whole = usize::try_from(number - 1).ok().and_then(|position| names.get(position)).copied().unwrap_or_default();
    out.write_str(if count >= 4 { whole } else { whole.get(..3).unwrap_or(whole) })
}
