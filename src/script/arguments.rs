//! Arguments of a call: given by position, by name or both, checked before anything is written.

use std::fmt;

use serde_json::{Map, Value};

use super::error::{Error, Fault, Result, nearest};
use super::function::{Function, Param, ParamType, kebab};
use crate::query::Quantity;

/// Checked arguments, one for each parameter of the function.
#[derive(Debug, Clone, PartialEq)]
pub struct Arguments {
    names: Vec<String>,
    values: Vec<Option<Value>>,
    /// Which of them were given, and are not the default.
    given: Vec<bool>,
}

impl Arguments {
    /// Pairs what was given with the parameters of `function` and converts text to their types.
    ///
    /// Positional arguments come first; names are accepted with dashes or underscores.
    ///
    /// # Errors
    ///
    /// Names the parameter and the accepted form: an unknown name, a parameter given twice, a
    /// required one missing, too many arguments, or a value of the wrong type or range.
    pub fn resolve(
        function: &Function,
        positional: Vec<Value>,
        named: Map<String, Value>,
    ) -> Result<Self> {
        let params = &function.params;
        let by_place = params.iter().take_while(|param| !param.named).count();
        if positional.len() > by_place {
            return Err(Error::new(Fault::TooManyArguments {
                function: function.name.clone(),
                expected: by_place,
                found: positional.len(),
            })
            .hint(format!("usage      {}", function.usage())));
        }
        let mut values: Vec<Option<Value>> = vec![None; params.len()];
        let form = function
            .forms
            .iter()
            .find(|form| form.len() == positional.len());
        for (position, given) in positional.into_iter().enumerate() {
            let index = form.map_or(position, |form| form[position]);
            values[index] = Some(convert(function, &params[index], given)?);
        }
        for (key, argument) in named {
            let wanted = kebab(&key);
            let index = params
                .iter()
                .position(|param| param.name == wanted || param.aliases.contains(&wanted))
                .ok_or_else(|| unknown(function, &wanted))?;
            if values[index].is_some() {
                return Err(Error::new(Fault::RepeatedParameter {
                    function: function.name.clone(),
                    parameter: params[index].name.clone(),
                }));
            }
            values[index] = Some(convert(function, &params[index], argument)?);
        }
        let given = params.iter().zip(&values);
        let given = given.map(|(param, value)| value.is_some() && *value != param.default);
        let given = given.collect();
        for (param, value) in params.iter().zip(&mut values) {
            if value.is_none() {
                if param.required {
                    return Err(missing(function, param));
                }
                value.clone_from(&param.default);
            }
        }
        Ok(Self {
            names: params.iter().map(|param| param.name.clone()).collect(),
            values,
            given,
        })
    }

    /// The values in the order of the parameters; `None` where nothing was given.
    pub fn values(&self) -> &[Option<Value>] {
        &self.values
    }

    /// What was given or is the default, by name: what a revision's record keeps.
    pub fn to_json(&self) -> Map<String, Value> {
        let pairs = self.names.iter().zip(&self.values);
        pairs
            .filter_map(|(name, value)| Some((name.clone(), value.clone()?)))
            .collect()
    }
}

/// As a command line writes it: `--pool "payments" --replicas 3`. Defaults go without saying.
impl fmt::Display for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for ((name, value), given) in self.names.iter().zip(&self.values).zip(&self.given) {
            let (Some(value), true) = (value, given) else {
                continue;
            };
            let gap = if first { "" } else { " " };
            write!(f, "{gap}--{name} {value}")?;
            first = false;
        }
        Ok(())
    }
}

fn unknown(function: &Function, parameter: &str) -> Error {
    let names = || function.params.iter().map(|param| param.name.as_str());
    let known: Vec<&str> = names().collect();
    let error = Error::new(Fault::UnknownParameter {
        function: function.name.clone(),
        parameter: parameter.to_owned(),
    });
    let error = if known.is_empty() {
        error.hint("it takes no parameters")
    } else {
        error.hint(format!("parameters {}", known.join(", ")))
    };
    error.nearest(nearest(parameter, names()))
}

fn missing(function: &Function, param: &Param) -> Error {
    let about = if param.about.is_empty() {
        String::new()
    } else {
        format!(" ({})", param.about)
    };
    Error::new(Fault::MissingParameter {
        function: function.name.clone(),
        parameter: param.name.clone(),
        expected: format!("{}{about}", param.accepted()),
    })
    .hint(format!("usage      {}", function.usage()))
}

fn convert(function: &Function, param: &Param, given: Value) -> Result<Value> {
    let found = given.to_string();
    let refused = || {
        Error::new(Fault::Argument {
            function: function.name.clone(),
            parameter: param.name.clone(),
            expected: param.accepted(),
            found: shortened(&found),
        })
    };
    let value = typed(&param.kind, given).ok_or_else(refused)?;
    if let Some(number) = value.as_f64()
        && (param.min.is_some_and(|min| number < min) || param.max.is_some_and(|max| number > max))
    {
        return Err(refused());
    }
    Ok(value)
}

fn typed(kind: &ParamType, given: Value) -> Option<Value> {
    match kind {
        ParamType::Any => Some(given),
        ParamType::Int => match given {
            Value::Number(number) => number.as_i64().map(Value::from),
            Value::String(text) => text.trim().parse::<i64>().ok().map(Value::from),
            _ => None,
        },
        ParamType::Float => {
            let number = match given {
                Value::Number(number) => number.as_f64(),
                Value::String(text) => text.trim().parse::<f64>().ok(),
                _ => None,
            };
            number.filter(|number| number.is_finite()).map(Value::from)
        }
        ParamType::Bool => match given {
            Value::Bool(_) => Some(given),
            Value::String(text) => text.trim().parse::<bool>().ok().map(Value::from),
            _ => None,
        },
        ParamType::String => text(given).map(Value::from),
        ParamType::Quantity => text(given)
            .filter(|text| Quantity::parse(text).is_some())
            .map(Value::from),
        ParamType::Enum(choices) => text(given)
            .filter(|text| choices.contains(text))
            .map(Value::from),
        ParamType::List => match given {
            Value::Array(_) => Some(given),
            Value::String(text) if text.is_empty() => Some(Value::Array(Vec::new())),
            Value::String(text) if text.starts_with('[') => {
                serde_json::from_str(&text).ok().filter(Value::is_array)
            }
            Value::String(text) => Some(text.split(',').map(str::trim).collect()),
            _ => None,
        },
    }
}

fn text(given: Value) -> Option<String> {
    match given {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// At most 60 characters of what was given.
fn shortened(found: &str) -> String {
    if found.chars().count() <= 60 {
        return found.to_owned();
    }
    found.chars().take(59).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TEXT: &str = "export const META = #{ params: [
            #{ name: \"replicas\", type: \"int\", min: 0, max: 9, about: \"Pods\" },
            #{ name: \"mode\", choices: [\"all\", \"cap\"], default_value: \"all\" },
            #{ name: \"memory\", type: \"quantity\", required: false, aliases: [\"mem\"] },
        ] };
        fn scale(resource, replicas, mode, memory) {}";

    fn resolve(positional: Value, named: Value) -> Result<Arguments> {
        let function = Function::read("scale", "functions/scale.rhai", "project", TEXT).unwrap();
        let positional = positional.as_array().cloned().unwrap_or_default();
        Arguments::resolve(
            &function,
            positional,
            named.as_object().cloned().unwrap_or_default(),
        )
    }

    #[test]
    fn positions_names_and_both_mean_the_same() {
        let expected = json!({"replicas": 3, "mode": "cap"});
        for (positional, named) in [
            (json!([3, "cap"]), json!({})),
            (json!([]), json!({"replicas": "3", "mode": "cap"})),
            (json!(["3"]), json!({"mode": "cap"})),
        ] {
            let arguments = resolve(positional, named).unwrap();
            assert_eq!(Value::Object(arguments.to_json()), expected);
        }
    }

    #[test]
    fn defaults_and_aliases_apply() {
        let arguments = resolve(json!([1]), json!({"mem": 5})).unwrap();
        assert_eq!(
            arguments.to_string(),
            "--replicas 1 --memory \"5\"",
            "a default is not worth a word"
        );
        assert_eq!(resolve(json!([1]), json!({})).unwrap().values()[2], None);
    }

    #[test]
    fn errors_name_the_parameter_and_the_accepted_form() {
        let cases = [
            (
                json!([-1]),
                json!({}),
                "`replicas` of `scale` must be an integer from 0 to 9",
            ),
            (
                json!(["x"]),
                json!({}),
                "must be an integer from 0 to 9, found \"x\"",
            ),
            (json!([1.5]), json!({}), "found 1.5"),
            (json!([1, "most"]), json!({}), "one of all, cap"),
            (
                json!([1, "all", "lots"]),
                json!({}),
                "a quantity such as 250m or 2Gi",
            ),
            (json!([]), json!({}), "needs parameter `replicas`"),
            (json!([1]), json!({"replicas": 2}), "given twice"),
            (json!([1]), json!({"mem": 1, "memory": 2}), "given twice"),
            (json!([1]), json!({"replica": 2}), "no parameter `replica`"),
            (
                json!([1, "all", "1", 4]),
                json!({}),
                "at most 3 arguments, found 4",
            ),
        ];
        for (positional, named, expected) in cases {
            let message = resolve(positional, named).unwrap_err().message();
            assert!(message.contains(expected), "{message}");
        }
    }
}
