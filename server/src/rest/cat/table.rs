//! A table as `_cat` shows it: chosen columns, sorted rows, aligned text, or JSON.

use super::super::Call;
use super::super::respond::Answer;
use serde_json::{Map, Value};
use std::cmp::Ordering;
use std::time::Duration;
use tandem_common::pattern::matches;
use tandem_common::units::{format_bytes, format_time};
use tandem_common::{Error, Result};

/// One column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    /// Its name.
    pub(super) name: &'static str,
    /// Other names.
    pub(super) aliases: &'static [&'static str],
    /// What it tells.
    pub(super) doc: &'static str,
    /// Whether it is shown without being asked for.
    pub(super) shown: bool,
    /// Whether its values stand at the right.
    pub(super) right: bool,
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    /// Nothing.
    None,
    /// A text.
    Text(String),
    /// A number.
    Number(i64),
    /// A size in bytes, shown as `bytes` asks.
    Bytes(u64),
    /// A time, shown as `time` asks.
    #[allow(dead_code, reason = "the columns with times are shown as soon as there are figures for them")]
    Time(Duration),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::Text(text.to_owned())
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Cell::None, Into::into)
    }
}

/// The parameters of every table.
pub(super) const TABLE: &[&str] =
    &["v", "h", "s", "help", "bytes", "time", "size", "local", "cluster_manager_timeout", "master_timeout", "ts"];

/// A table.
#[derive(Debug)]
pub(super) struct Table {
    columns: &'static [Column],
    rows: Vec<Vec<Cell>>,
}

/// A column to show: its position and the name under which it was asked for.
type Shown = (usize, String);

impl Table {
    /// A table with a value in each row for each column.
    pub(super) fn new(columns: &'static [Column], rows: Vec<Vec<Cell>>) -> Self {
        assert!(rows.iter().all(|row| row.len() == columns.len()), "every row has a value for each column");
        Self { columns, rows }
    }

    /// The help page of a table: name, aliases, description.
    pub(super) fn help(columns: &[Column]) -> Answer {
        let lines: Vec<[String; 3]> =
            columns.iter().map(|column| [column.name.to_owned(), column.aliases.join(","), column.doc.to_owned()]).collect();
        let width = |part: usize| lines.iter().map(|line| line[part].chars().count()).max().unwrap_or(0);
        let widths = [width(0), width(1), width(2)];
        let mut text = String::new();
        for [name, aliases, doc] in &lines {
            text.push_str(&format!("{name:a$} | {aliases:b$} | {doc:c$}\n", a = widths[0], b = widths[1], c = widths[2]));
        }
        Answer::text(text)
    }

    /// The answer to a request for this table.
    ///
    /// # Errors
    /// An unknown sort key, a parameter that is no boolean.
    pub(super) fn answer(mut self, call: &Call, hidden: &[&str]) -> Result<Answer> {
        self.sort(&call.params.list("s"))?;
        let shown = self.chosen(call.params.text("h"), hidden);
        let format = call.params.text("format").map(str::to_ascii_lowercase);
        let exact = call.accept.as_deref().map(str::trim);
        let as_json = match format.as_deref() {
            Some("json" | "yaml") => true,
            Some(_) => false,
            // A list of types in Accept selects none: the client wants text.
            None => matches!(exact, Some("application/json" | "application/yaml")),
        };
        let unit = Units { bytes: call.params.owned("bytes"), time: call.params.owned("time") };
        if as_json {
            let row = |row: &Vec<Cell>| -> Map<String, Value> {
                shown.iter().map(|(at, name)| (name.clone(), unit.text(&row[*at]).map_or(Value::Null, Value::from))).collect()
            };
            return Answer::ok(&self.rows.iter().map(row).collect::<Vec<_>>());
        }
        let header = call.params.bool("v", false)?;
        Ok(Answer::text(self.text(&shown, &unit, header)))
    }

    fn position(&self, name: &str) -> Option<usize> {
        let named = self.columns.iter().position(|column| column.name == name);
        // Of two columns with the same alias the last one has it.
        named.or_else(|| self.columns.iter().rposition(|column| column.aliases.contains(&name)))
    }

    /// The columns that `h` names, each once under each of its names; unknown names are left out.
    fn chosen(&self, wanted: Option<&str>, hidden: &[&str]) -> Vec<Shown> {
        let Some(wanted) = wanted else {
            let default = |(_, column): &(usize, &Column)| column.shown && !hidden.contains(&column.name);
            return self.columns.iter().enumerate().filter(default).map(|(at, column)| (at, column.name.to_owned())).collect();
        };
        let mut chosen: Vec<Shown> = Vec::new();
        let mut choose = |at: usize, name: &str| {
            if !chosen.iter().any(|(_, known)| known == name) {
                chosen.push((at, name.to_owned()));
            }
        };
        for name in wanted.split(',').map(str::trim) {
            if name.contains('*') {
                let fits = |column: &Column| matches(name, column.name) || column.aliases.iter().any(|alias| matches(name, alias));
                for (at, column) in self.columns.iter().enumerate().filter(|(_, column)| fits(column)) {
                    choose(at, column.name);
                }
            } else if let Some(at) = self.position(name) {
                choose(at, name);
            }
        }
        chosen
    }

    fn sort(&mut self, keys: &[String]) -> Result<()> {
        let mut order = Vec::new();
        for key in keys {
            let (name, descending) = match key.rsplit_once(':') {
                Some((name, direction)) => (name, direction.eq_ignore_ascii_case("desc")),
                None => (key.as_str(), false),
            };
            // OpenSearch answers 500 here; a mistake of the client is none of ours.
            let unknown = || Error::illegal_argument(format!("Unable to sort by unknown sort key `{name}`"));
            let at = self.position(name).ok_or_else(unknown)?;
            order.push((at, descending));
        }
        self.rows.sort_by(|a, b| {
            let by = |(at, descending): &(usize, bool)| {
                let ordering = compare(&a[*at], &b[*at]);
                if *descending { ordering.reverse() } else { ordering }
            };
            order.iter().map(by).find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
        });
        Ok(())
    }

    fn text(&self, shown: &[Shown], unit: &Units, header: bool) -> String {
        let mut lines: Vec<Vec<String>> = Vec::new();
        if header {
            lines.push(shown.iter().map(|(_, name)| name.clone()).collect());
        }
        lines.extend(self.rows.iter().map(|row| shown.iter().map(|(at, _)| unit.text(&row[*at]).unwrap_or_default()).collect()));
        let width = |column: usize| lines.iter().map(|line: &Vec<String>| line[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..shown.len()).map(width).collect();
        let mut text = String::new();
        for (number, line) in lines.iter().enumerate() {
            for (column, value) in line.iter().enumerate() {
                let fill = widths[column] - value.chars().count();
                // A name stands as its values do.
                let right = self.columns[shown[column].0].right;
                let last = column + 1 == line.len();
                if right {
                    text.push_str(&" ".repeat(fill));
                }
                text.push_str(value);
                if !right && !(last && (number == 0 || !value.is_empty())) {
                    text.push_str(&" ".repeat(fill));
                }
                if !last {
                    text.push(' ');
                }
            }
            text.push('\n');
        }
        text
    }
}

fn compare(a: &Cell, b: &Cell) -> Ordering {
    match (a, b) {
        (Cell::None, Cell::None) => Ordering::Equal,
        (Cell::None, _) => Ordering::Less,
        (_, Cell::None) => Ordering::Greater,
        (Cell::Number(a), Cell::Number(b)) => a.cmp(b),
        (Cell::Bytes(a), Cell::Bytes(b)) => a.cmp(b),
        (Cell::Time(a), Cell::Time(b)) => a.cmp(b),
        (a, b) => {
            let unit = Units::default();
            unit.text(a).cmp(&unit.text(b))
        }
    }
}

/// How sizes and times are shown.
#[derive(Debug, Default)]
struct Units {
    bytes: Option<String>,
    time: Option<String>,
}

impl Units {
    fn text(&self, cell: &Cell) -> Option<String> {
        Some(match cell {
            Cell::None => return None,
            Cell::Text(text) => text.clone(),
            Cell::Number(number) => number.to_string(),
            Cell::Bytes(bytes) => {
                let shift = match self.bytes.as_deref() {
                    Some("b") => 0,
                    Some("k" | "kb") => 10,
                    Some("m" | "mb") => 20,
                    Some("g" | "gb") => 30,
                    Some("t" | "tb") => 40,
                    Some("p" | "pb") => 50,
                    _ => return Some(format_bytes(*bytes)),
                };
                (bytes >> shift).to_string()
            }
            Cell::Time(time) => {
                let (nanos, seconds) = (time.as_nanos(), time.as_secs());
                match self.time.as_deref() {
                    Some("nanos") => nanos.to_string(),
                    Some("micros") => (nanos / 1_000).to_string(),
                    Some("ms") => (nanos / 1_000_000).to_string(),
                    Some("s") => seconds.to_string(),
                    Some("m") => (seconds / 60).to_string(),
                    Some("h") => (seconds / 3_600).to_string(),
                    Some("d") => (seconds / 86_400).to_string(),
                    _ => format_time(*time),
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::params::Params;
    use super::*;
    use bytes::Bytes;
    use std::collections::HashMap;
    use tandem_common::{Action, Context, Subject};

    const fn column(name: &'static str, aliases: &'static [&'static str], shown: bool, right: bool) -> Column {
        Column { name, aliases, doc: "doc", shown, right }
    }

    const COLUMNS: &[Column] = &[
        column("health", &["h"], true, false),
        column("index", &["i", "idx"], true, false),
        column("docs.count", &["dc"], true, true),
        column("docs.deleted", &["dd"], false, true),
        column("store.size", &["ss"], true, true),
    ];

    fn call(query: &str, accept: Option<&str>) -> Call {
        Call {
            values: HashMap::new(),
            params: Params::parse(query).unwrap(),
            body: Bytes::new(),
            context: Context::with_timeout(Subject::Everyone, Action("test"), Duration::from_secs(1)),
            accept: accept.map(str::to_owned),
        }
    }

    fn table() -> Table {
        let row = |health: &str, index: &str, docs: i64, size: u64| {
            vec![health.into(), index.into(), Cell::Number(docs), Cell::Number(0), Cell::Bytes(size)]
        };
        Table::new(COLUMNS, vec![row("green", "b", 10, 2048), row("yellow", "a", 9, 208)])
    }

    fn shown(query: &str, accept: Option<&str>) -> String {
        format!("{:?}", table().answer(&call(query, accept), &[]).unwrap())
    }

    #[tokio::test]
    async fn columns_are_padded_and_numbers_stand_right() {
        let text = table();
        let shown = text.chosen(None, &[]);
        assert_eq!(
            text.text(&shown, &Units::default(), true),
            "health index docs.count store.size\ngreen  b             10        2kb\nyellow a              9       208b\n"
        );
        assert_eq!(Table::new(COLUMNS, Vec::new()).text(&shown, &Units::default(), false), "");
        assert_eq!(text.text(&text.chosen(Some("nosuch"), &[]), &Units::default(), true), "\n\n\n");
    }

    #[tokio::test]
    async fn columns_are_chosen_by_name_alias_and_wildcard() {
        let names = |wanted: &str| table().chosen(Some(wanted), &[]).into_iter().map(|(_, name)| name).collect::<Vec<_>>();
        assert_eq!(names("i,h,nosuch,index,i"), ["i", "h", "index"]);
        assert_eq!(names("index,docs*"), ["index", "docs.count", "docs.deleted"]);
        assert_eq!(table().chosen(None, &["health"]).len(), 3);
    }

    #[tokio::test]
    async fn rows_are_sorted_by_value_not_by_text() {
        let sorted = |keys: &[&str]| {
            let mut table = table();
            table.sort(&keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>()).unwrap();
            table.rows[0][1].clone()
        };
        assert_eq!(sorted(&["docs.count"]), "a".into());
        assert_eq!(sorted(&["store.size:desc"]), "b".into());
        assert_eq!(table().sort(&["nosuch".into()]).unwrap_err().to_string(), "Unable to sort by unknown sort key `nosuch`");
    }

    #[tokio::test]
    async fn json_is_given_to_whoever_asks_for_exactly_that() {
        assert!(shown("format=json&h=i,ss", None).contains("Json("));
        assert!(shown("", Some("application/json")).contains("Json("));
        for (query, accept) in
            [("", Some("application/json, text/plain, */*")), ("format=foo", None), ("format=text", Some("application/json"))]
        {
            assert!(shown(query, accept).contains("Text("), "{query} {accept:?}");
        }
        assert!(shown("bytes=b&h=ss", None).contains("2048"));
    }
}
