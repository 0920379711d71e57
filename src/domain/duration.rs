//! Lengths of time as git-lane(1) writes and reads them: a number and a unit.

const UNITS: [(u64, &str); 6] = [
    (31_557_600, "y"),
    (604_800, "w"),
    (86_400, "d"),
    (3_600, "h"),
    (60, "m"),
    (1, "s"),
];

/// A moment so far away is still one that a calendar has.
const LONGEST: i64 = 1000 * 31_557_600;

/// Reads `3d`, `12h`, `90m` or `2w`; seconds.
pub fn parse(text: &str) -> Result<i64, String> {
    let problem = || format!("'{text}' is not a duration such as 3d, 12h or 2w");
    let digits = text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = text.split_at(digits.ok_or_else(problem)?);
    let known = UNITS.iter().find(|(_, name)| *name == unit && unit != "y");
    let (size, _) = known.ok_or_else(problem)?;
    let seconds = number
        .parse::<u64>()
        .ok()
        .and_then(|n| n.checked_mul(*size));
    let seconds = seconds.ok_or_else(problem)?;
    match i64::try_from(seconds) {
        Ok(seconds) if seconds <= LONGEST => Ok(seconds),
        _ => Err(format!("'{text}' is longer than a thousand years")),
    }
}

/// The largest unit it has one of, or two of where that is a week: `13d`, `3w`.
pub fn in_one_unit(seconds: u64) -> String {
    let enough = |(size, unit): &&(u64, &str)| seconds >= size * if *unit == "w" { 2 } else { 1 };
    let (size, unit) = UNITS.iter().find(enough).unwrap_or(&UNITS[5]);
    format!("{}{unit}", seconds / size)
}

/// The two largest units up to days: `2d 3h`.
pub fn in_two_units(seconds: u64) -> String {
    let mut units = UNITS[2..].iter().skip_while(|(size, _)| seconds < *size);
    let (size, unit) = units.next().unwrap_or(&UNITS[5]);
    let first = format!("{}{unit}", seconds / size);
    match units
        .next()
        .map(|(next, unit)| (seconds % size / next, unit))
    {
        Some((rest, unit)) if rest > 0 => format!("{first} {rest}{unit}"),
        _ => first,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    #[test]
    fn durations_are_a_number_and_a_unit() {
        for (text, seconds) in [
            ("3d", 3 * DAY),
            ("12h", DAY / 2),
            ("90m", 5_400),
            ("0s", 0),
            ("2w", 14 * DAY),
        ] {
            assert_eq!(parse(text), Ok(seconds));
        }
        for text in [
            "",
            "3",
            "d",
            "-3d",
            "3 d",
            "3days",
            "99999999999999999999d",
            "9223372036854775807w",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_is_told_in_units_people_use() {
        for (seconds, told) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (61, "1m 1s"),
            (3_661, "1h 1m"),
            (90_000, "1d 1h"),
            (864_000, "10d"),
        ] {
            assert_eq!(in_two_units(seconds), told);
        }
    }

    #[test]
    fn one_unit_is_the_largest() {
        for (seconds, told) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (86_399, "23h"),
            (13 * 86_400, "13d"),
            (14 * 86_400, "2w"),
            (31_557_600, "1y"),
        ] {
            assert_eq!(in_one_unit(seconds), told);
        }
    }
}
