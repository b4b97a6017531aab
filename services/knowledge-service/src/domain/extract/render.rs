//! A page as Markdown that is nearly plain: headings, lists, tables and code keep their marks, for they say how a text hangs together;
//! words stay as they are, without escapes, and links are their words.

use dom_query::NodeRef;

/// Blocks with an empty line around them.
const BLOCKS: [&str; 27] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "details",
    "dialog",
    "div",
    "dl",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "header",
    "hgroup",
    "hr",
    "main",
    "menu",
    "nav",
    "ol",
    "p",
    "section",
    "summary",
    "table",
    "ul",
    "center",
];
/// What stands on a line of its own.
const LINES: [&str; 6] = ["tr", "dt", "dd", "br", "caption", "legend"];

/// Renders what is under a node, without the elements that `skipped` names and what is in them.
pub(super) fn render(root: &NodeRef<'_>, skipped: &dyn Fn(&str, &NodeRef<'_>) -> bool) -> String {
    let mut writer = Writer::default();
    let mut todo: Vec<Step<'_>> = children(root);
    while let Some(step) = todo.pop() {
        match step {
            Step::Open(node) if node.is_text() => writer.text(&node.text()),
            Step::Open(node) => {
                let Some(name) = node.node_name() else { continue };
                if skipped(&name, &node) {
                    continue;
                }
                if &*name == "pre" {
                    writer.code(&node.text());
                    continue;
                }
                writer.open(&name, &node);
                todo.push(Step::Close(name.to_string()));
                todo.append(&mut children(&node));
            }
            Step::Close(name) => writer.close(&name),
        }
    }
    writer.out.truncate(writer.out.trim_end().len());
    writer.out
}

enum Step<'a> {
    Open(NodeRef<'a>),
    Close(String),
}

/// The last one first: steps are taken from the end.
fn children<'a>(node: &NodeRef<'a>) -> Vec<Step<'a>> {
    node.children_it(true).map(Step::Open).collect()
}

#[derive(Default)]
struct Writer {
    out: String,
    /// Line ends that come before the next word.
    breaks: usize,
    /// A space comes before the next word.
    space: bool,
    /// Where a mark (`- `, `# `) stands that no word has followed yet.
    mark: Option<usize>,
    lists: Vec<List>,
    tables: Vec<Table>,
}

struct List {
    /// Of the next item, where items have numbers.
    number: Option<u32>,
}

struct Table {
    /// A table of data, not one that only sets out a page.
    of_data: bool,
    /// How many cells of the row there have been.
    cells: usize,
    /// Within a cell.
    inside: bool,
}

impl Writer {
    fn text(&mut self, text: &str) {
        for (i, word) in text.split(char::is_whitespace).enumerate() {
            self.space |= i > 0;
            if !word.is_empty() {
                self.word(word);
            }
        }
    }

    fn word(&mut self, word: &str) {
        self.settle();
        self.out.push_str(word);
        self.mark = None;
    }

    /// Writes the line ends or the space that are due.
    fn settle(&mut self) {
        match (self.out.is_empty(), self.breaks) {
            (true, _) => {}
            (false, 0) if self.space && !self.out.ends_with(char::is_whitespace) => self.out.push(' '),
            (false, 0) => {}
            (false, count) => {
                self.out.truncate(self.out.trim_end_matches(' ').len());
                self.out.push_str(&"\n".repeat(count));
            }
        }
        (self.breaks, self.space) = (0, false);
    }

    fn line_ends(&mut self, count: usize) {
        let in_cell = self.tables.last().is_some_and(|table| table.of_data && table.inside);
        match in_cell || self.mark.is_some() {
            true => self.space |= self.mark.is_none(),
            false => self.breaks = self.breaks.max(count),
        }
    }

    fn begin(&mut self, mark: &str) {
        self.settle();
        self.mark = Some(self.out.len());
        self.out.push_str(mark);
    }

    /// Takes a mark away that no word has followed.
    fn drop_mark(&mut self) {
        if let Some(at) = self.mark.take() {
            self.out.truncate(at);
            self.out.truncate(self.out.trim_end().len());
            self.breaks = self.breaks.max(1);
        }
    }

    fn open(&mut self, name: &str, node: &NodeRef<'_>) {
        match name {
            "table" => {
                self.line_ends(2);
                self.tables.push(Table { of_data: is_of_data(node), cells: 0, inside: false });
            }
            "td" | "th" => self.cell(),
            "ul" | "ol" | "menu" => {
                self.line_ends(if self.lists.is_empty() { 2 } else { 1 });
                self.lists.push(List { number: (name == "ol").then_some(1) });
            }
            "li" => self.item(),
            "tr" => {
                if let Some(table) = self.tables.last_mut() {
                    (table.cells, table.inside) = (0, false);
                }
                self.line_ends(1);
            }
            _ => {
                self.line_ends(ends_around(name));
                if let Some(level) = level(name).filter(|_| !self.in_data()) {
                    self.drop_mark();
                    self.begin(&format!("{} ", "#".repeat(level)));
                }
            }
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "table" => {
                self.tables.pop();
                self.line_ends(2);
            }
            "td" | "th" => {
                if let Some(table) = self.tables.last_mut() {
                    table.inside = false;
                }
            }
            "ul" | "ol" | "menu" => {
                self.lists.pop();
                self.line_ends(if self.lists.is_empty() { 2 } else { 1 });
            }
            "li" => {
                self.drop_mark();
                self.breaks = usize::from(!self.in_data());
                self.space = true;
            }
            _ => {
                if level(name).is_some() {
                    self.drop_mark();
                }
                self.line_ends(ends_around(name));
            }
        }
    }

    fn in_data(&self) -> bool {
        self.tables.last().is_some_and(|table| table.of_data && table.inside)
    }

    fn cell(&mut self) {
        let Some(table) = self.tables.last_mut() else { return };
        (table.cells, table.inside) = (table.cells + 1, true);
        match (table.of_data, table.cells) {
            (true, 1) => {}
            (true, _) => {
                self.space = false;
                self.settle();
                self.out.push_str(" | ");
            }
            (false, _) => self.line_ends(2),
        }
    }

    fn item(&mut self) {
        if self.in_data() {
            self.space = true;
            return;
        }
        self.drop_mark();
        self.line_ends(1);
        let depth = self.lists.len().saturating_sub(1).min(8);
        let number = self.lists.last_mut().and_then(|list| list.number.as_mut());
        let mark = match number {
            Some(number) => {
                let mark = format!("{number}. ");
                *number = number.saturating_add(1);
                mark
            }
            None => "- ".to_owned(),
        };
        self.begin(&format!("{}{mark}", "  ".repeat(depth)));
    }

    /// As it is, between fences.
    fn code(&mut self, text: &str) {
        let text = text.trim_matches(['\n', '\r']).trim_end();
        if self.in_data() {
            return self.text(text);
        }
        if text.trim().is_empty() {
            return;
        }
        self.line_ends(2);
        self.settle();
        self.mark = None;
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
        let fence = if text.contains("```") { "~~~~" } else { "```" };
        for part in [fence, "\n", text, "\n", fence] {
            self.out.push_str(part);
        }
        self.breaks = 2;
    }
}

/// How many line ends come before and after.
fn ends_around(name: &str) -> usize {
    match name {
        _ if BLOCKS.contains(&name) || level(name).is_some() => 2,
        _ if LINES.contains(&name) => 1,
        _ => 0,
    }
}

fn level(name: &str) -> Option<usize> {
    match name.as_bytes() {
        [b'h', digit @ b'1'..=b'6'] => Some(usize::from(digit - b'0')),
        _ => None,
    }
}

/// A table that holds another one, or headings, or pictures of a page, only sets out what stands where.
fn is_of_data(table: &NodeRef<'_>) -> bool {
    !table.descendants_it().any(|node| {
        node.node_name().is_some_and(|name| {
            level(&name).is_some()
                || matches!(&*name, "table" | "article" | "section" | "form" | "main" | "pre")
        })
    })
}

#[cfg(test)]
mod tests {
    use dom_query::Document;

    use super::*;

    fn rendered(html: &str) -> String {
        let document = Document::from(html);
        let body = document.body().unwrap();
        render(&body, &|name, _| name == "nav")
    }

    #[test]
    fn words_are_kept_and_white_space_is_evened_out() {
        assert_eq!(
            rendered("<p>One <b>two</b>\n three,<i>four</i> </p><p>five*_[6]</p>"),
            "One two three,four\n\nfive*_[6]"
        );
        assert_eq!(rendered("a<br>b<div>c</div>d<span> e</span>"), "a\nb\n\nc\n\nd e");
        assert_eq!(rendered("<a href='https://x.example'>link</a><nav>menu</nav> text"), "link text");
    }

    #[test]
    fn headings_lists_and_code_keep_their_marks() {
        assert_eq!(rendered("<h1>A</h1><h2><span>B</span></h2>text<h3> </h3>"), "# A\n\n## B\n\ntext");
        assert_eq!(
            rendered("<p>x</p><ul><li>one<ul><li>deep</li></ul></li><li><p>two</p></li><li></li></ul>end"),
            "x\n\n- one\n  - deep\n- two\n\nend"
        );
        assert_eq!(rendered("<ol><li>a<li>b</ol>"), "1. a\n2. b");
        assert_eq!(rendered("run<pre>\n a  b\n\n#c\n</pre>now"), "run\n\n```\n a  b\n\n#c\n```\n\nnow");
        assert_eq!(rendered("<dl><dt>Word</dt><dd>Meaning</dd></dl>"), "Word\nMeaning");
    }

    #[test]
    fn a_table_of_data_has_a_line_for_each_row_and_one_that_sets_out_a_page_has_not() {
        assert_eq!(
            rendered(
                "<table><thead><tr><th>A</th><th>B</th></tr></thead><tbody><tr><td><p>1</p><p>2</p></td><td>3<br>4</td></tr></table>x"
            ),
            "A | B\n1 2 | 3 4\n\nx"
        );
        assert_eq!(rendered("<table><tr><td></td><td>b</td></tr></table>"), " | b");
        assert_eq!(
            rendered("<table><tr><td><h1>Title</h1><p>Text</p></td><td>Side</td></tr></table>"),
            "# Title\n\nText\n\nSide"
        );
    }
}
