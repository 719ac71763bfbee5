//! Places on earth, in all the forms that clients write them, and the whole numbers that they are kept as.

use super::Misfit;
use super::values::{java_parse_double, not_numeric};
use crate::error::{Error, Result};
use crate::json::{Node, NodeValue, java_double};
use serde_json::Value;

/// The letters of geohashes, each worth five bits.
const GEOHASH_LETTERS: &str = "0123456789bcdefghjkmnpqrstuvwxyz";

/// More letters than this add nothing to a place.
const GEOHASH_LENGTH_MAX: usize = 12;

/// The steps that latitude and longitude are kept in: their whole range in 32 bits.
const STEPS: f64 = 4_294_967_296.0;

/// A place: latitude and longitude in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GeoPoint {
    /// From -90 to 90.
    pub latitude: f64,
    /// From -180 to 180.
    pub longitude: f64,
}

impl GeoPoint {
    /// A place on earth, wherever the numbers lead around it.
    pub fn normalized(self) -> GeoPoint {
        let mut latitude = self.latitude;
        let mut longitude = self.longitude;
        if !(-90.0..=90.0).contains(&latitude) {
            // Over a pole one comes down on the other side of it.
            latitude = (latitude + 180.0).rem_euclid(360.0) - 180.0;
            if latitude.abs() > 90.0 {
                latitude = 180.0_f64.copysign(latitude) - latitude;
                longitude += 180.0;
            }
        }
        if !(-180.0..=180.0).contains(&longitude) {
            longitude = (longitude + 180.0).rem_euclid(360.0) - 180.0;
        }
        GeoPoint { latitude, longitude }
    }

    /// The place in 64 bits: latitude in the upper half, longitude in the lower, each in order.
    pub fn encode(self) -> u64 {
        let step = |degrees: f64, range: f64| -> u32 {
            // The last degree belongs to the last step.
            let degrees = if degrees >= range / 2.0 { (range / 2.0).next_down() } else { degrees };
            let step = (degrees / (range / STEPS)).floor() as i32;
            step.cast_unsigned() ^ (1 << 31)
        };
        u64::from(step(self.latitude, 180.0)) << 32 | u64::from(step(self.longitude, 360.0))
    }

    /// The place that [`GeoPoint::encode`] keeps, a little less exact than it was.
    pub fn decode(bits: u64) -> GeoPoint {
        let degrees = |step: u64, range: f64| {
            let step = (step as u32 ^ (1 << 31)).cast_signed();
            f64::from(step) * (range / STEPS)
        };
        GeoPoint { latitude: degrees(bits >> 32, 180.0), longitude: degrees(bits & 0xffff_ffff, 360.0) }
    }

    /// Whether it is on earth.
    ///
    /// # Errors
    /// `illegal latitude value [91.0] for field`
    pub fn check(self, suffix: &str) -> Result<()> {
        for (name, value, limit) in [("latitude", self.latitude, 90.0), ("longitude", self.longitude, 180.0)] {
            if !(-limit..=limit).contains(&value) {
                return Err(Error::illegal_argument(format!("illegal {name} value [{}]{suffix}", java_double(value))));
            }
        }
        Ok(())
    }

    /// Reads a place of a query or a mapping: an object, a text or a pair.
    ///
    /// # Errors
    /// What is no place.
    pub fn read(value: &Value, ignore_z: bool) -> Result<GeoPoint> {
        let text = value.to_string();
        let node = crate::json::parse_tree(text.as_bytes())?;
        read_geo_point(&node, ignore_z, text.as_bytes()).map_err(|misfit| *misfit.cause)
    }
}

/// Whether an array is one place and not several: longitude, latitude, and maybe a height.
pub(in crate::mapping) fn is_point_array(items: &[Node<'_>]) -> bool {
    matches!(items.first().map(|item| &item.value), Some(NodeValue::Number(_)))
}

/// Reads a place, which may lie anywhere.
pub(in crate::mapping) fn read_geo_point(node: &Node<'_>, ignore_z: bool, source: &[u8]) -> Result<GeoPoint, Misfit> {
    match &node.value {
        NodeValue::Text(text) => Ok(from_text(text, ignore_z)?),
        NodeValue::Object(fields) => Ok(from_object(fields, ignore_z, source)?),
        NodeValue::Array(items) => Ok(from_array(node, items, ignore_z, source)?),
        NodeValue::Null | NodeValue::Bool(_) | NodeValue::Number(_) | NodeValue::Broken(_) => {
            Err(Error::parse("geo_point expected").into())
        }
    }
}

fn refuse_z(z: f64, ignore_z: bool) -> Result<()> {
    if ignore_z {
        return Ok(());
    }
    let z = java_double(z);
    Err(Error::parse(format!("Exception parsing coordinates: found Z value [{z}] but [ignore_z_value] parameter is [false]")))
}

fn from_array(node: &Node<'_>, items: &[Node<'_>], ignore_z: bool, source: &[u8]) -> Result<GeoPoint> {
    let number = |item: &Node<'_>| match &item.value {
        NodeValue::Number(text) => text.parse::<f64>().map_err(|_| Error::NumberFormat { input: (*text).to_owned() }),
        NodeValue::Text(text) => java_parse_double(text).ok_or_else(|| Error::NumberFormat { input: text.to_string() }),
        _ => Err(not_numeric(item, source)),
    };
    match items {
        [longitude, latitude, rest @ ..] if rest.len() <= 1 => {
            let point = GeoPoint { longitude: number(longitude)?, latitude: number(latitude)? };
            if let Some(z) = rest.first() {
                refuse_z(number(z)?, ignore_z)?;
            }
            Ok(point)
        }
        [_] => {
            let (line, column) = (node.close.0, node.close.1.saturating_add(1));
            let place = crate::json::location_text(line, column);
            let reason = format!("Current token (END_ARRAY) not numeric, can not use numeric value accessors\n at {place}");
            Err(Error::JsonParse { reason })
        }
        _ => Err(Error::parse("geo_point expected")),
    }
}

fn from_object(fields: &[(std::borrow::Cow<'_, str>, Node<'_>)], ignore_z: bool, source: &[u8]) -> Result<GeoPoint> {
    const KINDS: &str = "field must be either [lon|lat], [type|coordinates], or [geohash]";
    let (mut latitude, mut longitude, mut geohash, mut kind, mut coordinates) = (None, None, None, None, None);
    let degrees = |key: &str, node: &Node<'_>| match &node.value {
        NodeValue::Number(text) => Ok(text.parse().ok()),
        NodeValue::Text(text) => java_parse_double(text).map(Some).ok_or_else(|| Error::Parse {
            reason: "[lon] and [lat] must be valid double values".to_owned(),
            cause: Some(Box::new(Error::NumberFormat { input: text.to_string() })),
        }),
        _ => Err(Error::parse(format!("{key} must be a number"))),
    };
    if fields.is_empty() {
        return Err(Error::parse("token [END_OBJECT] not allowed"));
    }
    for (key, node) in fields {
        match key.as_ref() {
            "lat" => latitude = degrees(key, node)?,
            "lon" => longitude = degrees(key, node)?,
            "geohash" => match &node.value {
                NodeValue::Text(text) => geohash = Some(text.as_ref()),
                _ => return Err(Error::parse("geohash must be a string")),
            },
            "type" => kind = Some(node),
            "coordinates" => coordinates = Some(node),
            _ => return Err(Error::parse(KINDS)),
        }
    }
    let has_degrees = latitude.is_some() || longitude.is_some();
    let is_json = kind.is_some() || coordinates.is_some();
    if usize::from(has_degrees) + usize::from(geohash.is_some()) + usize::from(is_json) > 1 {
        return Err(Error::parse(KINDS));
    }
    if let Some(geohash) = geohash {
        return from_geohash(geohash);
    }
    if is_json {
        let Some(kind) = kind else { return Err(Error::parse("field [type] missing")) };
        if !kind.as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("point")) {
            return Err(Error::parse("type must be Point"));
        }
        return match coordinates {
            Some(node) => match &node.value {
                NodeValue::Array(items) => from_array(node, items, ignore_z, source),
                _ => Err(Error::parse("coordinates must be an array")),
            },
            None => Err(Error::parse("field [coordinates] missing")),
        };
    }
    match (latitude, longitude) {
        (Some(latitude), Some(longitude)) => Ok(GeoPoint { latitude, longitude }),
        (None, _) => Err(Error::parse("field [lat] missing")),
        (_, None) => Err(Error::parse("field [lon] missing")),
    }
}

fn from_text(text: &str, ignore_z: bool) -> Result<GeoPoint> {
    if text.to_ascii_lowercase().contains("point") {
        return from_wkt(text, ignore_z);
    }
    if !text.contains(',') {
        return from_geohash(text);
    }
    let parts: Vec<&str> = text.split(',').collect();
    let number = |text: &str, name: &str| java_parse_double(text).ok_or_else(|| Error::parse(format!("{name} must be a number")));
    match parts.as_slice() {
        [latitude, longitude, rest @ ..] if rest.len() <= 1 => {
            let point = GeoPoint { latitude: number(latitude, "latitude")?, longitude: number(longitude, "longitude")? };
            if let Some(z) = rest.first() {
                refuse_z(number(z, "altitude")?, ignore_z)?;
            }
            Ok(point)
        }
        _ => {
            let count = parts.len();
            Err(Error::parse(format!("failed to parse [{text}], expected 2 or 3 coordinates but found: [{count}]")))
        }
    }
}

/// `POINT (-71.34 41.12)`
fn from_wkt(text: &str, ignore_z: bool) -> Result<GeoPoint> {
    let invalid = |cause: Error| Error::Parse { reason: "Invalid WKT format".to_owned(), cause: Some(Box::new(cause)) };
    let malformed = || invalid(Error::illegal_argument(format!("expected a point but found [{text}]")));
    let rest = text.trim().get(5..).filter(|_| text.trim().get(..5).is_some_and(|word| word.eq_ignore_ascii_case("point")));
    let inner = rest.and_then(|rest| rest.trim().strip_prefix('(')?.strip_suffix(')')).ok_or_else(malformed)?;
    let numbers: Option<Vec<f64>> = inner.split_whitespace().map(java_parse_double).collect();
    let (longitude, latitude, z) = match numbers.as_deref() {
        Some([longitude, latitude]) => (*longitude, *latitude, None),
        Some([longitude, latitude, z]) => (*longitude, *latitude, Some(*z)),
        _ => return Err(malformed()),
    };
    if let Some(z) = z.filter(|_| !ignore_z) {
        let reason = format!("found Z value [{}] but [ignore_z_value] parameter is [false]", java_double(z));
        return Err(invalid(Error::illegal_argument(reason)));
    }
    for (name, value, limit) in [("latitude", latitude, 90.0), ("longitude", longitude, 180.0)] {
        if !(-limit..=limit).contains(&value) {
            let (value, limit) = (java_double(value), java_double(limit));
            let reason = format!("invalid {name} {value}; must be between -{limit} and {limit}");
            return Err(invalid(Error::illegal_argument(reason)));
        }
    }
    Ok(GeoPoint { latitude, longitude })
}

/// The south-west corner of a geohash's cell, as OpenSearch takes it for a point.
fn from_geohash(text: &str) -> Result<GeoPoint> {
    let failed = |reason: String| Error::Parse { reason: reason.clone(), cause: Some(Box::new(Error::illegal_argument(reason))) };
    if text.is_empty() {
        return Err(failed("empty geohash".to_owned()));
    }
    let mut bits = 0_u64;
    let mut count = 0;
    for letter in text.chars() {
        let value = GEOHASH_LETTERS
            .chars()
            .zip(0_u64..)
            .find(|(known, _)| *known == letter)
            .map(|(_, value)| value)
            .ok_or_else(|| failed(format!("unsupported symbol [{letter}] in geohash [{text}]")))?;
        if count < GEOHASH_LENGTH_MAX {
            bits = bits << 5 | value;
            count += 1;
        }
    }
    // Bits alternate, longitude first; each halves what is left.
    let (mut latitude, mut longitude) = ((-90.0, 90.0), (-180.0, 180.0));
    for place in (0..count * 5).rev() {
        let is_longitude = (count * 5 - 1 - place).is_multiple_of(2);
        let (low, high): &mut (f64, f64) = if is_longitude { &mut longitude } else { &mut latitude };
        let middle = f64::midpoint(*low, *high);
        if bits >> place & 1 == 1 { *low = middle } else { *high = middle }
    }
    Ok(GeoPoint { latitude: latitude.0, longitude: longitude.0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse_tree as parse;

    fn read(source: &str) -> Result<GeoPoint> {
        read_geo_point(&parse(source.as_bytes()).unwrap(), true, source.as_bytes()).map_err(|misfit| *misfit.cause)
    }

    #[test]
    fn all_forms_lead_to_the_same_place() {
        for source in [
            r#"{"lat":1,"lon":"2"}"#,
            r#""1,2""#,
            r#""1, 2, 7""#,
            "[2,1]",
            "[2,1,5]",
            r#"{"type":"Point","coordinates":[2,1]}"#,
            r#""POINT (2 1)""#,
            r#""point(2 1 9)""#,
        ] {
            assert_eq!(read(source).unwrap(), GeoPoint { latitude: 1.0, longitude: 2.0 }, "{source}");
        }
        let hashed = read(r#""drm3btev3e86""#).unwrap();
        assert!((hashed.latitude - 41.12).abs() < 1e-5 && (hashed.longitude + 71.34).abs() < 1e-5, "{hashed:?}");
        assert_eq!(read(r#"{"geohash":"drm3btev3e86"}"#).unwrap(), hashed);
    }

    #[test]
    fn what_is_no_place_says_why() {
        for (source, reason) in [
            ("5", "geo_point expected"),
            ("[1,2,3,4]", "geo_point expected"),
            (r#"[1,"b"]"#, "For input string: \"b\""),
            ("{}", "token [END_OBJECT] not allowed"),
            (r#"{"lat":1}"#, "field [lon] missing"),
            (r#"{"lon":1}"#, "field [lat] missing"),
            (r#"{"lat":"x","lon":2}"#, "[lon] and [lat] must be valid double values"),
            (r#"{"lat":true,"lon":2}"#, "lat must be a number"),
            (r#"{"lat":1,"lon":2,"z":3}"#, "field must be either [lon|lat], [type|coordinates], or [geohash]"),
            (r#"{"type":"Polygon","coordinates":[2,1]}"#, "type must be Point"),
            (r#"{"coordinates":[2,1]}"#, "field [type] missing"),
            (r#""1,x""#, "longitude must be a number"),
            (r#""x,1""#, "latitude must be a number"),
            (r#""1,2,3,4""#, "failed to parse [1,2,3,4], expected 2 or 3 coordinates but found: [4]"),
            (r#""""#, "empty geohash"),
            (r#""ailo""#, "unsupported symbol [a] in geohash [ailo]"),
            (r#""POINT (200 1)""#, "Invalid WKT format"),
        ] {
            assert_eq!(read(source).unwrap_err().to_string(), reason, "{source}");
        }
        let out = GeoPoint { latitude: 91.0, longitude: 2.0 };
        assert_eq!(out.check(" for gp").unwrap_err().to_string(), "illegal latitude value [91.0] for gp");
    }

    #[test]
    fn places_are_kept_in_steps() {
        let kept = GeoPoint::decode(GeoPoint { latitude: 40.0, longitude: -70.0 }.encode());
        assert_eq!((kept.latitude, kept.longitude), (39.9999999627471, -70.00000001862645));
        let corner = GeoPoint::decode(GeoPoint { latitude: 90.0, longitude: 180.0 }.encode());
        assert!(corner.latitude < 90.0 && corner.longitude < 180.0 && corner.latitude > 89.999_999);
        assert_eq!(GeoPoint { latitude: 91.0, longitude: 0.0 }.normalized(), GeoPoint { latitude: 89.0, longitude: 180.0 });
        assert_eq!(GeoPoint { latitude: 0.0, longitude: 190.0 }.normalized(), GeoPoint { latitude: 0.0, longitude: -170.0 });
    }
}
