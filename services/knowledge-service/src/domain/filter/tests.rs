use proptest::prelude::*;

use super::*;

const CANARY: &str = "k4n4ry-77";

fn allowed() -> Allowed {
    Allowed { sources: 2, hosts: vec!["docs.example".to_owned()] }
}

fn filtered(pieces: &[&str]) -> Result<String, Leak> {
    let mut filter = Filter::new(&allowed(), CANARY);
    let mut out = String::new();
    for piece in pieces {
        out.push_str(&filter.push(piece)?);
    }
    out.push_str(&filter.finish()?);
    Ok(out)
}

#[test]
fn what_is_harmless_passes_and_the_rest_loses_its_teeth() {
    for (given, expected) in [
        ("Open 9–17 [1], a < b, x <= 3.", "Open 9–17 [1], a < b, x <= 3."),
        (
            "See [the page](https://docs.example/a?b=1#c) [2].",
            "See [the page](https://docs.example/a?b=1#c) [2].",
        ),
        (
            "https://docs.example/x, and http://DOCS.example:80.",
            "https://docs.example/x, and http://DOCS.example:80.",
        ),
        ("No such [3] [0] [7, 1].", "No such   [1]."),
        ("[[3]3]", "(3)"),
        ("![x](https://docs.example/i.png)", "! [x](https://docs.example/i.png)"),
        ("![x](https://evil.example/i.png)", "!x"),
        ("[x](https://evil.example/?q=secret)", "x"),
        ("[x](javascript:alert(1))", "(x)(javascript:alert(1))"),
        ("[1](https://docs.example/)", "[1] (https://docs.example/)"),
        ("[1]: https://evil.example", "[1] : https evil.example"),
        ("<img src=x> </b> <!-- <", "‹img src=x> ‹/b> ‹!-- ‹"),
        ("!<b>[x](https://docs.example/)", "!‹b>[x](https://docs.example/)"),
        (
            "https://docs.example.evil.example/ https://docs.example@evil.example",
            "https docs.example.evil.example/ https docs.example@evil.example",
        ),
        ("https://docs.example/?u=https://evil.example", "https docs.example/?u=https evil.example"),
        ("[https://evil.example](https://docs.example)", "https evil.example"),
        ("[an unfinished (link", "(an unfinished (link"),
    ] {
        assert_eq!(filtered(&[given]).as_deref(), Ok(expected), "{given}");
        assert_eq!(filtered(&[expected]).as_deref(), Ok(expected), "again: {given}");
    }
}

#[test]
fn the_canary_cuts_off_wherever_it_stands_and_however_it_comes() {
    for pieces in [
        &["k4n4ry-77"][..],
        &["It is k4n", "4ry", "-77"],
        &["kk4n4ry-7", "7 and more"],
        &["K4N4RY-77"],
        &["k4n4[9]ry-77"],
    ] {
        assert_eq!(filtered(pieces), Err(Leak), "{pieces:?}");
    }
    assert_eq!(filtered(&["k4n4ry-7"]).as_deref(), Ok("k4n4ry-7"));
}

#[test]
fn words_are_not_held_back() {
    let mut filter = Filter::new(&allowed(), CANARY);
    assert_eq!(filter.push("Hello wor").as_deref(), Ok("Hello wor"));
    assert_eq!(filter.push("ld [1] a").as_deref(), Ok("ld [1] a"));
}

fn nasty() -> impl Strategy<Value = Vec<String>> {
    let fragments = prop::sample::select(vec![
        "[",
        "]",
        "(",
        ")",
        "!",
        "<",
        ">",
        ":",
        "/",
        "//",
        "://",
        "http",
        "https",
        "https://",
        "docs.example",
        "evil.example",
        "1",
        "2",
        "3",
        ",",
        " ",
        "\n",
        "a",
        "b>",
        "é",
        "。",
        "[1]",
        "[3]",
        "[x](https://docs.example/)",
        "![",
        "](",
        "@",
        "\\",
        "'",
        ".",
        "www.",
        "k4n4",
        "ry-7",
    ]);
    prop::collection::vec(fragments.prop_map(str::to_owned), 0..24)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn how_it_is_cut_does_not_matter(pieces in nasty()) {
        let whole = pieces.concat();
        let letters: Vec<String> = whole.chars().map(String::from).collect();
        let one = filtered(&[&whole]);
        prop_assert_eq!(&one, &filtered(&pieces.iter().map(String::as_str).collect::<Vec<_>>()));
        prop_assert_eq!(&one, &filtered(&letters.iter().map(String::as_str).collect::<Vec<_>>()));
    }

    #[test]
    fn what_came_out_is_harmless_and_stays_as_it_is(pieces in nasty()) {
        let Ok(out) = filtered(&[&pieces.concat()]) else { return Ok(()) };
        prop_assert_eq!(filtered(&[&out]), Ok(out.clone()));
        prop_assert!(!out.contains("!["));
        prop_assert!(!out.contains(CANARY));
        for (at, _) in out.match_indices('<') {
            let next = out[at + 1..].chars().next();
            prop_assert!(next.is_some_and(|c| c.is_whitespace() || c.is_ascii_digit() || c == '='), "{}", out);
        }
        for (at, _) in out.match_indices("://") {
            let scheme = if out[..at].ends_with("https") { "https" } else { "http" };
            let rest = out[at..].split(addresses::ends_address).next().unwrap();
            prop_assert!(is_allowed(&format!("{scheme}{rest}"), &allowed().hosts), "{}", out);
        }
        for (at, _) in out.match_indices('[') {
            let (words, after) = out[at + 1..].split_once(']').expect("a bracket is closed");
            let cited = matches!(words, "1" | "2") && !after.starts_with(['(', ':']);
            let linked = after.starts_with("(http") && words.parse::<usize>().is_err();
            prop_assert!(cited || linked, "{}", out);
        }
    }
}
