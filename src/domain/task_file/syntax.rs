//! The two ways to write a task file, read into the same fields, each with its line.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Problem;

/// What a file says of one lane.
pub(super) struct Entry {
    /// Where it begins, from 1.
    pub(super) line: usize,
    pub(super) fields: Vec<Field>,
}

/// One field of that.
pub(super) struct Field {
    pub(super) key: String,
    pub(super) line: usize,
    pub(super) value: Value,
}

/// A value of either language.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Nothing,
    Text(String),
    /// As a text: it is recorded, not calculated with.
    Number(String),
    Flag(bool),
    List(Vec<Value>),
    /// In the order of the file.
    Table(Vec<(String, Value)>),
    /// A date or a time.
    Moment,
}

impl Value {
    /// What it is, for a sentence.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Value::Nothing => "null",
            Value::Text(_) => "a text",
            Value::Number(_) => "a number",
            Value::Flag(_) => "a flag",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::Moment => "a date or a time",
        }
    }
}

/// The entries of a file, in its order.
pub(super) fn entries(bytes: &[u8]) -> Result<Vec<Entry>, Problem> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = line_of(bytes, error.valid_up_to());
        Problem::at(line, "it is not UTF-8")
    })?;
    match text.trim_start().starts_with('{') {
        true => json_lines(text),
        false if is_json_array(text) => Err(Problem::at(
            1,
            "each lane is a line of its own, not an element of an array",
        )),
        false => tables(text),
    }
}

/// TOML begins no file with a bracket that a name or another bracket does not follow.
fn is_json_array(text: &str) -> bool {
    let rest = text.trim_start().strip_prefix('[').map(str::trim_start);
    rest.is_some_and(|rest| rest.starts_with(['{', ']', '"']) && !rest.starts_with("\"lane"))
}

/// The line, from 1, that the byte at `at` is in.
fn line_of(bytes: &[u8], at: usize) -> usize {
    let before = bytes.iter().take(at);
    1 + before.filter(|byte| **byte == b'\n').count()
}

fn json_lines(text: &str) -> Result<Vec<Entry>, Problem> {
    let numbered = text.split('\n').zip(1..);
    numbered
        .filter(|(text, _)| !text.trim().is_empty())
        .map(|(text, line)| json_line(text, line))
        .collect()
}

fn json_line(text: &str, line: usize) -> Result<Entry, Problem> {
    let value: Value = serde_json::from_str(text).map_err(|error| {
        if error.is_eof() {
            return Problem::at(
                line,
                "a lane is one line: what begins in it does not end there",
            );
        }
        // The line that serde_json counts is the first of the one it was given.
        let said = error.to_string();
        let said = said.split(" at line ").next().unwrap_or(&said);
        Problem::at(
            line,
            format!("it is no JSON: {said}, in column {}", error.column()),
        )
    })?;
    let Value::Table(pairs) = value else {
        let text = format!("it is {}, not an object", value.kind());
        return Err(Problem::at(line, text));
    };
    let field = |(key, value)| Field { key, line, value };
    Ok(Entry {
        line,
        fields: pairs.into_iter().map(field).collect(),
    })
}

fn tables(text: &str) -> Result<Vec<Entry>, Problem> {
    let line = |at: usize| line_of(text.as_bytes(), at);
    let table = DeTable::parse(text).map_err(|error| {
        let said = error.message().lines().next().unwrap_or_default();
        let at = error.span().map_or(0, |span| span.start);
        Problem::at(line(at), format!("it is no TOML: {said}"))
    })?;
    let mut entries = Vec::new();
    for (key, value) in table.get_ref() {
        let at = line(key.span().start);
        let DeValue::Array(lanes) = value.get_ref() else {
            return Err(not_a_lane(key.get_ref(), at));
        };
        if key.get_ref() != "lane" {
            return Err(not_a_lane(key.get_ref(), at));
        }
        for lane in lanes.iter() {
            let at = line(lane.span().start);
            let DeValue::Table(fields) = lane.get_ref() else {
                return Err(Problem::at(at, "each lane is a table: [[lane]]"));
            };
            let field = |(key, value): (&Spanned<_>, &Spanned<_>)| field(key, value, &line);
            entries.push(Entry {
                line: at,
                fields: fields.iter().map(field).collect(),
            });
        }
    }
    // Tables are kept by their keys, not by their places.
    entries.sort_by_key(|entry| entry.line);
    Ok(entries)
}

fn not_a_lane(key: &str, line: usize) -> Problem {
    let text = format!("'{key}' is no table of a task file: each lane is one, [[lane]]");
    Problem::at(line, text)
}

fn field<K: AsRef<str>>(
    key: &Spanned<K>,
    value: &Spanned<DeValue<'_>>,
    line: &impl Fn(usize) -> usize,
) -> Field {
    Field {
        key: key.get_ref().as_ref().to_owned(),
        line: line(key.span().start),
        value: of_toml(value.get_ref()),
    }
}

fn of_toml(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.clone().into_owned()),
        DeValue::Integer(number) => {
            let decimal = i128::from_str_radix(number.as_str(), number.radix());
            Value::Number(decimal.map_or_else(|_| number.as_str().to_owned(), |n| n.to_string()))
        }
        DeValue::Float(number) => Value::Number(number.as_str().to_owned()),
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Datetime(_) => Value::Moment,
        DeValue::Array(values) => Value::List(
            values
                .iter()
                .map(|value| of_toml(value.get_ref()))
                .collect(),
        ),
        DeValue::Table(pairs) => {
            let mut pairs: Vec<_> = pairs.iter().collect();
            pairs.sort_by_key(|(key, _)| key.span().start);
            let pair = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
                let key: &Spanned<std::borrow::Cow<'_, str>> = key;
                (key.get_ref().clone().into_owned(), of_toml(value.get_ref()))
            };
            Value::Table(pairs.into_iter().map(pair).collect())
        }
    }
}

/// As serde_json tells it; of its own values a map would hide a key that is there twice.
impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AsWritten;

        impl<'de> Visitor<'de> for AsWritten {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Nothing)
            }

            fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
                Ok(Value::Flag(flag))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
                Ok(Value::Number(number.to_string()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
                Ok(Value::Number(number.to_string()))
            }

            fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Value, E> {
                // Beyond that the number may not be the one that was written.
                if number.fract() == 0.0 && number.abs() >= 9_007_199_254_740_992.0 {
                    return Err(E::custom("so large a number has to be a text"));
                }
                let written = serde_json::Number::from_f64(number);
                Ok(Value::Number(
                    written.map_or_else(|| number.to_string(), |n| n.to_string()),
                ))
            }

            fn visit_str<E>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Value, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = all.next_element()? {
                    values.push(value);
                }
                Ok(Value::List(values))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut all: A) -> Result<Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = all.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Value::Table(pairs))
            }
        }

        deserializer.deserialize_any(AsWritten)
    }
}
