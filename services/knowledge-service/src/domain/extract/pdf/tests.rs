//! PDFs that `lopdf` writes, and ones that nobody should.

use lopdf::content::{Content, Operation};
use lopdf::{Document, Object, SaveOptions, Stream, dictionary};

use super::*;

fn operation(operator: &str, operands: Vec<Object>) -> Operation {
    Operation::new(operator, operands)
}

/// The drawing of one page: lines of text, 14 points apart.
fn drawing(lines: &[&str]) -> Vec<u8> {
    let mut operations = vec![
        operation("BT", vec![]),
        operation("Tf", vec!["F1".into(), 12.into()]),
        operation("Td", vec![50.into(), 700.into()]),
    ];
    for line in lines {
        operations.push(operation("Tj", vec![Object::string_literal(*line)]));
        operations.push(operation("Td", vec![0.into(), (-14).into()]));
    }
    operations.push(operation("ET", vec![]));
    Content { operations }.encode().unwrap()
}

/// A document with one page for each drawing.
fn document(drawings: Vec<Vec<u8>>) -> Document {
    let mut document = Document::with_version("1.5");
    let tree = document.new_object_id();
    let font = document.add_object(dictionary! {
        "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica", "Encoding" => "WinAnsiEncoding",
    });
    let resources = document.add_object(dictionary! { "Font" => dictionary! { "F1" => font } });
    let pages: Vec<Object> = drawings
        .into_iter()
        .map(|drawing| {
            let content = document.add_object(Stream::new(dictionary! {}, drawing));
            let page = dictionary! { "Type" => "Page", "Parent" => tree, "Contents" => content, "Resources" => resources };
            document.add_object(page).into()
        })
        .collect();
    let count = i64::try_from(pages.len()).unwrap();
    document
        .objects
        .insert(tree, dictionary! { "Type" => "Pages", "Kids" => pages, "Count" => count }.into());
    let root = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => tree });
    let info = document.add_object(dictionary! { "Title" => Object::string_literal("The price list") });
    document.trailer.set("Root", root);
    document.trailer.set("Info", info);
    document
}

fn saved(mut document: Document) -> Vec<u8> {
    document.compress();
    let mut out = Vec::new();
    document.save_to(&mut out).unwrap();
    out
}

fn packed(mut document: Document) -> Vec<u8> {
    document.compress();
    let mut out = Vec::new();
    let options = SaveOptions::builder().use_object_streams(true).use_xref_streams(true).build();
    document.save_with_options(&mut out, options).unwrap();
    out
}

fn text(bytes: &[u8]) -> String {
    read(bytes, &|| false).unwrap().text
}

fn problem(bytes: &[u8]) -> String {
    read(bytes, &|| false).unwrap_err().0
}

#[test]
fn the_text_of_each_page_is_read_line_by_line() {
    let pages = || {
        document(vec![
            drawing(&["Apples cost", "two euros \\(caf\\351\\)."]),
            drawing(&["Pears cost three."]),
        ])
    };
    for bytes in [saved(pages()), packed(pages())] {
        let page = read(&bytes, &|| false).unwrap();
        assert_eq!(page.title.as_deref(), Some("The price list"));
        assert_eq!(page.text.trim_end(), "Apples cost\ntwo euros \\(caf\\351\\).\n\nPears cost three.");
    }
}

#[test]
fn gaps_are_spaces_and_small_ones_are_none() {
    let draw = |content: &str| text(&saved(document(vec![content.as_bytes().to_vec()])));
    assert_eq!(draw("BT /F1 10 Tf [(W) 80 (ord) -300 (two)] TJ ET").trim_end(), "Word two");
    assert_eq!(
        draw("BT /F1 10 Tf 1 0 0 1 50 700 Tm (left) Tj 1 0 0 1 200 700 Tm (right) Tj ET").trim_end(),
        "left right"
    );
    assert_eq!(
        draw("BT /F1 10 Tf 12 TL (a) Tj T* (b) Tj (c) ' 0 -40 Td (d) Tj ET").trim_end(),
        "a\nb\nc\n\nd"
    );
    assert_eq!(
        draw("q 1 0 0 1 0 100 cm BT /F1 10 Tf (a) Tj ET Q q 1 0 0 1 0 88 cm BT (b) Tj ET Q").trim_end(),
        "a\nb"
    );
    assert_eq!(draw("BT /F1 10 Tf (x) Tj 4 3 Td (2) Tj ET").trim_end(), "x 2");
}

#[test]
fn what_is_none_is_broken_encrypted_or_a_scan_is_refused_with_a_sentence() {
    assert!(problem(b"<html>%PD</html>").contains("is none"));
    assert!(problem(b"%PDF-1.5\nnothing in it").contains("is none"));
    let whole = saved(document(vec![drawing(&["text"])]));
    assert!(problem(&whole[..200]).contains("is none"));
    assert!(problem(&saved(document(vec![Vec::new()]))).contains("scan"));
    let mut locked = document(vec![drawing(&["secret"])]);
    locked.trailer.set("Encrypt", dictionary! { "Filter" => "Standard" });
    assert!(problem(&saved(locked)).contains("encrypted"));
}

#[test]
fn a_file_with_a_wrong_table_is_read_all_the_same() {
    let mut bytes = saved(document(vec![drawing(&["still there"])]));
    let table = bytes.windows(4).rposition(|window| window == b"xref").unwrap();
    bytes.truncate(table);
    assert_eq!(text(&bytes).trim_end(), "still there");
}

#[test]
fn a_small_file_that_stands_for_a_large_one_is_refused() {
    let zeros = vec![b' '; LARGEST_PAGE + 1];
    assert!(problem(&saved(document(vec![zeros]))).contains("page 1 is too large"));
    let many = format!("%PDF-1.5\n{}", "1 0 obj [".repeat(50_000));
    assert!(
        problem(many.as_bytes()).contains("a file of its size")
            || problem(many.as_bytes()).contains("is none")
    );
    let open = format!("%PDF-1.5\n{}", "1 0 obj (".repeat(50_000));
    assert!(!problem(open.as_bytes()).is_empty());
    let zeros = format!("%PDF-1.5\n1 0 obj [{}] endobj", "0 ".repeat(600_000));
    assert!(problem(zeros.as_bytes()).contains("a file of its size"));
    // A thousand objects that are all the same large one.
    let index: String = (10..1_010).map(|id| format!("{id} 0 ")).collect();
    let large = format!("[{}]", "0 ".repeat(10_000));
    let stream = format!("{index}{large}");
    let bomb = format!(
        "%PDF-1.5\n1 0 obj <</Type/ObjStm/N 1000/First {}/Length {}>> stream\n{stream}\nendstream endobj",
        index.len(),
        stream.len()
    );
    assert!(problem(bomb.as_bytes()).contains("a file of its size"));
}

#[test]
fn drawings_that_are_nested_without_end_are_no_danger() {
    for content in ["[".repeat(100_000), "(".repeat(100_000), "<<".repeat(100_000), "q ".repeat(100_000)] {
        let drawing = format!("BT /F1 10 Tf (before) Tj ET {content}");
        let page = read(&saved(document(vec![drawing.into_bytes()])), &|| false);
        assert!(page.is_err() || page.unwrap().text.contains("before"));
    }
}

#[test]
fn work_that_nobody_waits_for_ends() {
    let bytes = saved(document(vec![drawing(&["text"])]));
    assert!(read(&bytes, &|| true).unwrap_err().0.contains("too long"));
}
