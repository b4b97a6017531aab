//! Examples that follow from others: of what holds things that have one.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use utoipa::openapi::content::Content;
use utoipa::openapi::schema::{ArrayItems, Object, Schema, SchemaType, Type};
use utoipa::openapi::{OpenApi as Document, RefOr};

use super::operations_of;

type Schemas = BTreeMap<String, RefOr<Schema>>;

/// Gives an example to schemas whose parts have one, and to lists of them.
pub(super) fn add(document: &mut Document) {
    let Some(components) = &mut document.components else { return };
    let known = components.schemas.clone();
    for schema in components.schemas.values_mut() {
        let found = example(&known, schema);
        match schema {
            RefOr::T(Schema::Object(object)) => object.example = object.example.take().or(found),
            RefOr::T(Schema::AllOf(parts)) => parts.example = parts.example.take().or(found),
            // Of several forms, the first one's.
            RefOr::T(Schema::OneOf(forms)) => {
                let first = forms.items.first().and_then(|form| example(&known, form));
                forms.example = forms.example.take().or(first);
            }
            _ => {}
        }
    }
    for item in document.paths.paths.values_mut() {
        for (_, operation) in operations_of(item) {
            for response in operation.responses.responses.values_mut() {
                if let RefOr::T(response) = response {
                    response.content.values_mut().for_each(|content| list(&known, content));
                }
            }
        }
    }
}

/// Gives a list of one to the content that is a list.
fn list(known: &Schemas, content: &mut RefOr<Content>) {
    if let RefOr::T(content) = content
        && let Some(schema @ RefOr::T(Schema::Array(_))) = &content.schema
        && content.example.is_none()
    {
        content.example = example(known, schema);
    }
}

fn example(known: &Schemas, schema: &RefOr<Schema>) -> Option<Value> {
    let schema = match schema {
        RefOr::Ref(place) => return example(known, known.get(place.ref_location.rsplit('/').next()?)?),
        RefOr::T(schema) => schema,
    };
    match schema {
        Schema::Object(object) => object.example.clone().or_else(|| of_object(known, object)),
        Schema::Array(array) => array.example.clone().or_else(|| match &array.items {
            ArrayItems::RefOrSchema(items) => Some(json!([example(known, items)?])),
            ArrayItems::False => None,
        }),
        Schema::AllOf(parts) => parts.example.clone().or_else(|| {
            let parts: Option<Vec<Value>> = parts.items.iter().map(|part| example(known, part)).collect();
            Some(Value::Object(parts?.into_iter().filter_map(into_object).flatten().collect()))
        }),
        _ => None,
    }
}

/// An object each of whose fields has an example, or may be null.
fn of_object(known: &Schemas, object: &Object) -> Option<Value> {
    if object.properties.is_empty() {
        return is_nullable(object).then_some(Value::Null);
    }
    let field = |(name, schema)| Some((String::clone(name), example(known, schema)?));
    Some(Value::Object(object.properties.iter().map(field).collect::<Option<Map<_, _>>>()?))
}

fn is_nullable(object: &Object) -> bool {
    matches!(&object.schema_type, SchemaType::Array(types) if types.contains(&Type::Null))
}

fn into_object(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(fields) => Some(fields),
        _ => None,
    }
}
