//! Vectors of Twilio's libraries and documentation, and each of them damaged by one byte.

use super::*;

const TOKEN: &str = "12345";
const JSON: &[u8] = br#"{"property": "value", "boolean": true}"#;

struct Vector {
    url: &'static str,
    form: &'static [(&'static str, &'static str)],
    signature: &'static str,
}

const P: &[(&str, &str)] = &[
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675309"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
];

const P_OTHER_CALLER: &[(&str, &str)] = &[
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675310"),
    ("Digits", "1234"),
    ("From", "+14158675310"),
    ("To", "+18005551212"),
];

const fn vector(
    url: &'static str,
    form: &'static [(&'static str, &'static str)],
    signature: &'static str,
) -> Vector {
    Vector { url, form, signature }
}

const BASE: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";

const VECTORS: [Vector; 14] = [
    vector(BASE, P, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
    vector(
        BASE,
        &[
            ("Sid", "CA123"),
            ("SidAccount", "AC123"),
            ("Digits", "5678"),
            ("Digits", "1234"),
            ("Digits", "1234"),
        ],
        "IK+Dwps556ElfBT0I3Rgjkr1wJU=",
    ),
    vector(
        "https://mycompany.com/myapp.php?foo=1&bar=2&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620",
        &[],
        "a9nBmqA0ju/hNViExpshrM61xv4=",
    ),
    vector("http://mycompany.com:1234/myapp.php?foo=1&bar=2", P, "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
    vector("https://mycompany.com:443/myapp.php?foo=1&bar=2", P, "kvajT1Ptam85bY51eRf/AJRuM3w="),
    vector("http://mycompany.com:80/myapp.php?foo=1&bar=2", P, "0ZXoZLH/DfblKGATFgpif+LLRf4="),
    vector("https://user:pass@mycompany.com/myapp.php?foo=1&bar=2", P, "CukzLTc1tT5dXEDIHm/tKBanW10="),
    vector(
        "https://mycompany.com/myapp.php?foo=1&bar=2&Body=It%27s+amazing",
        P,
        "TfZzewPq8wqrGlMfyAud8+/IvJ0=",
    ),
    vector(
        BASE,
        &[("MessagingBinding.Address", "+1325xxxxxxx"), ("MessagingBinding.Address", "+1415xxxxxxx")],
        "83O6e2vORAoJHUNzJjDWN1jz+BA=",
    ),
    vector(
        "https://example.com/voice-response?bot_id=bot_1",
        &[("CallSid", "CA1"), ("Confidence", "0.95"), ("SpeechResult", "Ja, für vier – bitte")],
        "jKc6KmgiKejhr3cX1UljpyaGFx8=",
    ),
    vector("https://example.com/v", &[("A", ""), ("B", "x")], "PdqZi1OFU9NuZ4Yid89K+aQPaPU="),
    vector(
        "https://example.com/v",
        &[("a", "1"), ("B", "2"), ("msg", "Gather End"), ("FinishedOnKey", "")],
        "ALaY21WbiPQl/YSWkdwIH+nqvNI=",
    ),
    vector(
        "https://example.com/voice?bot_id=1&CallSid=CA123&From=%2B14155550100",
        &[],
        "EnPdTibrc+5d1omIaymN/XHDp1k=",
    ),
    vector("https://example.com/myapp.php?foo=1&bar=2", P_OTHER_CALLER, "L/OH5YylLD5NRKLltdqwSvS0BnU="),
];

fn form(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Replaces the last character of a text by another letter or digit.
fn damaged(text: &str) -> String {
    let mut text = text.to_owned();
    let last = text.pop();
    text.push(if last == Some('x') { 'y' } else { 'x' });
    text
}

#[test]
fn every_vector_is_signed_as_published() {
    for v in &VECTORS {
        assert_eq!(sign(TOKEN, v.url, &form(v.form)), v.signature, "{}", v.url);
    }
}

#[test]
fn every_vector_verifies() {
    for v in &VECTORS {
        assert!(verify(TOKEN, v.url, &form(v.form), v.signature), "{}", v.url);
    }
}

#[test]
fn one_changed_byte_of_the_url_is_noticed() {
    for v in &VECTORS {
        assert!(!verify(TOKEN, &damaged(v.url), &form(v.form), v.signature), "{}", v.url);
    }
}

#[test]
fn one_changed_byte_of_any_parameter_is_noticed() {
    for v in &VECTORS {
        for at in 0..v.form.len() {
            let mut name_changed = form(v.form);
            name_changed[at].0 = damaged(&name_changed[at].0);
            assert!(!verify(TOKEN, v.url, &name_changed, v.signature), "{} name {at}", v.url);

            let mut value_changed = form(v.form);
            value_changed[at].1 = damaged(&value_changed[at].1);
            assert!(!verify(TOKEN, v.url, &value_changed, v.signature), "{} value {at}", v.url);
        }
    }
}

#[test]
fn one_changed_byte_of_the_signature_is_noticed() {
    for v in &VECTORS {
        for at in 0..v.signature.len() {
            let mut bytes = v.signature.as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let header = String::from_utf8(bytes).unwrap();
            assert!(!verify(TOKEN, v.url, &form(v.form), &header), "{} byte {at}", v.url);
        }
    }
}

#[test]
fn another_token_and_an_empty_header_are_refused() {
    let v = &VECTORS[0];
    assert!(!verify("12346", v.url, &form(v.form), v.signature));
    assert!(!verify(TOKEN, v.url, &form(v.form), ""));
    assert!(!verify(TOKEN, v.url, &form(v.form), &v.signature[..27]));
}

#[test]
fn the_port_may_be_missing_there_or_the_standard_one() {
    let p = form(P);
    assert!(verify(TOKEN, "https://mycompany.com:8443/myapp.php?foo=1&bar=2", &p, VECTORS[0].signature));
    assert!(verify(TOKEN, BASE, &p, VECTORS[4].signature));
    assert!(verify(TOKEN, "http://mycompany.com/myapp.php?foo=1&bar=2", &p, VECTORS[5].signature));
    assert!(!verify(TOKEN, "http://mycompany.com:1235/myapp.php?foo=1&bar=2", &p, VECTORS[3].signature));
}

#[test]
fn the_fragment_is_never_signed() {
    let url = format!("{BASE}#rc=2&rp=5xx,ct,rt&rt=4000");
    assert!(verify(TOKEN, &url, &form(P), VECTORS[0].signature));
}

#[test]
fn a_url_with_credentials_may_be_signed_with_and_without_them() {
    let url = "https://user:pass@mycompany.com/myapp.php?foo=1&bar=2";
    assert!(verify(TOKEN, url, &form(P), VECTORS[6].signature));
    assert!(verify(TOKEN, url, &form(P), VECTORS[0].signature));
    let ported = "https://user:pass@mycompany.com:8443/myapp.php?foo=1&bar=2";
    assert!(verify(TOKEN, ported, &form(P), VECTORS[0].signature));
}

#[test]
fn an_at_sign_or_colon_behind_the_host_is_left_alone() {
    let url = "https://example.com/a:1/b@c?d=e@f:80";
    let signature = sign(TOKEN, url, &[]);
    assert!(verify(TOKEN, url, &[], &signature));
    let only_query = "https://example.com:1?x=1";
    assert!(verify(TOKEN, only_query, &[], &sign(TOKEN, "https://example.com?x=1", &[])));
    let v6 = "https://[::1]:8443/v";
    assert!(verify(TOKEN, v6, &[], &sign(TOKEN, "https://[::1]/v", &[])));
}

#[test]
fn a_json_body_is_bound_by_its_hash() {
    let v = &VECTORS[2];
    assert!(verify_body(TOKEN, v.url, JSON, v.signature));
    assert!(!verify_body(TOKEN, v.url, &JSON[1..], v.signature), "another body");
    assert!(!verify_body(TOKEN, &damaged(v.url), JSON, v.signature), "another hash");
    assert!(!verify_body(TOKEN, BASE, JSON, &sign(TOKEN, BASE, &[])), "no hash at all");
}

#[test]
fn an_input_that_is_no_url_is_refused_quietly() {
    for url in ["", "https://", "://", "nonsense", "https://:443", "https://@/"] {
        assert!(!verify(TOKEN, url, &[], VECTORS[0].signature));
    }
}
