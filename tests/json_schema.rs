//! The JSON Schema is that of this program and its manual. Documents are held against it wherever a
//! test has git-lane print one (`support/documents`).

use std::collections::BTreeSet;

use clap::CommandFactory;
use git_lane::JSON_VERSION;
use git_lane::cli::Cli;
use git_lane::internals::{Code, SCHEMA};
use serde_json::{Value, json};

use crate::json_documents::manual;
use crate::support::{Sandbox, verbs_with_documents};

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

#[test]
fn it_is_the_one_of_this_program() {
    let schema = schema();
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
    assert_eq!(schema["$defs"]["version"], json!({ "const": JSON_VERSION }));
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(schema["$defs"]["errorCode"], json!({ "enum": codes }));
    let cli = Cli::command();
    let verbs = cli.get_subcommands().filter(|verb| !verb.is_hide_set());
    let verbs: BTreeSet<&str> = verbs.map(clap::Command::get_name).collect();
    assert_eq!(verbs, verbs_with_documents().into_iter().collect());
}

#[test]
fn the_program_prints_it() {
    let sandbox = Sandbox::empty();
    assert_eq!(sandbox.lane(["man", "--schema"]).ok(), SCHEMA);
    let document = sandbox.lane(["man", "--schema", "--json"]).json();
    assert_eq!(document["schema"], schema());
}

/// The names of all fields in a part of the schema.
fn fields(part: &Value, found: &mut BTreeSet<String>) {
    match part {
        Value::Object(object) => {
            if let Some(Value::Object(own)) = object.get("properties") {
                found.extend(own.keys().cloned());
            }
            object.values().for_each(|value| fields(value, found));
        }
        Value::Array(array) => array.iter().for_each(|value| fields(value, found)),
        _ => {}
    }
}

#[test]
fn the_manual_has_every_field() {
    let mut all = BTreeSet::new();
    fields(&schema(), &mut all);
    let words: BTreeSet<String> = manual().into_iter().flat_map(|(_, words)| words).collect();
    let missing: Vec<&String> = all.difference(&words).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Parts that nothing refers to say nothing.
#[test]
fn every_part_is_used() {
    let schema = schema();
    for name in schema["$defs"]
        .as_object()
        .unwrap()
        .keys()
        .filter(|name| *name != "event")
    {
        let refers = format!("\"#/$defs/{name}\"");
        assert!(SCHEMA.contains(&refers), "{name}");
    }
}
