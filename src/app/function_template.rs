//! The file of a new function: code that works, with an example and a test that pass.

use std::fmt::Write as _;

use crate::app::functions::RESERVED;
use crate::error::{Error, Kind, Result};
use crate::script::{Kind as FunctionKind, Scope};

/// What a new function is to be.
#[derive(Debug, Clone)]
pub struct NewFunction {
    /// Its name: small letters, digits and dashes.
    pub name: String,
    /// What it does with resources.
    pub kind: FunctionKind,
    /// What it is called with.
    pub scope: Scope,
    /// Names and types of its parameters.
    pub params: Vec<(String, String)>,
}

/// Types of parameters, and a value of each as a script writes it.
const SAMPLES: [(&str, &str); 7] = [
    ("string", "\"x\""),
    ("int", "3"),
    ("float", "1.5"),
    ("bool", "true"),
    ("quantity", "\"100m\""),
    ("list", "[\"x\"]"),
    ("any", "\"x\""),
];

/// Refuses what is no name of a function.
///
/// # Errors
/// [`Kind::Usage`].
pub(crate) fn refuse_name(name: &str) -> Result<()> {
    let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !is_name {
        return Err(Error::new(
            Kind::Usage,
            format!("expected a name of small letters, digits and dashes, found `{name}`"),
        ));
    }
    if RESERVED.contains(&name) {
        return Err(Error::new(
            Kind::Usage,
            format!("expected a name that is no method of units, found `{name}`"),
        )
        .hint("functions are methods, too: another name is needed"));
    }
    Ok(())
}

/// The text of a new function.
pub(crate) fn text_of(new: &NewFunction) -> Result<String> {
    let name = new.name.replace('-', "_");
    let mut params = new.params.clone();
    if params.is_empty() && new.kind == FunctionKind::Mutate {
        params.push(("value".to_owned(), "string".to_owned()));
    }
    let samples = params
        .iter()
        .map(|(param, kind)| sample(param, kind))
        .collect::<Result<Vec<_>>>()?;
    let subject = match new.scope {
        Scope::Unit => "unit",
        Scope::Resource => "resource",
    };
    let head = std::iter::once(subject.to_owned());
    let all = head.chain(params.iter().map(|(param, _)| param.clone()));
    let signature = format!("{name}({})", all.collect::<Vec<_>>().join(", "));
    let example = std::iter::once("web".to_owned()).chain(samples.iter().cloned());
    let call = format!("{name}({})", example.collect::<Vec<_>>().join(", "));
    let on = |text: &str| {
        let given = std::iter::once(text.to_owned()).chain(samples.iter().cloned());
        format!("run_on({})", given.collect::<Vec<_>>().join(", "))
    };
    let mut text = format!("//! Ours\n\n{}", meta(new, &params));
    let body = body(new, params.first().map(|(param, _)| param.as_str()));
    let _ = write!(
        text,
        "/// {}\n///\n/// # Example\n/// ```\n{}/// ```\nfn {signature} {{\n{}}}\n\n{}",
        body.about,
        body.example(subject, &call),
        body.code,
        body.test(&on)
    );
    Ok(text)
}

fn sample(param: &str, kind: &str) -> Result<String> {
    let is_name = param.starts_with(|c: char| c.is_ascii_lowercase())
        && param.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let found = SAMPLES.iter().find(|(known, _)| *known == kind);
    match found {
        Some((_, sample)) if is_name => Ok((*sample).to_owned()),
        _ => {
            let known: Vec<&str> = SAMPLES.iter().map(|(known, _)| *known).collect();
            Err(Error::new(
                Kind::Usage,
                format!("expected a parameter as NAME:TYPE, found `{param}:{kind}`"),
            )
            .hint(format!("types: {}", known.join(", "))))
        }
    }
}

fn meta(new: &NewFunction, params: &[(String, String)]) -> String {
    let mut text = format!("export const META = #{{\n    kind: \"{}\",\n", new.kind);
    if new.scope == Scope::Unit {
        text.push_str("    scope: \"unit\",\n");
    }
    text.push_str("    params: [\n");
    for (param, kind) in params {
        let _ = writeln!(
            text,
            "        #{{ name: \"{param}\", type: \"{kind}\", about: \"What it is for\" }},"
        );
    }
    text.push_str("    ],\n};\n\n");
    text
}

/// What a new function does until its author says what it is to do.
struct Body {
    about: String,
    code: String,
    /// The last line of the example, which is true.
    holds: String,
    test: TestOf,
}

/// What the test of a new function compares.
enum TestOf {
    Text {
        input: &'static str,
        want: String,
    },
    Answer {
        input: &'static str,
        holds: &'static str,
    },
}

const BARE: &str = r"kind: Deployment\nmetadata:\n  name: web # front\n";

fn body(new: &NewFunction, first: Option<&str>) -> Body {
    let name = &new.name;
    let value = first.unwrap_or("\"x\"");
    let each = |line: &str| match new.scope {
        Scope::Unit => format!("    for resource in unit.resources() {{\n        {line}\n    }}\n"),
        Scope::Resource => format!("    {line}\n"),
    };
    let one = match new.scope {
        Scope::Unit => "web.resources()[0]",
        Scope::Resource => "web",
    };
    match new.kind {
        FunctionKind::Mutate => Body {
            about: format!("Set the annotation `{name}`."),
            code: each(&format!(
                "resource.set(\"metadata.annotations.{name}\", `${{{value}}}`);"
            )),
            holds: format!("{one}.metadata.annotations[\"{name}\"] != ()"),
            test: TestOf::Text {
                input: BARE,
                want: name.clone(),
            },
        },
        FunctionKind::Query => Body {
            about: "Tell the name of the resource.".to_owned(),
            code: match new.scope {
                Scope::Unit => "    unit.resources()[0].metadata?.name\n".to_owned(),
                Scope::Resource => "    resource.metadata?.name\n".to_owned(),
            },
            holds: format!("{one}.metadata.name == \"web\""),
            test: TestOf::Answer {
                input: BARE,
                holds: "found[0] == \"web\"",
            },
        },
        FunctionKind::Validate => Body {
            about: "Find resources without the label `team`.".to_owned(),
            code: format!(
                "    let found = [];\n{}    found\n",
                each(
                    "if resource.metadata?.labels?.team == () { found.push(#{ path: \"metadata.labels.team\", message: \"expected a team, found none\" }); }"
                )
            ),
            holds: format!("{one}.metadata?.labels?.team == ()"),
            test: TestOf::Answer {
                input: BARE,
                holds: "found.len() == 1",
            },
        },
    }
}

impl Body {
    fn example(&self, subject: &str, call: &str) -> String {
        format!(
            "/// let web = {subject}(\"{BARE}\");\n/// {call};\n/// {}\n",
            self.holds
        )
    }

    fn test(&self, on: &dyn Fn(&str) -> String) -> String {
        match &self.test {
            TestOf::Text { input, want } => {
                let call = on(&format!("\"{input}\""));
                format!(
                    "fn test_comments_stay() {{\n    let changed = {call};\n    assert(changed.contains(\"{want}\"), changed);\n    assert(changed.contains(\"name: web # front\"), changed);\n}}\n"
                )
            }
            TestOf::Answer { input, holds } => {
                let call = on(&format!("\"{input}\""));
                format!(
                    "fn test_what_it_finds() {{\n    let found = {call};\n    assert({holds}, `${{found}}`);\n}}\n"
                )
            }
        }
    }
}
