//! The level that is asked for on the command line or in the environment: what git would read is
//! what counts.

use super::shop::{Refs, Shop};

/// What the environment sets, the options before the command, and the level that git takes from
/// them.
const ROWS: &[(&str, &str, &str)] = &[
    ("", "", "restore"),
    ("", "-c lane.guard=off", "off"),
    ("", "-c LANE.Guard=OFF", "off"),
    ("", "-c lane.guard=off -c lane.guard=warn", "warn"),
    ("", "-c lane.guard=warn -c lane.guard=off", "off"),
    ("LEVEL=warn", "--config-env=lane.guard=LEVEL", "warn"),
    (
        "GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=lane.guard GIT_CONFIG_VALUE_0=off",
        "",
        "off",
    ),
    (
        "GIT_CONFIG_COUNT=' +1' GIT_CONFIG_KEY_0=Lane.GUARD GIT_CONFIG_VALUE_0=off",
        "",
        "off",
    ),
    (
        "GIT_CONFIG_COUNT= GIT_CONFIG_KEY_0=lane.guard GIT_CONFIG_VALUE_0=off",
        "",
        "restore",
    ),
    (
        "GIT_CONFIG_COUNT=0 GIT_CONFIG_KEY_0=lane.guard GIT_CONFIG_VALUE_0=off",
        "",
        "restore",
    ),
    (
        "GIT_CONFIG_COUNT=2 GIT_CONFIG_KEY_0=lane.guard GIT_CONFIG_VALUE_0=off \
         GIT_CONFIG_KEY_1=lane.guard GIT_CONFIG_VALUE_1=warn",
        "",
        "warn",
    ),
    (
        "GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=lane.guard GIT_CONFIG_VALUE_0=off",
        "-c lane.guard=restore",
        "restore",
    ),
    (
        "GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=lane.guard GIT_CONFIG_VALUE_0=restore",
        "-c lane.guard=off",
        "off",
    ),
    (
        "GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=lane.guard GIT_CONFIG_VALUE_0=warn",
        "-c lane.guard=off",
        "off",
    ),
    (
        "GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=lane.guard GIT_CONFIG_VALUE_0=off",
        "-c lane.home=x",
        "off",
    ),
    (
        "GIT_CONFIG_PARAMETERS=\"'lane.guard'='off'\"",
        "-c lane.guard=restore",
        "restore",
    ),
    ("GIT_CONFIG_PARAMETERS=\"'lane.guard=off'\"", "", "off"),
];

#[test]
fn it_is_the_one_that_git_reads() {
    for (environment, options, level) in ROWS {
        let shop = Shop::new("restore", Refs::Files);
        let git = format!("{environment} git {options}");
        assert_eq!(
            shop.sh(&shop.one, &format!("{git} config lane.guard"))
                .ok()
                .trim()
                .to_lowercase(),
            *level,
            "{git}"
        );
        let run = shop.sh(&shop.one, &format!("{git} switch -q other"));
        let found = match (run.code, run.stderr.as_str()) {
            (0, "") => "off",
            (0, _) => "warn",
            _ => "restore",
        };
        assert_eq!(found, *level, "{git} {run}");
        let on = shop.sandbox.git_in(&shop.one, ["branch", "--show-current"]);
        assert_eq!(
            on,
            if *level == "restore" { "one" } else { "other" },
            "{git}"
        );
    }
}
