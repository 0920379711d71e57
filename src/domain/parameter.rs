//! A parameter of an experiment that a lane was started with: `KEY=VALUE`.

use std::fmt;

/// One parameter.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Parameter {
    /// Its name: letters, digits, `_`, `-` and `.`, beginning with a letter or `_`.
    pub key: String,
    /// Its value: any text.
    pub value: String,
}

impl Parameter {
    /// Reads `KEY=VALUE`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (key, value) = text
            .split_once('=')
            .ok_or_else(|| format!("'{text}' is not KEY=VALUE"))?;
        Self::of(key, value)
    }

    /// That key with that value.
    pub fn of(key: &str, value: &str) -> Result<Self, String> {
        let first = key.chars().next();
        let begins = first.is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        if !begins || !key.chars().all(plain) {
            return Err(format!(
                "'{key}' cannot be a parameter's name: it is made of letters, digits, '_', '-' and \
                 '.', and begins with a letter or '_'"
            ));
        }
        if value.contains('\0') {
            return Err(format!("the value of '{key}' has a zero byte in it"));
        }
        Ok(Parameter {
            key: key.into(),
            value: value.into(),
        })
    }

    /// The variable that has it in the environment of a command: `GIT_LANE_SET_LEARNING_RATE`.
    pub fn variable(&self) -> String {
        let upper = self.key.to_ascii_uppercase();
        format!("GIT_LANE_SET_{}", upper.replace(['-', '.'], "_"))
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.key, self.value)
    }
}

/// The parameters, of those given twice the last.
pub fn without_twins(all: Vec<Parameter>) -> Vec<Parameter> {
    let mut kept: Vec<Parameter> = Vec::new();
    for parameter in all {
        kept.retain(|earlier| earlier.key != parameter.key);
        kept.push(parameter);
    }
    kept
}

/// Refuses parameters of different names that would be one variable of the environment.
pub fn ensure_apart(all: &[Parameter]) -> Result<(), String> {
    for (at, one) in all.iter().enumerate() {
        let twin = |other: &&Parameter| other.variable() == one.variable();
        if let Some(other) = all[..at].iter().find(twin) {
            return Err(format!(
                "the parameters '{}' and '{}' would be one variable of the environment, {}",
                other.key,
                one.key,
                one.variable()
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_a_name_and_any_text() {
        for (text, key, value) in [
            ("rate=0.1", "rate", "0.1"),
            ("a-b.c=", "a-b.c", ""),
            ("_x=a=b\n\"c\"", "_x", "a=b\n\"c\""),
        ] {
            let found = Parameter::parse(text).unwrap();
            assert_eq!((&*found.key, &*found.value), (key, value));
            assert_eq!(found.to_string(), text);
        }
        for text in ["", "rate", "=1", "1a=1", "a b=1", "ä=1", "-a=1", "a=\0"] {
            assert!(Parameter::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn it_is_a_variable_too() {
        let parameter = Parameter::parse("learning-rate.max=1").unwrap();
        assert_eq!(parameter.variable(), "GIT_LANE_SET_LEARNING_RATE_MAX");
    }

    #[test]
    fn two_names_are_two_variables() {
        let all = |texts: &[&str]| -> Vec<Parameter> {
            texts
                .iter()
                .map(|text| Parameter::parse(text).unwrap())
                .collect()
        };
        assert_eq!(ensure_apart(&all(&["a=1", "b=1", "ab=1"])), Ok(()));
        for texts in [["a-b=1", "a.b=1"], ["a=1", "A=1"], ["a_b=1", "a-b=1"]] {
            assert!(ensure_apart(&all(&texts)).is_err(), "{texts:?}");
        }
    }

    #[test]
    fn the_last_of_two_counts() {
        let all = ["a=1", "b=2", "a=3"].map(|text| Parameter::parse(text).unwrap());
        let kept: Vec<String> = without_twins(all.to_vec())
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(kept, ["b=2", "a=3"]);
    }
}
