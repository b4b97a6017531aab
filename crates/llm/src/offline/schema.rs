//! A schema as a form to fill in on the phone: one slot per value that can be asked for.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::questions;
use super::words::stems;

const MAX_DEPTH: usize = 8;
const MAX_SLOTS: usize = 60;

/// What kind of answer a slot wants.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    YesNo,
    Choice(Vec<Value>),
    Number(Bounds),
    /// A calendar day (`format: date`).
    Date,
    /// A time or day in the caller's words.
    When,
    Name,
    Text,
    List(Box<Kind>),
    /// What a caller wants, of a bot.
    Wish,
    /// For how many, of a bot.
    Count,
    /// Several values that are said in one breath, inside a list.
    Record(Vec<(String, Kind)>),
}

/// Which numbers are accepted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bounds {
    pub(crate) whole: bool,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

/// When a slot is asked for only in some conversations.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Condition {
    pub(crate) about: BTreeSet<String>,
    pub(crate) negated: bool,
}

/// The place of a property, level by level: `required` is the only list of a schema that keeps the order
/// its author gave it, so it gives the order of asking; what is not required comes behind.
pub(crate) type Place = Vec<(Need, usize)>;

/// Whether a property is required at its level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    Required,
    Optional,
}

/// One value to collect.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Slot {
    /// Property names from the root.
    pub(crate) path: Vec<String>,
    /// When to ask.
    pub(crate) kind: Kind,
    pub(crate) question: String,
    pub(crate) place: Place,
    pub(crate) condition: Option<Condition>,
    /// What the slot is about, to recognise a question that asks for it in other words.
    pub(crate) about: BTreeSet<String>,
}

impl Slot {
    pub(crate) fn name(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }

    /// Whether this slot takes the time that a customer proposes instead of the one offered.
    pub(crate) fn takes_other_time(&self) -> bool {
        let name = self.name().to_lowercase();
        matches!(self.kind, Kind::When | Kind::Text)
            && (name.contains("reschedul") || (self.kind == Kind::When && self.condition.is_some()))
    }
}

/// The slots of a schema in the order of asking: required ones first, conditional ones behind all that
/// they can depend on.
pub(crate) fn slots(schema: &Value) -> Vec<Slot> {
    let mut found = Vec::new();
    collect(schema, schema, &mut (Vec::new(), Vec::new()), &mut found);
    found.truncate(MAX_SLOTS);
    found.sort_by_key(|slot| (slot.condition.is_some(), slot.place.clone()));
    questions::make_unique(&mut found);
    found
}

fn collect(root: &Value, schema: &Value, at: &mut (Vec<String>, Place), found: &mut Vec<Slot>) {
    if at.0.len() >= MAX_DEPTH || found.len() >= MAX_SLOTS {
        return;
    }
    let schema = resolved(root, schema);
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    let wanted: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (index, (name, property)) in properties.iter().enumerate() {
        let property = resolved(root, property);
        at.0.push(name.clone());
        let listed = wanted.iter().position(|wanted| wanted == name);
        at.1.push(listed.map_or((Need::Optional, index), |place| (Need::Required, place)));
        if type_of(property) == "object" {
            collect(root, property, at, found);
        } else {
            found.push(slot(root, at, property));
        }
        at.0.pop();
        at.1.pop();
    }
}

fn slot(root: &Value, (path, place): &(Vec<String>, Place), property: &Value) -> Slot {
    let name = path.last().map_or("", String::as_str);
    let description = text_of(property, "description");
    let title = text_of(property, "title");
    let kind = kind(root, name, property, 0);
    let required = place.iter().all(|(need, _)| *need == Need::Required);
    let condition = if required { None } else { condition(name, description, &kind) };
    // A nested name alone ("day") says too little; with its parent it does ("arrival day").
    let spoken = path[path.len().saturating_sub(2)..].join("_");
    Slot {
        path: path.to_vec(),
        question: questions::question(&spoken, title, description, &kind),
        about: stems(&format!("{} {title} {description}", questions::humanised(name))),
        kind,
        place: place.clone(),
        condition,
    }
}

fn condition(name: &str, description: &str, kind: &Kind) -> Option<Condition> {
    let lower = description.to_lowercase();
    let found = ["only if ", " if ", "in case ", "only when "].iter().find_map(|word| {
        let at = lower.find(word)?;
        // "True if …" explains a yes; it is no condition.
        let explains = *kind == Kind::YesNo && questions::explains_yes(&lower[..at]);
        (!explains).then_some(at + word.len())
    });
    let start = if lower.starts_with("if ") && *kind != Kind::YesNo { Some(3) } else { found };
    if let Some(start) = start {
        let words = &lower[start..];
        let negated = ["not ", "n't", "n’t", "cannot", "no longer"].iter().any(|word| words.contains(word));
        return Some(Condition { about: stems(words), negated });
    }
    let moved = name.to_lowercase().contains("reschedul") && !matches!(kind, Kind::YesNo | Kind::Choice(_));
    let other_time = moved || (*kind == Kind::When && questions::another(&questions::humanised(name)));
    other_time.then(|| Condition { about: BTreeSet::new(), negated: false })
}

fn kind(root: &Value, name: &str, property: &Value, depth: usize) -> Kind {
    if let Some(options) = options(property) {
        return Kind::Choice(options);
    }
    match type_of(property) {
        "boolean" => Kind::YesNo,
        "integer" => Kind::Number(bounds(property, true)),
        "number" => Kind::Number(bounds(property, false)),
        "array" if depth < MAX_DEPTH => {
            let items = resolved(root, property.get("items").unwrap_or(&Value::Null));
            Kind::List(Box::new(kind(root, name, items, depth + 1)))
        }
        "object" if depth < MAX_DEPTH => {
            let fields = property.get("properties").and_then(Value::as_object);
            let fields = fields.into_iter().flat_map(Map::iter);
            Kind::Record(
                fields.map(|(n, p)| (n.clone(), kind(root, n, resolved(root, p), depth + 1))).collect(),
            )
        }
        _ => text_kind(name, property),
    }
}

fn text_kind(name: &str, property: &Value) -> Kind {
    match text_of(property, "format") {
        "date" => return Kind::Date,
        "date-time" | "time" => return Kind::When,
        "" => {}
        _ => return Kind::Text,
    }
    let name = questions::humanised(name);
    let about = format!(" {name} {} {} ", text_of(property, "title"), text_of(property, "description"))
        .to_lowercase();
    let has = |word: &str| about.contains(&format!(" {word} ")) || about.contains(&format!(" {word}."));
    if name.ends_with("name") && !["company", "business", "product", "pet"].iter().any(|word| has(word)) {
        Kind::Name
    } else if ["time", "times", "date", "day", "when"].iter().any(|word| has(word)) && !has("feedback") {
        Kind::When
    } else {
        Kind::Text
    }
}

fn options(property: &Value) -> Option<Vec<Value>> {
    let listed = match (property.get("enum"), property.get("const")) {
        (Some(Value::Array(options)), _) => options.clone(),
        (_, Some(only)) => vec![only.clone()],
        _ => return None,
    };
    let options: Vec<Value> =
        listed.into_iter().filter(|option| option.is_string() || option.is_number()).collect();
    (!options.is_empty()).then_some(options)
}

fn bounds(property: &Value, whole: bool) -> Bounds {
    let limit = |name: &str| property.get(name).and_then(Value::as_f64);
    Bounds {
        whole,
        least: limit("minimum").or(limit("exclusiveMinimum")).unwrap_or(f64::NEG_INFINITY),
        most: limit("maximum").or(limit("exclusiveMaximum")).unwrap_or(f64::INFINITY),
    }
}

fn type_of(property: &Value) -> &str {
    match property.get("type") {
        Some(Value::String(name)) => name,
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).find(|n| *n != "null").unwrap_or("string")
        }
        _ if property.get("properties").is_some() => "object",
        _ if property.get("items").is_some() => "array",
        _ => "string",
    }
}

/// Follows local references, and leaves out "or null".
fn resolved<'v>(root: &'v Value, schema: &'v Value) -> &'v Value {
    let mut schema = schema;
    for _ in 0..MAX_DEPTH {
        let reference = schema.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix('#'));
        if let Some(target) = reference.and_then(|pointer| root.pointer(pointer)) {
            schema = target;
            continue;
        }
        let variants = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array);
        let real = variants
            .and_then(|list| list.iter().find(|v| v.get("type").and_then(Value::as_str) != Some("null")));
        match real {
            Some(variant) if schema.get("type").is_none() => schema = variant,
            _ => return schema,
        }
    }
    schema
}

fn text_of<'v>(property: &'v Value, key: &str) -> &'v str {
    property.get(key).and_then(Value::as_str).unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_becomes_slots_with_the_required_first() {
        let schema = json!({"type": "object", "required": ["z"], "properties": {
            "a": {"type": "string", "description": "Preferred time if they cannot come"},
            "b": {"type": ["integer", "null"], "minimum": 1},
            "c": {"type": "object", "properties": {"city": {"type": "string"}}},
            "d": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/day"}]},
            "z": {"type": "boolean"},
        }, "$defs": {"day": {"type": "string", "format": "date"}}});
        let slots = slots(&schema);
        let names: Vec<_> = slots.iter().map(|slot| slot.path.join(".")).collect();
        assert_eq!(names, ["z", "b", "c.city", "d", "a"]);
        assert_eq!(slots[1].kind, Kind::Number(Bounds { whole: true, least: 1.0, most: f64::INFINITY }));
        assert_eq!(slots[3].kind, Kind::Date);
        assert!(slots[4].condition.as_ref().is_some_and(|condition| condition.negated));
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        let schema =
            json!({"type": "object", "properties": {"next": {"$ref": "#"}, "n": {"$ref": "#/properties/n"}}});
        assert!(slots(&schema).len() <= MAX_SLOTS);
    }
}
