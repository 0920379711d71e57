//! A command in many lanes, against xargs over their directories.

use crate::race::Race;

/// How many lanes there are.
const LANES: usize = 50;

/// The shortest command there is, in two lanes at a time.
pub fn in_many_lanes(race: &mut Race) {
    let repo = race.fixtures.text_clone_of(20);
    let names: Vec<String> = (0..LANES).map(|number| format!("lane{number}")).collect();
    let mut start = vec!["start"];
    start.extend(names.iter().map(String::as_str));
    race.fixtures.lane(&repo, &start);
    let lanes = repo.parent().unwrap().join("shop.lanes");
    let paths: String = names
        .iter()
        .map(|name| format!("{}\n", lanes.join(name).display()))
        .collect();
    let list = repo.parent().unwrap().join("paths");
    std::fs::write(&list, paths).expect("the list is written");
    race.run(
        &format!("exec -j 2 -- true, {LANES} lanes / xargs -P2"),
        1.3,
        &mut |fixtures, _| {
            let mut command = fixtures.command("git-lane", &repo);
            command.args(["exec", "--all", "-j", "2", "--", "true"]);
            command
        },
        &mut |fixtures, _| {
            let mut command = fixtures.command("xargs", &repo);
            command.arg("-a").arg(&list);
            // A program of its own, as the other side runs one.
            let script = "cd \"$1\" && exec true";
            command.args(["-P2", "-n1", "sh", "-c", script, "sh"]);
            command
        },
    );
}
