use jsonschema::error::ValidationErrorKind;

use super::*;

fn place_of(schema: &Value) -> String {
    check(schema).unwrap_err().place
}

fn property(schema: Value) -> Value {
    json!({"type": "object", "properties": {"a": schema}})
}

fn nested(levels: usize) -> Value {
    (1..levels)
        .fold(json!({"type": "object"}), |inner, _| json!({"type": "object", "properties": {"a/b": inner}}))
}

#[test]
fn an_intake_survey_of_many_kinds_of_fields_is_accepted() {
    let schema = json!({
        "$schema": DRAFT,
        "$id": "https://example.com/survey",
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "pattern": r"^\p{L}[\p{L} '-]*$", "maxLength": 60},
            "age": {"type": "integer", "minimum": 0},
            "birthday": {"type": "string", "format": "date"},
            "zip": {"type": "string", "pattern": "^[0-9]{5}(-[0-9]{4})?$"},
            "smoker": {"type": "boolean"},
            "size": {"enum": ["s", "m", "l"]},
            "pets": {"type": "array", "items": {"$ref": "#/$defs/pet"}},
            "first_pet": {"$ref": "#/$defs/pet"}
        },
        "$defs": {"pet": {"type": "object", "properties": {"weight": {"type": "number"}}}}
    });
    assert_eq!(check(&schema), Ok(()));
    let validator = Validator::new(&schema).unwrap();
    assert!(validator.accepts(&json!({"name": "Zoë", "zip": "12345", "birthday": "2000-02-29"})));
    let problems = validator.problems(&json!({"name": "Zoë", "zip": "x", "first_pet": {"weight": "much"}}));
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems.iter().any(|p| p.starts_with("/first_pet/weight: ")), "{problems:?}");
}

#[test]
fn a_problem_is_named_with_its_place() {
    assert_eq!(place_of(&json!([])), "");
    for schema in [json!({}), json!({"type": "string"}), json!({"type": ["object", "null"]})] {
        assert_eq!(place_of(&schema), "/type");
    }
    assert_eq!(place_of(&property(json!({"type": "whole"}))), "/properties/a/type");
    assert_eq!(place_of(&property(json!({"minimum": "x"}))), "/properties/a/minimum");
    let draft7 = json!({"type": "object", "$schema": "http://json-schema.org/draft-07/schema#"});
    assert_eq!(place_of(&draft7), "/$schema");
}

#[test]
fn eight_levels_and_thirty_two_kibibytes_are_the_most() {
    assert_eq!(check(&nested(8)), Ok(()));
    assert_eq!(place_of(&nested(9)), "/properties/a~1b".repeat(8));
    let sized = |bytes: usize| json!({"type": "object", "description": "x".repeat(bytes - 34)});
    assert_eq!(sized(100).to_string().len(), 100);
    assert_eq!(check(&sized(MAX_BYTES)), Ok(()));
    assert_eq!(place_of(&sized(MAX_BYTES + 1)), "");
}

#[test]
fn a_reference_that_leaves_the_schema_or_leads_nowhere_is_refused() {
    for target in ["https://example.com/pet.json", "file:///etc/passwd", "#/$defs/pet", "#pet"] {
        assert_eq!(place_of(&property(json!({"$ref": target}))), "/properties/a/$ref", "{target}");
    }
    assert_eq!(place_of(&property(json!({"$dynamicRef": "#x"}))), "/properties/a/$dynamicRef");
    assert_eq!(place_of(&property(json!({"$id": "https://example.com/x"}))), "/properties/a/$id");
}

#[test]
fn a_reference_to_itself_is_refused_however_long_the_way_round() {
    assert!(check(&property(json!({"$ref": "#"}))).unwrap_err().problem.contains("refers to itself"));
    let round = json!({
        "type": "object",
        "allOf": [{"$ref": "#/$defs/a"}],
        "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"not": {"$ref": "#/$defs/a"}}}
    });
    assert!(check(&round).unwrap_err().problem.contains("refers to itself"));
}

#[test]
fn a_small_schema_that_stands_for_a_huge_one_is_refused() {
    let wide = json!({"$ref": "#/$defs/wide"});
    let many = json!({
        "type": "object",
        "properties": {"a": {"anyOf": vec![json!({"$ref": "#/$defs/middle"}); 120]}},
        "$defs": {"middle": {"anyOf": vec![wide; 120]}, "wide": {"type": "string"}}
    });
    assert!(many.to_string().len() < MAX_BYTES / 4);
    assert!(check(&many).unwrap_err().problem.contains("10000 schemas"));
}

#[test]
fn references_in_a_row_are_bounded() {
    let row = |n: usize| {
        let defs = (0..n).map(|n| (format!("n{n}"), json!({"$ref": format!("#/$defs/n{}", n + 1)})));
        let mut defs = defs.collect::<Map<_, _>>();
        defs.insert(format!("n{n}"), json!({"type": "string"}));
        json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/n0"}}, "$defs": defs})
    };
    assert_eq!(check(&row(MAX_IN_A_ROW - 1)), Ok(()));
    assert!(check(&row(MAX_IN_A_ROW)).unwrap_err().problem.contains("in a row"));
}

#[test]
fn patterns_are_few_short_and_of_a_kind_that_cannot_run_away() {
    let pattern = |text: &str| property(json!({"type": "string", "pattern": text}));
    assert_eq!(check(&pattern(&"x".repeat(MAX_PATTERN_CHARS))), Ok(()));
    assert_eq!(place_of(&pattern(&"x".repeat(MAX_PATTERN_CHARS + 1))), "/properties/a/pattern");
    for refused in ["[", r"(a)\1", "(?=a)b", "(?<!a)b", "((a{100}){100}){100}"] {
        let problem = check(&pattern(refused)).unwrap_err();
        assert_eq!(problem.place, "/properties/a/pattern", "{refused}");
        assert!(problem.problem.contains("regular expression"), "{problem}");
    }
    let named = json!({"type": "object", "patternProperties": {"(?=a)b": {}}});
    assert_eq!(place_of(&named), "/patternProperties/(?=a)b");
    let many = |n: usize| {
        let all = (0..n).map(|n| (format!("p{n}"), json!({"pattern": "^x$"}))).collect::<Map<_, _>>();
        json!({"type": "object", "properties": all})
    };
    assert_eq!(check(&many(MAX_PATTERNS)), Ok(()));
    assert_eq!(place_of(&many(MAX_PATTERNS + 1)), "");
}

#[test]
fn a_pattern_that_would_backtrack_for_ever_is_answered() {
    // With backtracking this takes 2^60 steps: the test would not end.
    let schema = property(json!({"type": "string", "pattern": "^(a+)+$"}));
    assert_eq!(check(&schema), Ok(()));
    let validator = Validator::new(&schema).unwrap();
    assert!(!validator.accepts(&json!({"a": format!("{}!", "a".repeat(100_000))})));
    assert!(validator.accepts(&json!({"a": "a".repeat(100_000)})));
}

/// How deep the doubling goes: nobody lives to see the end of it.
const DOUBLINGS: usize = 40;

/// `d0` stands for `d1` twice, that for `d2` twice and so on; `within` says by which keyword.
fn doubling(within: impl Fn(Value) -> Value) -> Value {
    let defs = (0..DOUBLINGS).map(|n| {
        let next = json!({"$ref": format!("#/$defs/d{}", n + 1)});
        (format!("d{n}"), within(json!({"allOf": [next, next]})))
    });
    let mut defs = defs.collect::<Map<_, _>>();
    defs.insert(format!("d{DOUBLINGS}"), json!({"type": "object"}));
    json!({"type": "object", "$ref": "#/$defs/d0", "$defs": defs})
}

/// Every word that the library knows (the keywords that it compiles, and those that its compilers and its resolver look for),
/// and words that it does not know.
const WORDS: [(&str, Kind); 65] = [
    ("$anchor", Kind::Refused("use $ref and $defs")),
    ("$comment", Kind::Passed),
    ("$defs", Kind::Named),
    ("$dynamicAnchor", Kind::Refused("use $ref and $defs")),
    ("$dynamicRef", Kind::Refused("use $ref and $defs")),
    ("$id", Kind::Name),
    ("$recursiveAnchor", Kind::Refused("use $ref and $defs")),
    ("$recursiveRef", Kind::Refused("use $ref and $defs")),
    ("$ref", Kind::Reference),
    ("$schema", Kind::Dialect),
    ("$vocabulary", Kind::Refused("it is for what describes schemas")),
    ("additionalItems", Kind::Refused("use prefixItems and items")),
    ("additionalProperties", Kind::One),
    ("allOf", Kind::Listed),
    ("anyOf", Kind::Listed),
    ("const", Kind::Passed),
    ("contains", Kind::One),
    ("contentEncoding", Kind::Passed),
    ("contentMediaType", Kind::Passed),
    ("contentSchema", Kind::One),
    ("default", Kind::Passed),
    ("definitions", Kind::Named),
    ("dependencies", Kind::Refused("use dependentSchemas and dependentRequired")),
    ("dependentRequired", Kind::Passed),
    ("dependentSchemas", Kind::Named),
    ("deprecated", Kind::Passed),
    ("description", Kind::Passed),
    ("discriminator", Kind::Passed),
    ("else", Kind::One),
    ("enum", Kind::Passed),
    ("examples", Kind::Passed),
    ("exclusiveMaximum", Kind::Passed),
    ("exclusiveMinimum", Kind::Passed),
    ("format", Kind::Passed),
    ("id", Kind::Passed),
    ("if", Kind::One),
    ("items", Kind::One),
    ("maxContains", Kind::Passed),
    ("maxItems", Kind::Passed),
    ("maxLength", Kind::Passed),
    ("maxProperties", Kind::Passed),
    ("maximum", Kind::Passed),
    ("minContains", Kind::Passed),
    ("minItems", Kind::Passed),
    ("minLength", Kind::Passed),
    ("minProperties", Kind::Passed),
    ("minimum", Kind::Passed),
    ("multipleOf", Kind::Passed),
    ("not", Kind::One),
    ("nullable", Kind::Passed),
    ("oneOf", Kind::Listed),
    ("pattern", Kind::Pattern),
    ("patternProperties", Kind::ByPattern),
    ("prefixItems", Kind::Listed),
    ("properties", Kind::Named),
    ("propertyNames", Kind::One),
    ("readOnly", Kind::Passed),
    ("required", Kind::Passed),
    ("then", Kind::One),
    ("title", Kind::Passed),
    ("type", Kind::Passed),
    ("unevaluatedItems", Kind::One),
    ("unevaluatedProperties", Kind::One),
    ("uniqueItems", Kind::Passed),
    ("x-unknown", Kind::Passed),
];

/// `inner` in each of the shapes in which a keyword may hold schemas.
fn shapes(inner: &Value) -> [Value; 4] {
    [inner.clone(), json!([inner]), json!({"x": inner}), json!({"x": [inner]})]
}

/// `inner` as a value of this kind holds it; `None` when there is none that could.
fn held(kind: Kind, inner: &Value) -> Option<Value> {
    let [one, listed, named, _] = shapes(inner);
    match kind {
        Kind::One => Some(one),
        Kind::Listed => Some(listed),
        Kind::Named | Kind::ByPattern | Kind::Refused(_) => Some(named),
        Kind::Pattern | Kind::Reference | Kind::Dialect | Kind::Name | Kind::Passed => None,
    }
}

#[test]
fn what_is_passed_over_here_the_library_passes_over_too() {
    // Whoever compiles what is inside of a word stumbles over this.
    let trap = json!({"$ref": "#/$defs/nowhere"});
    for (word, kind) in WORDS {
        assert_eq!(Kind::of(word), kind, "{word}");
        for inside in shapes(&trap) {
            // A lone `then` is not run.
            let schema = json!({"if": true, word: inside});
            if bounded(&schema).is_ok() {
                assert!(!stumbles(&schema), "the library looks into {schema}");
            }
        }
        if let Some(inside) = held(kind, &trap) {
            let place = bounded(&json!({ word: inside })).unwrap_err().place;
            assert!(place.starts_with(&format!("/{word}")), "{place}");
        }
    }
    assert!(stumbles(&json!({"dependencies": {"x": trap}})), "the trap is one");
}

/// Whether the library fails at a reference.
fn stumbles(schema: &Value) -> bool {
    let problem = build(schema).err();
    problem.is_some_and(|e| matches!(e.kind(), ValidationErrorKind::Referencing(_)))
}

#[test]
fn no_keyword_hides_a_schema_that_doubles() {
    for (word, kind) in WORDS {
        let schema =
            doubling(|inner| held(kind, &inner).map_or(json!({}), |inner| json!({"if": true, word: inner})));
        let hidden = held(kind, &json!({})).is_some() && Validator::new(&schema).is_ok();
        assert!(!hidden, "{word}");
        assert!(schema.to_string().len() < MAX_BYTES / 4);
    }
}

#[test]
fn a_word_of_an_earlier_draft_is_refused_with_its_place_and_with_what_to_use_instead() {
    let problem = check(&doubling(|inner| json!({"dependencies": {"x": inner}}))).unwrap_err();
    assert_eq!(problem.place, "/$defs/d0/dependencies");
    assert!(problem.problem.contains("dependentSchemas"), "{problem}");
    assert_eq!(place_of(&property(json!({"additionalItems": false}))), "/properties/a/additionalItems");
    assert_eq!(place_of(&property(json!({"items": [{}]}))), "/properties/a/items");
    let named = json!({"type": "object", "properties": {"dependencies": {"type": "string"}, "$id": true}});
    assert_eq!(check(&named), Ok(()), "a property may have any name");
}

#[test]
fn a_schema_inside_is_of_the_same_draft() {
    assert_eq!(check(&property(json!({"$schema": DRAFT}))), Ok(()));
    let other = property(json!({"$schema": "http://json-schema.org/draft-07/schema#"}));
    assert_eq!(place_of(&other), "/properties/a/$schema");
    assert_eq!(Validator::new(&other).unwrap_err().place, "/properties/a/$schema");
}

#[test]
fn a_reference_leads_for_the_library_where_it_leads_here() {
    let schema = json!({
        "type": "object",
        "properties": {"a": {"$ref": "#/%24defs/a"}},
        "$defs": {"a": false},
        "%24defs": {"a": true}
    });
    assert_eq!(place_of(&schema), "/properties/a/$ref");
    for moving in [json!({"$id": "https://example.com/x", "b": true}), json!({"$schema": "x:y", "b": true})] {
        let schema = json!({"type": "object", "properties": {"a": {"$ref": "#/x/b"}}, "x": moving});
        assert_eq!(place_of(&schema), "/properties/a/$ref", "{schema}");
    }
}

#[test]
fn what_looks_at_all_others_once_more_counts_them_once_more() {
    let row = |n: usize, word: &str| {
        let defs = (0..n).map(|n| {
            let next = format!("#/$defs/n{}", n + 1);
            (format!("n{n}"), json!({"$ref": next, word: false}))
        });
        let mut defs = defs.collect::<Map<_, _>>();
        defs.insert(format!("n{n}"), json!({"properties": {"a": true}}));
        json!({"type": "object", "$ref": "#/$defs/n0", "$defs": defs})
    };
    for word in ["unevaluatedProperties", "unevaluatedItems"] {
        assert_eq!(check(&row(4, word)), Ok(()), "{word}");
        assert!(check(&row(MAX_IN_A_ROW - 1, word)).unwrap_err().problem.contains("10000 schemas"), "{word}");
    }
}
