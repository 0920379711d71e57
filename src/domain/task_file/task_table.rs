//! What a task file may say, and how each mistake in one is told.

use super::*;

fn told(text: &[u8]) -> (usize, String) {
    let problem = parse(text).expect_err("it has a mistake");
    (problem.line.unwrap_or(0), problem.text)
}

#[test]
fn both_languages_say_the_same() {
    let json = br#"
{"name": "a", "task": "T-1", "owner": "ann", "base": "main", "branch": "x/a", "sparse": ["s", "t"], "claim": true, "set": {"rate": 0.5, "seed": 7, "big": true, "text": "a=b"}}

{"name": "b", "readOnly": true, "path": "../b", "task": null}
"#;
    let toml = br#"# two lanes
[[lane]]
name = "a"
task = "T-1"
owner = "ann"
base = "main"
branch = "x/a"
sparse = ["s", "t"]
claim = true
set = { rate = 0.5, seed = 7, big = true, text = "a=b" }

[[lane]]
name = "b"
read-only = true
path = "../b"
"#;
    let [json, toml] = [&json[..], toml].map(|text| parse(text).unwrap());
    let lines = |tasks: &[Task]| tasks.iter().map(|task| task.line).collect::<Vec<_>>();
    assert_eq!((lines(&json), lines(&toml)), (vec![2, 4], vec![2, 12]));
    let unplaced = |tasks: Vec<Task>| {
        let unplaced = |task| Task { line: 0, ..task };
        tasks.into_iter().map(unplaced).collect::<Vec<_>>()
    };
    let (json, toml) = (unplaced(json), unplaced(toml));
    assert_eq!(json, toml);
    let set: Vec<_> = json[0].parameters.iter().map(ToString::to_string).collect();
    assert_eq!(set, ["rate=0.5", "seed=7", "big=true", "text=a=b"]);
    assert_eq!((json[0].claim, json[1].claim), (Some(true), None));
    assert_eq!(json[1].read_only, Some(true));
}

#[test]
fn what_stands_around_is_no_mistake() {
    for text in [
        &b"\xef\xbb\xbf{\"name\":\"a\"}"[..],
        b"\r\n{\"name\":\"a\"}\r\n\r\n",
        b"  {\"name\":\"a\"}",
        b"[[lane]]\r\nname = \"a\"\r\n",
        b"lane = [{ name = \"a\" }]",
    ] {
        let tasks = parse(text).unwrap();
        assert_eq!(tasks[0].name.as_str(), "a", "{}", text.escape_ascii());
    }
    let hexadecimal = parse(b"[[lane]]\nname = \"a\"\nset.n = 0x1F").unwrap();
    assert_eq!(hexadecimal[0].parameters[0].to_string(), "n=31");
}

#[test]
fn every_mistake_is_told_with_its_line() {
    for (text, line, part) in [
        (&b""[..], 0, "names no lane"),
        (b" \n\n", 0, "names no lane"),
        (b"{\"name\":\"a\"}\n{\"name\":", 2, "a lane is one line"),
        (b"{\"name\":\"a\"} {\"name\":\"b\"}", 1, "no JSON"),
        (b"{\"name\":\"a\"}\nname = 1", 2, "no JSON"),
        (b"{\n\"name\":\"a\"}", 1, "a lane is one line"),
        (b" [{\"name\":\"a\"}]", 1, "not an element of an array"),
        (
            b"{\"name\":\"a\",\"set\":{\"n\":99999999999999999999}}",
            1,
            "has to be a text",
        ),
        (b"{\"name\":\"a\"}\n[]", 2, "a list, not an object"),
        (
            b"{\"name\":\"a\"}\n\n{\"task\":\"x\"}",
            3,
            "'name' is missing",
        ),
        (b"{\"name\":null}", 1, "'name' is missing"),
        (
            b"{\"name\":\"-a\"}",
            1,
            "'-a' cannot be a lane's name: it starts with '-'",
        ),
        (
            b"{\"name\":\"a\"}\n{\"name\":\"a\"}",
            2,
            "lane 'a' is in line 1 already",
        ),
        (
            b"{\"name\":\"a\",\"name\":\"b\"}",
            1,
            "'name' is there twice",
        ),
        (
            b"{\"name\":\"a\",\"readOnly\":true,\"read-only\":true}",
            1,
            "'readOnly' is there twice",
        ),
        (b"{\"name\":\"a\",\"onwer\":\"x\"}", 1, "'owner' is one"),
        (
            b"{\"name\":\"a\",\"Frequency\":\"x\"}",
            1,
            "'Frequency' is no key of a task",
        ),
        (b"{\"name\":1}", 1, "'name' is a number, not a text"),
        (
            b"{\"name\":\"a\",\"claim\":\"yes\"}",
            1,
            "'claim' is a text, not true or false",
        ),
        (
            b"{\"name\":\"a\",\"sparse\":\"s\"}",
            1,
            "'sparse' is a text, not a list of texts",
        ),
        (
            b"{\"name\":\"a\",\"sparse\":[1]}",
            1,
            "not a list of texts alone",
        ),
        (
            b"{\"name\":\"a\",\"set\":[]}",
            1,
            "'set' is a list, not a table",
        ),
        (
            b"{\"name\":\"a\",\"set\":{\"k\":[]}}",
            1,
            "'set.k' is a list",
        ),
        (
            b"{\"name\":\"a\",\"set\":{\"k\":null}}",
            1,
            "'set.k' is null",
        ),
        (
            b"{\"name\":\"a\",\"set\":{\"1k\":1}}",
            1,
            "'1k' cannot be a parameter's name",
        ),
        (
            b"{\"name\":\"a\",\"task\":\"\\u0000\"}",
            1,
            "'task' has a zero byte",
        ),
        (
            b"{\"name\":\"a\",\"branch\":\"b\",\"readOnly\":true}",
            1,
            "'branch' and 'readOnly' exclude each other",
        ),
        (b"{\"name\":\"a\"}\n{\"name\":\"\xff\"}", 2, "not UTF-8"),
        (b"[[lane]]\nname = \"a\"\n[[lane]]\nname = a", 4, "no TOML"),
        (b"[[lane]]\nname = \"a\"\nname = \"b\"", 3, "no TOML"),
        (
            b"[[lane]]\nname = \"a\"\n\n[[lanes]]\nname = \"b\"",
            4,
            "'lanes' is no table",
        ),
        (b"name = \"a\"", 1, "'name' is no table"),
        (b"[lane]\nname = \"a\"", 1, "'lane' is no table"),
        (b"lane = [1]", 1, "each lane is a table"),
        (
            b"[[lane]]\nname = \"a\"\ntask = 7",
            3,
            "'task' is a number, not a text",
        ),
        (
            b"[[lane]]\nname = \"a\"\ntask = 2026-01-01",
            3,
            "'task' is a date or a time",
        ),
        (b"[[lane]]\nname = \"a\"\nclam = true", 3, "'claim' is one"),
        (b"[[lane]]\ntask = \"x\"", 1, "'name' is missing"),
        (b"- name: a\n", 1, "no TOML"),
    ] {
        let (found, said) = told(text);
        let shown = text.escape_ascii();
        assert_eq!(found, line, "{shown}: {said}");
        assert!(said.contains(part), "{shown}: {said}");
    }
    let deep = [
        b"{\"name\":\"a\",\"set\":".as_slice(),
        &b"[".repeat(100_000),
    ]
    .concat();
    assert_eq!(told(&deep).0, 1);
}
