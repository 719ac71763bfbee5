//! `geo_distance`, `geo_bounding_box` and `geo_polygon`: places near a point, in a box, within an outline.

use super::field::FieldTarget;
use super::{Built, Common, Kind, Query, QueryContext, constant, flag, nothing, number, parsing_at, text, unsupported};
use serde_json::{Value, json};
use tandem_common::json::{Node, NodeValue, java_double};
use tandem_common::mapping::FieldType;
use tandem_common::mapping::field_types::{GeoPoint, number_of_query};
use tandem_common::{Error, Result};
use tantivy::SegmentReader;
use tantivy::columnar::Column;
use tantivy::query::doc_predicate_query::{DocPredicateQuery, FunctionPredicate};

/// The mean radius of the earth, in meters.
const EARTH_RADIUS: f64 = 6_371_008.771_4;

/// The units of length, with what they are in meters; those that end like others come first.
const UNITS: [(&str, f64); 19] = [
    ("inch", 0.0254),
    ("in", 0.0254),
    ("yards", 0.9144),
    ("yd", 0.9144),
    ("feet", 0.3048),
    ("ft", 0.3048),
    ("nauticalmiles", 1852.0),
    ("nmi", 1852.0),
    ("NM", 1852.0),
    ("kilometers", 1000.0),
    ("km", 1000.0),
    ("millimeters", 0.001),
    ("mm", 0.001),
    ("centimeters", 0.01),
    ("cm", 0.01),
    ("miles", 1609.344),
    ("mi", 1609.344),
    ("meters", 1.0),
    ("m", 1.0),
];

#[derive(Clone, Debug)]
pub(super) struct GeoQuery {
    pub(super) name: &'static str,
    pub(super) field: String,
    pub(super) shape: Shape,
    pub(super) validation: Validation,
    pub(super) ignore_unmapped: bool,
}

/// Where places are looked for.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// Around a point, by meters.
    Circle { center: GeoPoint, meters: f64 },
    /// Between two parallels and two meridians; a left beyond the right reaches around the date line.
    Box { top: f64, left: f64, bottom: f64, right: f64 },
    /// Within straight lines from point to point.
    Outline(Vec<GeoPoint>),
}

/// What becomes of points that are not on earth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Validation {
    Strict,
    /// They come around it.
    Coerce,
    IgnoreMalformed,
}

/// What all three queries take beside their field.
struct Options {
    common: Common,
    field: Option<String>,
    validation: Validation,
    ignore_unmapped: bool,
}

impl Options {
    fn new() -> Self {
        Options { common: Common::new(), field: None, validation: Validation::Strict, ignore_unmapped: false }
    }

    /// Whether the key was one of them.
    fn take(&mut self, key: &str, value: &Node<'_>) -> Result<bool> {
        match key {
            "validation_method" => {
                self.validation = match text(value)?.to_uppercase().as_str() {
                    "STRICT" => Validation::Strict,
                    "COERCE" => Validation::Coerce,
                    "IGNORE_MALFORMED" => Validation::IgnoreMalformed,
                    other => return Err(Error::illegal_argument(format!("operator [{other}] is not supported"))),
                }
            }
            "ignore_unmapped" => self.ignore_unmapped = flag(value)?,
            _ => return self.common.take(key, value),
        }
        Ok(true)
    }

    fn set_field(&mut self, query: &str, key: &str, value: &Node<'_>) -> Result<()> {
        if self.field.as_deref().is_some_and(|field| field != key) {
            return Err(parsing_at(value.place, format!("failed to parse [{query}] query. unexpected field [{key}]")));
        }
        self.field = Some(key.to_owned());
        Ok(())
    }

    fn query(self, name: &'static str, shape: Shape) -> Result<Query> {
        let field = self.field.filter(|field| !field.is_empty());
        let field = field.ok_or_else(|| Error::illegal_argument("fieldName must not be null or empty"))?;
        let query = GeoQuery { name, field, shape, validation: self.validation, ignore_unmapped: self.ignore_unmapped };
        self.common.query(Kind::Geo(query))
    }
}

pub(super) fn parse(name: &str, body: &Node<'_>) -> Result<Query> {
    match name {
        "geo_distance" => parse_distance(body),
        "geo_bounding_box" => parse_box(body),
        _ => parse_polygon(body),
    }
}

fn point(value: &Node<'_>) -> Result<GeoPoint> {
    GeoPoint::read(&value.to_value()?, true)
}

/// A length with its unit, in meters.
fn meters(text: &str, unit: f64) -> Result<f64> {
    let found = UNITS.iter().find_map(|(name, size)| text.strip_suffix(name).map(|digits| (digits.trim(), *size)));
    let (digits, unit) = found.unwrap_or((text.trim(), unit));
    Ok(number_of_query(digits)? * unit)
}

fn parse_distance(body: &Node<'_>) -> Result<Query> {
    let mut options = Options::new();
    let (mut distance, mut unit) = (None, 1.0);
    let mut center = GeoPoint { latitude: f64::NAN, longitude: f64::NAN };
    for field in body.fields() {
        let (key, value) = field?;
        match key {
            "distance" => distance = Some(text(value)?),
            "unit" => {
                let name = text(value)?;
                let found = UNITS.iter().find(|(known, _)| *known == name);
                unit = found.ok_or_else(|| Error::illegal_argument(format!("No distance unit match [{name}]")))?.1;
            }
            "distance_type" => {
                let name = text(value)?;
                if !["plane", "arc"].contains(&name.to_lowercase().as_str()) {
                    return Err(Error::illegal_argument(format!("No geo distance for [{name}]")));
                }
            }
            _ if options.take(key, value)? => {}
            _ => match (&value.value, key.rsplit_once('.')) {
                (_, Some((field, "lat"))) => {
                    options.set_field("geo_distance", field, value)?;
                    center.latitude = number(value)?;
                }
                (_, Some((field, "lon"))) => {
                    options.set_field("geo_distance", field, value)?;
                    center.longitude = number(value)?;
                }
                (NodeValue::Object(_), _) => {
                    center = point(value).map_err(|_| unsupported("geo_distance", key, value))?;
                    options.set_field("geo_distance", key, value)?;
                }
                _ => {
                    options.set_field("geo_distance", key, value)?;
                    // A number alone is read as what its text says.
                    let value = if value.is_array() { value.to_value()? } else { Value::from(text(value)?) };
                    center = GeoPoint::read(&value, true)?;
                }
            },
        }
    }
    let distance = distance.ok_or_else(|| parsing_at(body.close, "geo_distance requires 'distance' to be specified"))?;
    let meters = meters(&distance, unit)?;
    if meters.is_nan() || meters <= 0.0 {
        return Err(Error::illegal_argument("distance must be greater than zero"));
    }
    options.query("geo_distance", Shape::Circle { center, meters })
}

fn parse_box(body: &Node<'_>) -> Result<Query> {
    let mut options = Options::new();
    let [mut top, mut left, mut bottom, mut right] = [f64::NAN; 4];
    for field in body.fields() {
        let (key, value) = field?;
        if value.is_object() {
            options.set_field("geo_bounding_box", key, value)?;
            for side in value.fields() {
                let (side, value) = side?;
                match side {
                    "top" => top = number(value)?,
                    "left" => left = number(value)?,
                    "bottom" => bottom = number(value)?,
                    "right" => right = number(value)?,
                    "top_left" | "topLeft" => (top, left) = degrees(point(value)?),
                    "bottom_right" | "bottomRight" => (bottom, right) = degrees(point(value)?),
                    "top_right" | "topRight" => (top, right) = degrees(point(value)?),
                    "bottom_left" | "bottomLeft" => (bottom, left) = degrees(point(value)?),
                    "wkt" => [left, right, top, bottom] = wkt_box(&text(value)?)?,
                    other => {
                        let reason =
                            format!("failed to parse [geo_bounding_box] query. [failed to parse bounding box. unexpected field [{other}]]");
                        return Err(Error::parse(reason));
                    }
                }
            }
        } else if key != "type" && !options.take(key, value)? {
            return Err(parsing_at(value.place, format!("failed to parse [geo_bounding_box] query. unexpected field [{key}]")));
        }
    }
    let refuse = |reason: String| Err(Error::illegal_argument(reason));
    for (name, value) in [("top latitude", top), ("bottom latitude", bottom), ("left longitude", left), ("right longitude", right)] {
        if !value.is_finite() {
            return refuse(format!("{name} is invalid: {}", java_double(value)));
        }
    }
    if top < bottom {
        return refuse(format!("top is below bottom corner: {} vs. {}", java_double(top), java_double(bottom)));
    }
    if top == bottom {
        return refuse(format!("top cannot be the same as bottom: {} == {}", java_double(top), java_double(bottom)));
    }
    if left == right {
        return refuse(format!("left cannot be the same as right: {} == {}", java_double(left), java_double(right)));
    }
    options.query("geo_bounding_box", Shape::Box { top, left, bottom, right })
}

fn degrees(point: GeoPoint) -> (f64, f64) {
    (point.latitude, point.longitude)
}

/// `BBOX (left, right, top, bottom)`
fn wkt_box(text: &str) -> Result<[f64; 4]> {
    let malformed = || Error::parse("failed to parse WKT bounding box");
    let inner = text.trim().strip_prefix("BBOX").or_else(|| text.trim().strip_prefix("ENVELOPE"));
    let inner = inner.and_then(|rest| rest.trim().strip_prefix('(')?.strip_suffix(')')).ok_or_else(malformed)?;
    let sides: Vec<f64> = inner.split(',').map(|side| number_of_query(side.trim())).collect::<Result<_>>()?;
    sides.try_into().map_err(|_| malformed())
}

fn parse_polygon(body: &Node<'_>) -> Result<Query> {
    let mut options = Options::new();
    let mut points = Vec::new();
    for field in body.fields() {
        let (key, value) = field?;
        if value.is_object() {
            options.set_field("geo_polygon", key, value)?;
            for entry in value.fields() {
                let (key, value) = entry?;
                if key != "points" {
                    return Err(unsupported("geo_polygon", key, value));
                }
                for item in value.items() {
                    points.push(point(item?)?);
                }
            }
        } else if !options.take(key, value)? {
            return Err(unsupported("geo_polygon", key, value));
        }
    }
    if points.is_empty() {
        return Err(Error::illegal_argument("polygon must not be null or empty"));
    }
    // An outline ends where it begins.
    let minimum = if points.first() == points.last() { 4 } else { 3 };
    if points.len() < minimum {
        return Err(Error::illegal_argument("too few points defined for geo_polygon query"));
    }
    options.query("geo_polygon", Shape::Outline(points))
}

impl GeoQuery {
    pub(super) fn build(&self, context: &QueryContext<'_>) -> Result<Built> {
        let (field, name) = (&self.field, self.name);
        let leaf = match FieldTarget::find(context, field) {
            FieldTarget::Leaf(_, leaf) => leaf,
            _ if self.ignore_unmapped => return Ok(nothing()),
            _ => return Err(context.query_shard(format!("failed to find geo field [{field}]"), None)),
        };
        if leaf.field_type != FieldType::GeoPoint {
            let type_name = leaf.field_type.name();
            let reason = format!(
                "type [{type_name}] for field [{field}] is not supported for [{name}] queries. Must be one of [geo_point] or [geo_shape]"
            );
            return Err(context.query_shard(reason, None));
        }
        let shape = self.valid_shape(context)?;
        let path = leaf.path.to_string();
        let predicate = move |segment: &SegmentReader| {
            let column: Option<Column<u64>> = segment.fast_fields().column_opt(&path)?;
            let shape = shape.clone();
            Ok(move |doc: u32| {
                column.as_ref().is_some_and(|column| column.values_for_doc(doc).any(|bits| shape.holds(GeoPoint::decode(bits))))
            })
        };
        Ok(constant(Box::new(DocPredicateQuery::from(FunctionPredicate::from(predicate)))))
    }

    fn valid_shape(&self, context: &QueryContext<'_>) -> Result<Shape> {
        let is_wrong = |value: f64, limit: f64| !(-limit..=limit).contains(&value);
        let mut wrong = Vec::new();
        let mut check = |what: &str, value: f64, limit: f64| {
            if is_wrong(value, limit) {
                wrong.push(format!("[{}] {what} is invalid: {}", self.name, java_double(value)));
            }
        };
        match &self.shape {
            Shape::Circle { center, .. } => {
                check("center point latitude", center.latitude, 90.0);
                check("center point longitude", center.longitude, 180.0);
            }
            Shape::Box { top, left, bottom, right } => {
                check("top latitude", *top, 90.0);
                check("left longitude", *left, 180.0);
                check("bottom latitude", *bottom, 90.0);
                check("right longitude", *right, 180.0);
            }
            Shape::Outline(points) => points.iter().for_each(|point| {
                check("latitude", point.latitude, 90.0);
                check("longitude", point.longitude, 180.0);
            }),
        }
        match (wrong.is_empty(), self.validation, &self.shape) {
            (true, ..) => Ok(self.shape.clone()),
            (false, Validation::Coerce, Shape::Circle { center, meters }) => {
                Ok(Shape::Circle { center: center.normalized(), meters: *meters })
            }
            (false, Validation::Coerce, Shape::Box { top, left, bottom, right }) => {
                let upper = GeoPoint { latitude: *top, longitude: *left }.normalized();
                let lower = GeoPoint { latitude: *bottom, longitude: *right }.normalized();
                Ok(Shape::Box { top: upper.latitude, left: upper.longitude, bottom: lower.latitude, right: lower.longitude })
            }
            (false, Validation::Coerce, Shape::Outline(points)) => {
                Ok(Shape::Outline(points.iter().map(|point| point.normalized()).collect()))
            }
            _ => {
                let cause = Error::Validation { reasons: wrong };
                Err(context.query_shard("couldn't validate latitude/ longitude values".to_owned(), Some(Box::new(cause))))
            }
        }
    }

    /// What [`parse`] reads as this.
    pub(super) fn to_json(&self) -> Value {
        let pair = |point: &GeoPoint| json!([point.longitude, point.latitude]);
        match &self.shape {
            Shape::Circle { center, meters } => json!({
                self.field.as_str(): pair(center), "distance": meters, "distance_type": "arc",
                "validation_method": "STRICT", "ignore_unmapped": self.ignore_unmapped,
            }),
            Shape::Box { top, left, bottom, right } => json!({
                self.field.as_str(): {"top_left": [left, top], "bottom_right": [right, bottom]},
                "validation_method": "STRICT", "type": "MEMORY", "ignore_unmapped": self.ignore_unmapped,
            }),
            Shape::Outline(points) => json!({
                self.field.as_str(): {"points": points.iter().map(pair).collect::<Vec<_>>()},
                "validation_method": "STRICT", "ignore_unmapped": self.ignore_unmapped,
            }),
        }
    }
}

impl Shape {
    fn holds(&self, place: GeoPoint) -> bool {
        match self {
            Shape::Circle { center, meters } => distance(*center, place) <= *meters,
            Shape::Box { top, left, bottom, right } => {
                let between = if left <= right {
                    (*left..=*right).contains(&place.longitude)
                } else {
                    place.longitude >= *left || place.longitude <= *right
                };
                between && (*bottom..=*top).contains(&place.latitude)
            }
            Shape::Outline(points) => is_within(points, place),
        }
    }
}

/// The distance of two places over the earth, in meters.
fn distance(a: GeoPoint, b: GeoPoint) -> f64 {
    let half = |from: f64, to: f64| ((to - from).to_radians() / 2.0).sin().powi(2);
    let latitudes = a.latitude.to_radians().cos() * b.latitude.to_radians().cos();
    let h = half(a.latitude, b.latitude) + latitudes * half(a.longitude, b.longitude);
    2.0 * EARTH_RADIUS * h.sqrt().min(1.0).asin()
}

/// Whether an odd number of lines of the outline lies to one side of a place.
fn is_within(points: &[GeoPoint], place: GeoPoint) -> bool {
    let mut inside = false;
    let next = points.iter().cycle().skip(1);
    for (a, b) in points.iter().zip(next) {
        if (a.latitude > place.latitude) != (b.latitude > place.latitude) {
            let share = (place.latitude - a.latitude) / (b.latitude - a.latitude);
            inside ^= place.longitude < a.longitude + share * (b.longitude - a.longitude);
        }
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(latitude: f64, longitude: f64) -> GeoPoint {
        GeoPoint { latitude, longitude }
    }

    #[test]
    fn distances_go_over_the_earth() {
        assert!((distance(at(0.0, 0.0), at(1.0, 2.0)) - 248_629.652_7).abs() < 0.1);
        assert!((distance(at(0.0, 179.9), at(0.0, -179.9)) - 22_239.0).abs() < 1.0);
        assert!((distance(at(89.9, 0.0), at(90.0, 100.0)) - 11_119.5).abs() < 1.0);
    }

    #[test]
    fn lengths_have_units() {
        for (text, unit, expected) in [("1km", 1.0, 1000.0), ("100mi", 1.0, 160_934.4), ("5", 1000.0, 5000.0), ("2 NM", 1.0, 3704.0)] {
            assert!((meters(text, unit).unwrap() - expected).abs() < 1e-9, "{text}");
        }
        assert_eq!(meters("abc", 1.0).unwrap_err().to_string(), "For input string: \"abc\"");
    }

    #[test]
    fn boxes_reach_around_the_date_line_and_outlines_close() {
        let date_line = Shape::Box { top: 1.0, left: 179.0, bottom: -1.0, right: -179.0 };
        assert!(date_line.holds(at(0.0, 179.9)) && date_line.holds(at(0.0, -179.9)) && !date_line.holds(at(0.0, 0.0)));
        let square = Shape::Outline(vec![at(0.0, 0.0), at(0.0, 5.0), at(5.0, 5.0), at(5.0, 0.0)]);
        assert!(square.holds(at(1.0, 2.0)) && square.holds(at(4.9, 4.9)) && !square.holds(at(6.0, 1.0)) && !square.holds(at(1.0, 5.5)));
    }
}
