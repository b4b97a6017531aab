//! JSON Schemas that come from outside: which are accepted, and validators whose work is bounded. A schema is the caller's
//! program. Here it has a size, a depth and a number of steps, its patterns run in linear time, and it refers to nothing
//! outside of itself.

use std::collections::BTreeMap;

use jsonschema::{PatternOptions, draft202012};
use serde_json::{Map, Value, json};

/// Largest schema, in bytes of compact JSON.
pub const MAX_BYTES: usize = 32 * 1024;
/// Deepest nesting of schemas, references followed; the schema itself is level 1, those of its properties are level 2.
pub const MAX_LEVELS: usize = 8;
/// Most schemas that one value is held against, references followed: what is named twice counts twice.
pub const MAX_SCHEMAS: usize = 10_000;
/// Most references that lead from one to the next.
pub const MAX_IN_A_ROW: usize = 16;
/// Most patterns in one schema.
pub const MAX_PATTERNS: usize = 64;
/// Longest pattern, in characters.
pub const MAX_PATTERN_CHARS: usize = 256;
/// Largest compiled pattern, in bytes: every letter of every language about twenty times in a row. For longer texts there is
/// `maxLength`.
const MAX_COMPILED: usize = 1024 * 1024;

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Why a schema is refused, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct SchemaProblem {
    /// JSON Pointer to the place; empty for the schema itself.
    pub place: String,
    /// What is wrong there, and what would be right.
    pub problem: String,
}

impl SchemaProblem {
    fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { place: place.into(), problem: problem.into() }
    }
}

/// Accepts a JSON Schema (draft 2020-12) of type object within the bounds above.
///
/// # Errors
/// The first problem found.
pub fn check(schema: &Value) -> Result<(), SchemaProblem> {
    let Some(object) = schema.as_object() else {
        return Err(SchemaProblem::new("", "must be a JSON Schema of type object"));
    };
    let bytes = schema.to_string().len();
    if bytes > MAX_BYTES {
        return Err(SchemaProblem::new("", format!("has {bytes} bytes; at most {MAX_BYTES} are allowed")));
    }
    if object.get("type").and_then(Value::as_str) != Some("object") {
        return Err(SchemaProblem::new("/type", "must be \"object\""));
    }
    if !object.get("$schema").is_none_or(is_draft) {
        return Err(SchemaProblem::new("/$schema", format!("must be absent or {DRAFT}")));
    }
    let patterns = bounded(schema)?;
    draft202012::meta::validate(schema)
        .map_err(|e| SchemaProblem::new(e.instance_path().as_str(), e.to_string()))?;
    compile(schema, &patterns).map(drop)
}

/// Holds values against one schema, formats (`date`, `email`, …) included.
#[derive(Debug)]
pub struct Validator(jsonschema::Validator);

impl Validator {
    /// A validator of a schema within the bounds above.
    ///
    /// # Errors
    /// Which bound it breaks, or what in it is no schema.
    pub fn new(schema: &Value) -> Result<Self, SchemaProblem> {
        let patterns = bounded(schema)?;
        compile(schema, &patterns).map(Self)
    }

    /// Everything that is wrong with a value, each with its place (JSON Pointer).
    #[must_use]
    pub fn problems(&self, value: &Value) -> Vec<String> {
        let told = |error: jsonschema::ValidationError<'_>| match error.instance_path().as_str() {
            "" => error.to_string(),
            place => format!("{place}: {error}"),
        };
        self.0.iter_errors(value).map(told).collect()
    }

    /// Whether nothing is.
    #[must_use]
    pub fn accepts(&self, value: &Value) -> bool {
        self.0.is_valid(value)
    }
}

/// The patterns of a schema, by place.
type Patterns = BTreeMap<String, String>;

fn compile(schema: &Value, patterns: &Patterns) -> Result<jsonschema::Validator, SchemaProblem> {
    build(schema).map_err(|error| {
        // The library does not say which pattern it was.
        let broken = patterns.iter().find(|(_, pattern)| build(&json!({ "pattern": pattern })).is_err());
        match broken {
            Some((place, _)) => SchemaProblem::new(
                place,
                "is no regular expression that can be used here; look-around and back-references are not possible, and \
                 neither are long repetitions of large classes (maxLength bounds a text)",
            ),
            None => SchemaProblem::new(error.instance_path().as_str(), error.to_string()),
        }
    })
}

fn build(schema: &Value) -> Result<jsonschema::Validator, jsonschema::ValidationError<'static>> {
    let linear = PatternOptions::regex().size_limit(MAX_COMPILED);
    draft202012::options().offline().should_validate_formats(true).with_pattern_options(linear).build(schema)
}

/// Goes through a schema as a validator does.
fn bounded(schema: &Value) -> Result<Patterns, SchemaProblem> {
    let mut walk = Walk { root: schema, schemas: 0, followed: Vec::new(), patterns: Patterns::new() };
    walk.schema(schema, 1, "")?;
    if walk.patterns.len() > MAX_PATTERNS {
        let many = walk.patterns.len();
        return Err(SchemaProblem::new(
            "",
            format!("has {many} patterns; at most {MAX_PATTERNS} are allowed"),
        ));
    }
    Ok(walk.patterns)
}

struct Walk<'a> {
    root: &'a Value,
    /// Schemas met so far.
    schemas: usize,
    /// The references on the way to here.
    followed: Vec<&'a str>,
    patterns: Patterns,
}

/// What becomes of a keyword. The library runs more words than the draft has, so this names every word that it knows; what
/// is inside of a word that is `Passed` it never looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Its value is a schema.
    One,
    /// Its value is a list of schemas.
    Listed,
    /// Its value is an object of schemas.
    Named,
    /// The same, named by patterns.
    ByPattern,
    Pattern,
    Reference,
    /// The draft.
    Dialect,
    /// A name for the schema.
    Name,
    /// What to use instead.
    Refused(&'static str),
    /// A limit without a schema in it, or a word without a meaning.
    Passed,
}

impl Kind {
    fn of(keyword: &str) -> Self {
        match keyword {
            "items"
            | "contains"
            | "additionalProperties"
            | "propertyNames"
            | "not"
            | "if"
            | "then"
            | "else"
            | "unevaluatedItems"
            | "unevaluatedProperties"
            | "contentSchema" => Self::One,
            "prefixItems" | "anyOf" | "oneOf" | "allOf" => Self::Listed,
            "properties" | "$defs" | "definitions" | "dependentSchemas" => Self::Named,
            "patternProperties" => Self::ByPattern,
            "pattern" => Self::Pattern,
            "$ref" => Self::Reference,
            "$schema" => Self::Dialect,
            "$id" => Self::Name,
            // They would make a reference lead elsewhere than it seems.
            "$dynamicRef" | "$recursiveRef" | "$anchor" | "$dynamicAnchor" | "$recursiveAnchor" => {
                Self::Refused("use $ref and $defs")
            }
            "$vocabulary" => Self::Refused("it is for what describes schemas"),
            // Words of earlier drafts that the library runs in every draft.
            "dependencies" => Self::Refused("use dependentSchemas and dependentRequired"),
            "additionalItems" => Self::Refused("use prefixItems and items"),
            _ => Self::Passed,
        }
    }
}

impl<'a> Walk<'a> {
    fn schema(&mut self, schema: &'a Value, level: usize, place: &str) -> Result<(), SchemaProblem> {
        let object = match schema {
            Value::Object(object) => object,
            Value::Bool(_) => return Ok(()),
            _ => return Err(SchemaProblem::new(place, "must be a JSON Schema: an object, true or false")),
        };
        if level > MAX_LEVELS {
            let problem = format!("is nested too deeply; at most {MAX_LEVELS} levels are allowed");
            return Err(SchemaProblem::new(place, problem));
        }
        for _ in 0..rounds(object) {
            self.schemas += 1;
            if self.schemas > MAX_SCHEMAS {
                let problem =
                    format!("stands for more than {MAX_SCHEMAS} schemas when its references are followed");
                return Err(SchemaProblem::new("", problem));
            }
            object.iter().try_for_each(|(keyword, value)| self.keyword((keyword, value), level, place))?;
        }
        Ok(())
    }

    fn keyword(
        &mut self,
        (keyword, value): (&'a String, &'a Value),
        level: usize,
        place: &str,
    ) -> Result<(), SchemaProblem> {
        let here = format!("{place}/{}", escaped(keyword));
        let refused = |problem: &str| Err(SchemaProblem::new(&here, problem));
        match (Kind::of(keyword), value) {
            (Kind::One, inner) => self.schema(inner, level + 1, &here),
            (Kind::Listed, Value::Array(list)) => self.listed(list, level, &here),
            (Kind::Listed, _) => refused("must be a list of JSON Schemas"),
            (kind @ (Kind::Named | Kind::ByPattern), Value::Object(named)) => {
                self.named(named, kind == Kind::ByPattern, level, &here)
            }
            (Kind::Named | Kind::ByPattern, _) => refused("must be an object of JSON Schemas"),
            (Kind::Pattern, Value::String(pattern)) => self.pattern(pattern, here),
            (Kind::Reference, Value::String(target)) => self.reference(target, level, &here),
            (Kind::Pattern | Kind::Reference, _) => refused("must be a string"),
            (Kind::Dialect, draft) if is_draft(draft) => Ok(()),
            (Kind::Dialect, _) => refused(&format!("must be absent or {DRAFT}")),
            (Kind::Name, Value::String(_)) if place.is_empty() => Ok(()),
            (Kind::Name, _) => refused("cannot be used here; use $ref and $defs"),
            (Kind::Refused(instead), _) => refused(&format!("cannot be used here; {instead}")),
            (Kind::Passed, _) => Ok(()),
        }
    }

    fn listed(&mut self, list: &'a [Value], level: usize, place: &str) -> Result<(), SchemaProblem> {
        let mut inner = list.iter().enumerate();
        inner.try_for_each(|(n, inner)| self.schema(inner, level + 1, &format!("{place}/{n}")))
    }

    fn named(
        &mut self,
        named: &'a Map<String, Value>,
        by_pattern: bool,
        level: usize,
        place: &str,
    ) -> Result<(), SchemaProblem> {
        for (name, inner) in named {
            let here = format!("{place}/{}", escaped(name));
            if by_pattern {
                self.pattern(name, here.clone())?;
            }
            self.schema(inner, level + 1, &here)?;
        }
        Ok(())
    }

    /// What is referred to is held against the same value.
    fn reference(&mut self, target: &'a str, level: usize, place: &str) -> Result<(), SchemaProblem> {
        if self.followed.contains(&target) {
            return Err(SchemaProblem::new(
                place,
                "refers to itself; values without an end are not possible",
            ));
        }
        let inner = target.strip_prefix('#').and_then(|pointer| Some((plain(self.root, pointer)?, pointer)));
        let Some((inner, pointer)) = inner else {
            let problem = "must be the place of another schema inside this one, such as #/$defs/pet";
            return Err(SchemaProblem::new(place, problem));
        };
        if self.followed.len() >= MAX_IN_A_ROW {
            let problem = format!("is behind {MAX_IN_A_ROW} other references in a row, which is the most");
            return Err(SchemaProblem::new(place, problem));
        }
        self.followed.push(target);
        self.schema(inner, level, pointer)?;
        self.followed.pop();
        Ok(())
    }

    fn pattern(&mut self, pattern: &str, place: String) -> Result<(), SchemaProblem> {
        let chars = pattern.chars().count();
        if chars > MAX_PATTERN_CHARS {
            let problem = format!("has {chars} characters; a pattern has at most {MAX_PATTERN_CHARS}");
            return Err(SchemaProblem::new(place, problem));
        }
        self.patterns.insert(place, pattern.to_owned());
        Ok(())
    }
}

/// How often the library goes through what is inside of a schema: each `unevaluated…` does it about twice more, to learn
/// what the others have looked at.
fn rounds(schema: &Map<String, Value>) -> usize {
    1 + 2 * schema.keys().filter(|keyword| keyword.starts_with("unevaluated")).count()
}

fn is_draft(schema: &Value) -> bool {
    schema.as_str().is_some_and(|schema| schema.strip_suffix('#').unwrap_or(schema) == DRAFT)
}

/// What a JSON Pointer leads to, if it leads there for the library, too, which decodes percent signs and heeds names and
/// drafts on the way.
fn plain<'a>(root: &'a Value, pointer: &str) -> Option<&'a Value> {
    let moves =
        |value: &Value| ["$id", "$schema"].iter().any(|word| value.get(word).is_some_and(Value::is_string));
    let ends = pointer.match_indices('/').map(|(end, _)| end).skip(1);
    let moved = ends.filter_map(|end| root.pointer(&pointer[..end])).any(moves);
    if moved || pointer.contains('%') { None } else { root.pointer(pointer) }
}

// RFC 6901, section 3.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests;
