//! The JSON Schema that git-lane prints, held against every document that it prints in this suite.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use git_lane::internals::SCHEMA;
use jsonschema::Validator;
use serde_json::Value;

/// What is called so in the schema.
type Forms = BTreeMap<String, OnceLock<Validator>>;

/// The schema, and the names of the verbs' documents and the others.
fn schema() -> &'static (Value, Forms) {
    static SCHEMA_AND_FORMS: OnceLock<(Value, Forms)> = OnceLock::new();
    SCHEMA_AND_FORMS.get_or_init(|| {
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        let roots = schema["anyOf"].as_array().unwrap().iter();
        let names = roots.map(|root| root["$ref"].as_str().unwrap());
        let names = names.map(|name| name.rsplit('/').next().unwrap());
        let forms = names
            .chain(["event"])
            .map(|name| (name.to_owned(), OnceLock::new()));
        let forms = forms.collect();
        (schema, forms)
    })
}

/// A validator for a part of the schema.
fn compiled(part: &Value) -> Validator {
    let mut whole =
        serde_json::json!({ "$schema": schema().0["$schema"], "$defs": schema().0["$defs"] });
    let fields = part.as_object().unwrap().clone();
    whole.as_object_mut().unwrap().extend(fields);
    jsonschema::validator_for(&whole).unwrap_or_else(|error| panic!("{error}"))
}

/// The validator for what is called so, made once.
#[track_caller]
fn form(name: &str) -> &'static Validator {
    let form = schema().1.get(name);
    let form = form.unwrap_or_else(|| panic!("the schema has no '{name}'"));
    form.get_or_init(|| compiled(&serde_json::json!({ "$ref": format!("#/$defs/{name}") })))
}

/// The verbs that the schema has documents of.
pub fn verbs_with_documents() -> Vec<&'static str> {
    let names = schema().1.keys().map(String::as_str);
    names
        .filter(|name| !["event", "failure"].contains(name))
        .collect()
}

/// The forms of the verbs' documents that none of these has: `trash 1` is the second one of the trash.
pub fn unmet_forms(met: &[(String, Value)]) -> Vec<String> {
    let mut unmet = Vec::new();
    for verb in verbs_with_documents() {
        let all = &schema().0["$defs"][verb];
        let one = std::slice::from_ref(all);
        let forms = all["anyOf"].as_array().map_or(one, Vec::as_slice);
        for (at, part) in forms.iter().enumerate() {
            let form = compiled(part);
            let has = |(of, document): &(String, Value)| of == verb && form.is_valid(document);
            if !met.iter().any(has) {
                unmet.push(format!("{verb} {at}"));
            }
        }
    }
    unmet
}

/// Whether a document is one of that verb's.
pub fn fits(verb: &str, document: &Value) -> bool {
    form(name_of(verb, document)).is_valid(document)
}

/// The verb of a command for git-lane that asks for a document.
fn asked(command: &Command) -> Option<String> {
    let program = Path::new(command.get_program()).file_name()?;
    let mut words = command.get_args();
    let is_asked = match program.to_str()? {
        "git-lane" => true,
        "git" => words.next()? == "lane",
        _ => false,
    };
    verb_of(words).filter(|_| is_asked)
}

/// The verb that words for git-lane ask for a document of.
fn verb_of<'a>(words: impl Iterator<Item = &'a OsStr>) -> Option<String> {
    let words: Vec<&OsStr> = words.take_while(|word| *word != "--").collect();
    let has = |word: &str| words.iter().any(|other| *other == word);
    if !has("--json") || has("--help") || has("-h") || has("--follow") {
        return None;
    }
    let mut verb = words.iter();
    while let Some(word) = verb.next() {
        match word.to_str() {
            Some("-C") => drop(verb.next()),
            Some(option) if option.starts_with('-') => {}
            Some(verb) => return Some(verb.to_owned()),
            None => return None,
        }
    }
    Some("list".to_owned())
}

/// What a git-lane has printed that was asked for a document is one, and as the schema has it. A
/// git-lane that was killed has printed nothing.
#[track_caller]
pub(super) fn ensure_schema(command: &Command, printed: &str) {
    if let Some(verb) = asked(command).filter(|_| !printed.is_empty()) {
        checked_document(&verb, printed);
    }
}

/// What was printed, which must be a document of that verb.
#[track_caller]
pub fn checked_document(verb: &str, printed: &str) -> Value {
    let document = serde_json::from_str(printed);
    let document: Value =
        document.unwrap_or_else(|error| panic!("{verb} prints no document: {error}: {printed}"));
    ensure(name_of(verb, &document), &document);
    document
}

/// A line of `git lane log --follow`, which must be an event.
#[track_caller]
pub fn checked_event(line: &str) -> Value {
    let event = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    ensure("event", &event);
    event
}

/// What its form is called.
fn name_of<'a>(verb: &'a str, document: &Value) -> &'a str {
    let fields = document.as_object().map_or(0, serde_json::Map::len);
    match document.get("error") {
        Some(_) if fields == 2 => "failure",
        _ => verb,
    }
}

#[track_caller]
fn ensure(name: &str, document: &Value) {
    let form = form(name);
    if form.is_valid(document) {
        return;
    }
    let wrong = form.iter_errors(document).map(|error| told(&error, 1));
    panic!(
        "not as the schema has '{name}':\n{}\n{document:#}",
        wrong.collect::<String>()
    );
}

/// What is wrong, and in each of several forms one of which it could have.
fn told(error: &jsonschema::ValidationError<'_>, depth: usize) -> String {
    use jsonschema::error::ValidationErrorKind::{AnyOf, OneOfNotValid};
    let pad = "  ".repeat(depth);
    let place = error.instance_path();
    match error.kind() {
        AnyOf { context } | OneOfNotValid { context } => {
            let forms = context.iter().enumerate().map(|(at, errors)| {
                let errors = errors.iter().map(|error| told(error, depth + 1));
                format!("{pad}form {at}:\n{}", errors.collect::<String>())
            });
            format!(
                "{pad}'{place}' has none of its forms:\n{}",
                forms.collect::<String>()
            )
        }
        _ => format!("{pad}'{place}': {error}\n"),
    }
}
