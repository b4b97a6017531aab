//! What a field means stands where it is written first: a change of a thing, and the thing as it is answered, mean the same.

use utoipa::openapi::schema::Schema;
use utoipa::openapi::{OpenApi as Document, RefOr};

use super::words::objects;

/// Schemas whose fields mean what those of the same names in the other schema mean.
const SAME: [(&str, &str); 11] = [
    ("AgentChanges", "NewAgent"),
    ("AgentContent", "NewAgent"),
    ("AgentSimulation", "AgentPreview"),
    ("App", "NewApp"),
    ("AppChanges", "NewApp"),
    ("Bot", "NewBot"),
    ("BotChanges", "NewBot"),
    ("BusinessChanges", "Business"),
    ("Customer", "NewCustomer"),
    ("CustomerChanges", "NewCustomer"),
    ("Notification", "NewNotification"),
];

/// Explains the fields that say nothing themselves: with the first paragraph of what is said there.
pub(super) fn add(document: &mut Document) {
    let Some(components) = &mut document.components else { return };
    for (schema, from) in SAME {
        let Some(mut source) = components.schemas.get(from).cloned() else { continue };
        let Some(schema) = components.schemas.get_mut(schema) else { continue };
        for object in objects(schema) {
            for (name, property) in &mut object.properties {
                let known =
                    objects(&mut source).into_iter().find_map(|source| source.properties.get_mut(name));
                let known = known.and_then(|known| description(known)?.clone());
                if let (Some(known), Some(own @ None)) = (known, description(property)) {
                    *own = known.split("\n\n").next().map(str::to_owned);
                }
            }
        }
    }
}

/// Where the description of a field stands.
fn description(schema: &mut RefOr<Schema>) -> Option<&mut Option<String>> {
    match schema {
        RefOr::T(Schema::Object(object)) => Some(&mut object.description),
        RefOr::T(Schema::Array(array)) => Some(&mut array.description),
        RefOr::T(Schema::OneOf(one)) => Some(&mut one.description),
        _ => None,
    }
}
