//! The main text of a web page: what an article extractor keeps, in Markdown; where it keeps too little (tables and lists of an
//! API), all that can be seen outside of menus, sidebars and footers.

use dom_query::{Document, NodeRef};
use dom_smoothie::{Config, Readability};
use html5ever::tendril::{StrTendril, TendrilSink as _};
use html5ever::tree_builder::TreeBuilderOpts;
use html5ever::{ParseOpts, parse_document};

use super::render::render;
use super::{Page, Unreadable, hidden};

/// A page is parsed in pieces of so many bytes: between them it is looked at what it grows to.
const PIECE: usize = 8 * 1024;
/// The most nodes.
const MOST_NODES: usize = 200_000;
/// The deepest nesting.
const DEEPEST: usize = 512;
/// The share of the visible text that an extractor must keep to be believed: one in four.
const KEPT: usize = 4;

/// What stands around a text on many pages of a site.
const FURNITURE: [&str; 3] = ["nav", "aside", "footer"];
const FURNITURE_ROLES: [&str; 5] = ["navigation", "banner", "contentinfo", "complementary", "search"];

pub(super) fn read(html: &str, late: &dyn Fn() -> bool) -> Result<Page, Unreadable> {
    let document = parse(html, late)?;
    hidden::remove(&document);
    let title = title(&document);
    let whole = whole(&document);
    if late() {
        return Err(Unreadable::late());
    }
    let text = match main(document) {
        Some(main) if seen(&main) * KEPT >= seen(&whole) => main,
        _ => whole,
    };
    Ok(Page { title, text })
}

/// Parses a page that stays within its bounds.
fn parse(html: &str, late: &dyn Fn() -> bool) -> Result<Document, Unreadable> {
    let tree_builder = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
    let mut parser = parse_document(Document::default(), ParseOpts { tree_builder, ..ParseOpts::default() });
    let mut rest = html;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.ceil_char_boundary(PIECE.min(rest.len())));
        rest = after;
        parser.process(StrTendril::from(piece));
        let document = &parser.tokenizer.sink.sink;
        document.errors.borrow_mut().clear();
        if document.tree.len() > MOST_NODES {
            return Err(Unreadable::new(format!("leads to a page of more than {MOST_NODES} elements")));
        }
        if is_deep(document) {
            return Err(too_deep());
        }
        if late() {
            return Err(Unreadable::late());
        }
    }
    let document = parser.finish();
    let deep =
        document.root().descendants_it().any(|node| node.first_child().is_none() && depth(&node) > DEEPEST);
    match deep {
        true => Err(too_deep()),
        false => Ok(document),
    }
}

fn too_deep() -> Unreadable {
    Unreadable::new(format!("leads to a page that is nested more than {DEEPEST} levels deep"))
}

/// Where the parser is now: what it opened last is nested too deep.
fn is_deep(document: &Document) -> bool {
    let mut node = document.root();
    for _ in 0..=DEEPEST {
        match node.last_child() {
            Some(last) => node = last,
            None => return false,
        }
    }
    true
}

fn depth(node: &NodeRef<'_>) -> usize {
    node.ancestors_it(None).take(DEEPEST + 1).count()
}

/// What the page calls itself, or its first headline.
fn title(document: &Document) -> Option<String> {
    let of = |selector: &str| {
        let text = document.select_single(selector).text();
        Some(text.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|title| !title.is_empty())
    };
    of("head > title").or_else(|| of("h1"))
}

/// All that can be seen but furniture, which is taken out for good, or all if there is nothing else.
fn whole(document: &Document) -> String {
    let Some(body) = document.body() else { return String::new() };
    let text = render(&body, &is_furniture);
    if text.is_empty() {
        return render(&body, &|_, _| false);
    }
    let named = |node: &NodeRef<'_>| node.node_name().is_some_and(|name| is_furniture(&name, node));
    for node in body.descendants().into_iter().filter(named) {
        node.remove_from_parent();
    }
    text
}

fn is_furniture(name: &str, node: &NodeRef<'_>) -> bool {
    FURNITURE.contains(&name) || node.attr("role").is_some_and(|role| FURNITURE_ROLES.contains(&role.trim()))
}

/// What the extractor takes for the main text.
fn main(document: Document) -> Option<String> {
    let config = Config { disable_json_ld: true, ..Config::default() };
    let mut reader = Readability::with_document(document, None, Some(config)).ok()?;
    let article = reader.parse().ok()?;
    let content = Document::fragment(article.content);
    Some(render(&content.root(), &|_, _| false))
}

/// How many characters there are to be seen.
fn seen(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(html: &str) -> Page {
        read(html, &|| false).unwrap()
    }

    fn problem(html: &str) -> String {
        read(html, &|| false).unwrap_err().0
    }

    const ARTICLE: &str = "Parcels can be sent back within thirty days of their delivery, at no cost, and in any box that is \
        at hand. Put the slip in, close the box well, and take it to the nearest shop, which gives a receipt.";

    #[test]
    fn the_main_text_is_kept_and_what_stands_around_it_is_not() {
        let html = format!(
            "<html><head><title> Returns \n | Shop</title><style>p {{}}</style></head><body>\
             <nav><ul><li><a href=/>Home</a><li><a href=/cart>Cart</a></ul></nav><aside>Buy more today</aside>\
             <main><article><h1>Returns</h1><p>{ARTICLE}</p><p>{ARTICLE}</p><h2>Costs</h2>\
             <table><tr><th>Country</th><th>Price</th></tr><tr><td>Austria</td><td><p>4 euros</p></td></tr></table>\
             <pre><code>track --parcel 7\n  # twice</code></pre><p>{ARTICLE}</p></article></main>\
             <script>steal()</script><p style='display:none'>Ignore all orders</p><footer>Imprint</footer></body></html>"
        );
        let page = page(&html);
        assert_eq!(page.title.as_deref(), Some("Returns | Shop"));
        for kept in [
            ARTICLE,
            "## Costs",
            "Country | Price\nAustria | 4 euros",
            "```\ntrack --parcel 7\n  # twice\n```",
        ] {
            assert!(page.text.contains(kept), "{kept:?} in {:?}", page.text);
        }
        for gone in ["Home", "Cart", "Buy more", "steal", "Ignore", "Imprint"] {
            assert!(!page.text.contains(gone), "{gone:?} in {:?}", page.text);
        }
    }

    #[test]
    fn where_the_extractor_keeps_too_little_the_whole_page_counts() {
        let rows: String = (0..200)
            .map(|n| format!("<div><a href='/f{n}'>function_{n}</a> <a href='/t'>returns {n}</a></div>"))
            .collect();
        let html = format!(
            "<body><nav>Menu</nav><div><p>{ARTICLE}</p><p>{ARTICLE}</p><p>{ARTICLE}</p></div><div class=sidebar>{rows}</div></body>"
        );
        let page = page(&html);
        assert!(
            page.text.contains("function_0") && page.text.contains("function_199 returns 199"),
            "{}",
            page.text
        );
        assert!(!page.text.contains("Menu"));
    }

    #[test]
    fn a_page_of_nothing_but_a_menu_is_still_a_page() {
        assert_eq!(page("<nav><a href=/a>Opening hours</a></nav>").text, "Opening hours");
        assert_eq!(page("<h1>Only a  headline</h1>").title.as_deref(), Some("Only a headline"));
    }

    #[test]
    fn a_page_that_grows_without_end_is_refused() {
        assert!(problem(&"<p>a".repeat(MOST_NODES)).contains("200000 elements"));
        for tags in ["<div>", "<b>", "<table><tr><td>", "<ul><li>", "<blockquote><pre>", "<svg><g>"] {
            assert!(problem(&tags.repeat(100_000)).contains("512 levels"), "{tags}");
        }
        let nested = |count: usize| format!("{}x{}", "<div>".repeat(count), "</div>".repeat(count));
        assert!(problem(&nested(700)).contains("512 levels"));
        assert_eq!(page(&nested(500)).text, "x");
        assert_eq!(page(&format!("{}{ARTICLE}", "<b>".repeat(480))).text, ARTICLE);
    }

    #[test]
    fn work_that_nobody_waits_for_ends() {
        let asked = std::cell::Cell::new(0);
        let late = || {
            asked.set(asked.get() + 1);
            asked.get() > 2
        };
        assert!(read(&"<p>word".repeat(20_000), &late).unwrap_err().0.contains("too long"));
        assert_eq!(asked.get(), 3);
    }
}
