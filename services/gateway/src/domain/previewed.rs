//! How a caller names the customers about whom a preview is asked for.

use contracts::ids::CustomerId;
use serde_json::Value;

use super::phone::PhoneE164;
use super::problem::Problem;
use super::text::ExternalId;

/// Most customers in one preview.
pub(crate) const MOST: usize = 1_000;
/// Most problems that are told at once.
const TOLD: usize = 50;

/// One customer, by one of the names that there are for them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Named {
    /// By our id.
    Id(CustomerId),
    /// By the integrator's own id.
    External(String),
    /// By a number, which need not be a customer's.
    Phone(String),
}

/// Reads `customer_ids`: an array of ids.
pub(crate) fn ids(value: &Value) -> Result<Vec<Named>, Vec<Problem>> {
    let id = |value: &Value| {
        let id = value.as_str().and_then(|text| text.parse().ok());
        id.map(Named::Id).ok_or_else(|| Problem::new("", "must be a customer's id, a UUID"))
    };
    each(value, id)
}

/// Reads `customers`: an array of objects with one name each.
pub(crate) fn objects(value: &Value) -> Result<Vec<Named>, Vec<Problem>> {
    each(value, object)
}

fn object(value: &Value) -> Result<Named, Problem> {
    const NAMES: [&str; 3] = ["customer_id", "customer_external_id", "phone"];
    const ONE: &str = "must have exactly one of customer_id, customer_external_id and phone";
    let given: Vec<(&str, &Value)> =
        NAMES.iter().filter_map(|name| Some((*name, value.get(name).filter(|v| !v.is_null())?))).collect();
    let [(name, value)] = given[..] else { return Err(Problem::new("", ONE)) };
    let wrong = |problem: String| Problem::new(format!("/{name}"), problem);
    let text = value.as_str().ok_or_else(|| wrong("must be a string".to_owned()))?;
    match name {
        "customer_id" => text.parse().map(Named::Id).map_err(|_| wrong("must be a UUID".to_owned())),
        "phone" => PhoneE164::parse(text).map(|phone| Named::Phone(phone.into_inner())).map_err(wrong),
        _ => ExternalId::parse(text).map(|id| Named::External(id.into())).map_err(wrong),
    }
}

fn each(value: &Value, read: impl Fn(&Value) -> Result<Named, Problem>) -> Result<Vec<Named>, Vec<Problem>> {
    let all = value.as_array().ok_or_else(|| vec![Problem::new("", "must be an array")])?;
    if all.is_empty() || all.len() > MOST {
        return Err(vec![Problem::new("", format!("must have 1 to {MOST} entries, not {}", all.len()))]);
    }
    let (mut named, mut problems) = (Vec::with_capacity(all.len()), Vec::new());
    for (n, value) in all.iter().enumerate() {
        match read(value) {
            Ok(one) => named.push(one),
            Err(problem) => problems.push(problem.inside(&format!("/{n}"))),
        }
    }
    problems.truncate(TOLD);
    if problems.is_empty() { Ok(named) } else { Err(problems) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_customer_has_exactly_one_name() {
        let id = CustomerId::new();
        let named = objects(&json!([
            {"customer_id": id.to_string(), "phone": null}, {"customer_external_id": "user_1"}, {"phone": "+14155552671"}
        ]));
        let expected = vec![
            Named::Id(id),
            Named::External("user_1".to_owned()),
            Named::Phone("+14155552671".to_owned()),
        ];
        assert_eq!(named, Ok(expected));
        let problems = objects(&json!([
            {}, {"customer_id": id.to_string(), "phone": "+14155552671"}, 7, {"phone": "12"}, {"customer_id": 7}
        ]));
        let places: Vec<String> = problems.unwrap_err().into_iter().map(|p| p.field).collect();
        assert_eq!(places, ["/0", "/1", "/2", "/3/phone", "/4/customer_id"]);
    }

    #[test]
    fn there_are_one_to_a_thousand() {
        let many = |n: usize| Value::Array(vec![json!(CustomerId::new().to_string()); n]);
        assert_eq!(ids(&many(1_000)).map(|named| named.len()), Ok(1_000));
        for wrong in [many(0), many(1_001), json!({}), json!(["x"]), json!([7])] {
            assert!(ids(&wrong).is_err());
        }
    }
}
