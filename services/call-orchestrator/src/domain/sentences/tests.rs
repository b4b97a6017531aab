use proptest::prelude::*;

use super::*;

fn split(text: &str) -> Vec<String> {
    let mut splitter = Splitter::new();
    let mut sentences = splitter.push(text);
    sentences.extend(splitter.finish());
    sentences
}

#[test]
fn sentences_are_cut_behind_their_stops() {
    assert_eq!(
        split("Hi, is this John? Great! I call from Acme."),
        ["Hi, is this John?", "Great!", "I call from Acme."]
    );
}

#[test]
fn a_sentence_is_given_out_as_soon_as_the_next_one_begins() {
    let mut splitter = Splitter::new();
    assert_eq!(splitter.push("Hello"), [] as [&str; 0]);
    assert_eq!(splitter.push(" there."), [] as [&str; 0]);
    assert_eq!(splitter.push(" How"), ["Hello there."]);
    assert_eq!(splitter.push(" are you?"), [] as [&str; 0]);
    assert_eq!(splitter.finish().as_deref(), Some("How are you?"));
    assert_eq!(splitter.finish(), None);
}

#[test]
fn titles_and_abbreviations_do_not_end_a_sentence() {
    for whole in [
        "You see Dr. Patel with Mrs. Jones.",
        "Bring an id, e.g. a passport, i.e. anything with a photo.",
        "We ship to the U.S. and to St. Louis.",
        "Ask for J. Smith vs. the others.",
        "It is at 10 a.m. on Monday.",
        "It is at 10 a.m. Monday, or at 2 p.m. Pacific time.",
        "It is on Jan. 5 at Acme Inc. in town.",
    ] {
        assert_eq!(split(whole), [whole]);
    }
}

#[test]
fn an_abbreviation_at_the_end_ends_the_sentence_when_a_new_one_begins() {
    assert_eq!(split("It is at 10 a.m. Does that work?"), ["It is at 10 a.m.", "Does that work?"]);
    assert_eq!(split("We are Acme Inc. We ship parts."), ["We are Acme Inc.", "We ship parts."]);
}

#[test]
fn numbers_addresses_and_list_numbers_stay_whole() {
    assert_eq!(
        split("It costs 10.30 at acme.com today. Bye."),
        ["It costs 10.30 at acme.com today.", "Bye."]
    );
    assert_eq!(split("1. Milk for you.\n2. Bread."), ["1. Milk for you.", "2. Bread."]);
    assert_eq!(split("Come at 10. Then we talk."), ["Come at 10.", "Then we talk."]);
}

#[test]
fn quotes_and_brackets_behind_a_stop_belong_to_the_sentence() {
    assert_eq!(
        split("She said \"No.\" We left. (It rained.) Bye."),
        ["She said \"No.\"", "We left.", "(It rained.)", "Bye."]
    );
}

#[test]
fn an_ellipsis_ends_a_sentence_only_before_a_capital() {
    assert_eq!(
        split("Well... let me see. One moment… Here it is."),
        ["Well... let me see.", "One moment…", "Here it is."]
    );
}

#[test]
fn several_stops_are_one_end() {
    assert_eq!(split("Really?! Yes!! Good."), ["Really?!", "Yes!!", "Good."]);
}

#[test]
fn chinese_and_japanese_sentences_need_no_space() {
    assert_eq!(
        split("你好。你在吗？「はい。」さようなら。"),
        ["你好。", "你在吗？", "「はい。」", "さようなら。"]
    );
}

#[test]
fn a_new_line_ends_a_piece_also_without_a_stop() {
    assert_eq!(split("Your order\n\nMilk\nBread"), ["Your order", "Milk", "Bread"]);
}

#[test]
fn marks_of_markdown_are_not_spoken() {
    assert_eq!(
        split("## Your order\n* **Milk**, _fresh_\n- `Bread`"),
        ["Your order", "Milk, fresh", "- Bread"]
    );
    assert_eq!(split("**Hello there.** How are you?"), ["Hello there.", "How are you?"]);
}

#[test]
fn signs_that_mean_something_are_spoken() {
    let whole = "Mail john_doe@acme.com, press * or dial #5 for 2*3.";
    assert_eq!(split(whole), [whole]);
}

#[test]
fn a_piece_of_nothing_but_marks_is_not_spoken() {
    assert_eq!(split("***\nHello."), ["Hello."]);
    assert_eq!(split(" \n\t "), [] as [&str; 0]);
}

#[test]
fn an_endless_sentence_is_cut_at_a_comma_else_at_a_space_else_at_the_limit() {
    let comma = split(&format!("{}, {}", "word ".repeat(50).trim(), "word ".repeat(80)));
    assert!(comma[0].ends_with("word,") && comma[0].len() == 250, "{comma:?}");
    let space = split(&"word ".repeat(100));
    assert_eq!(space[0].len(), 399);
    let solid = split(&"x".repeat(1_000));
    assert_eq!(solid.iter().map(String::len).collect::<Vec<_>>(), [400, 400, 200]);
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && !"*_#`".contains(*c)).collect()
}

fn any_text() -> impl Strategy<Value = String> {
    let words = proptest::sample::select(vec![
        "Hello",
        "world",
        "Dr.",
        "a.m.",
        "U.S.",
        "e.g.",
        "10.30",
        "...",
        "…",
        "?!",
        ".",
        "\n",
        " ",
        " ",
        " ",
        ", ",
        "\"",
        "”",
        "。",
        "你好",
        "**",
        "_",
        "#",
        "`",
        "I.",
        "wordwordwordword",
        "Monday",
        "ß",
        "(",
        ")",
    ]);
    prop_oneof![
        proptest::collection::vec(words, 0..200).prop_map(|words| words.concat()),
        any::<String>(),
        proptest::collection::vec("[a-z]{1,30}", 0..60).prop_map(|words| words.join(" ")),
    ]
}

proptest! {
    #[test]
    fn nothing_is_lost_doubled_or_moved(text in any_text()) {
        let sentences = split(&text);
        prop_assert_eq!(letters(&sentences.concat()), letters(&text));
    }

    #[test]
    fn pieces_are_trimmed_bounded_and_never_empty(text in any_text()) {
        for sentence in split(&text) {
            prop_assert!(!sentence.is_empty());
            prop_assert_eq!(sentence.trim(), sentence.as_str());
            prop_assert!(sentence.chars().count() <= MAX_CHARS);
        }
    }

    #[test]
    fn the_cuts_do_not_depend_on_how_the_text_was_chopped(text in any_text(), size in 1..20_usize) {
        let mut splitter = Splitter::new();
        let chars = text.chars().collect::<Vec<_>>();
        let mut sentences = Vec::new();
        for chunk in chars.chunks(size) {
            sentences.extend(splitter.push(&chunk.iter().collect::<String>()));
        }
        sentences.extend(splitter.finish());
        prop_assert_eq!(sentences, split(&text));
    }
}
