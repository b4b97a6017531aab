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
