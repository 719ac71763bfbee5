//! Addresses, as text and as 128 bits. Those of version 4 are kept as their mapped form of version 6, so that all of them
//! stand in one order.

use crate::error::{Error, Result};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Reads an address of version 4 or 6.
///
/// # Errors
/// `'x' is not an IP string literal.`
pub fn parse_ip(text: &str) -> Result<Ipv6Addr> {
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return Ok(address.to_ipv6_mapped());
    }
    // What stands behind a percent sign says by which way to reach it.
    let address = if text.contains(':') { text.split('%').next().unwrap_or(text) } else { text };
    address.parse().map_err(|_| Error::illegal_argument(format!("'{text}' is not an IP string literal.")))
}

/// The first and last address of a block such as `10.0.0.0/8`.
///
/// # Errors
/// A text that is no block.
pub fn parse_cidr(text: &str) -> Result<(Ipv6Addr, Ipv6Addr)> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) if !prefix.contains('/') => (address, prefix),
        _ => return Err(Error::illegal_argument(format!("Expected [ip/prefix] but was [{text}]"))),
    };
    let parsed = parse_ip(address)?;
    let length: i32 = prefix.parse().map_err(|_| Error::NumberFormat { input: prefix.to_owned() })?;
    let is_mapped = parsed.to_ipv4_mapped().is_some();
    let (width, skipped) = if is_mapped { (32, 96) } else { (128, 0) };
    let length = u32::try_from(length).ok().filter(|length| *length <= width).ok_or_else(|| {
        Error::illegal_argument(format!(
            "Illegal prefix length [{length}] in [{text}]. Must be 0-32 for IPv4 ranges, 0-128 for IPv6 ranges"
        ))
    })?;
    let host_bits = u128::MAX.checked_shr(skipped + length).unwrap_or(0);
    let bits = parsed.to_bits();
    Ok((Ipv6Addr::from_bits(bits & !host_bits), Ipv6Addr::from_bits(bits | host_bits)))
}

/// As hits show it.
pub fn print_ip(address: Ipv6Addr) -> String {
    address.to_ipv4_mapped().map_or_else(|| address.to_string(), |short| short.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_opensearch_reads_them() {
        for (text, printed) in [
            ("1.2.3.4", "1.2.3.4"),
            ("::ffff:1.2.3.4", "1.2.3.4"),
            ("2001:DB8::1", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"),
            ("::", "::"),
        ] {
            assert_eq!(print_ip(parse_ip(text).unwrap()), printed);
        }
        for text in ["", "5", "1.2.3", "01.2.3.4", "1.2.3.256", "1.2.3.4/24", "nope", "1.2.3.4%a"] {
            assert_eq!(parse_ip(text).unwrap_err().to_string(), format!("'{text}' is not an IP string literal."));
        }
    }

    #[test]
    fn blocks_have_two_ends() {
        let ends = |text: &str| parse_cidr(text).map(|(low, high)| (print_ip(low), print_ip(high)));
        let pair = |low: &str, high: &str| Ok((low.to_owned(), high.to_owned()));
        assert_eq!(ends("10.1.2.3/8"), pair("10.0.0.0", "10.255.255.255"));
        assert_eq!(ends("10.1.2.3/32"), pair("10.1.2.3", "10.1.2.3"));
        assert_eq!(ends("10.1.2.3/0"), pair("0.0.0.0", "255.255.255.255"));
        assert_eq!(ends("2001:db8::/112"), pair("2001:db8::", "2001:db8::ffff"));
        assert_eq!(ends("::1/0"), pair("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
        for (text, reason) in [
            ("10.0.0.0/33", "Illegal prefix length [33] in [10.0.0.0/33]. Must be 0-32 for IPv4 ranges, 0-128 for IPv6 ranges"),
            ("10.0.0.0", "Expected [ip/prefix] but was [10.0.0.0]"),
            ("a/8", "'a' is not an IP string literal."),
            ("10.0.0.1/x", "For input string: \"x\""),
        ] {
            assert_eq!(parse_cidr(text).unwrap_err().to_string(), reason);
        }
    }
}
