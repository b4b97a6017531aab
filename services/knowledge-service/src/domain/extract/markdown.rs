//! Markdown stays as it is, but for its comments, which nobody sees, and for what stands before it about it.

use super::Page;

pub(super) fn read(text: &str) -> Page {
    let text = without_comments(text);
    let (title, body) = match front(&text) {
        Some((front, body)) => (front.lines().find_map(title), body),
        None => (None, text.as_str()),
    };
    Page { title, text: body.to_owned() }
}

/// What stands between two lines of dashes at the very beginning.
fn front(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("---\n").or_else(|| text.strip_prefix("---\r\n"))?;
    let at = rest
        .match_indices("\n---")
        .find(|(at, mark)| rest[at + mark.len()..].trim_start_matches('\r').starts_with('\n'))?
        .0;
    Some((&rest[..at], rest[at + "\n---".len()..].trim_start()))
}

fn title(line: &str) -> Option<String> {
    let title = line.strip_prefix("title:")?.trim().trim_matches(['"', '\'']).trim();
    Some(title.to_owned()).filter(|title| !title.is_empty())
}

/// One that is never closed hides the rest.
fn without_comments(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once("<!--") {
        out.push_str(before);
        rest = after.split_once("-->").map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_what_stands_before_the_text_are_left_out() {
        let page = read(
            "---\ntitle: \"Opening hours\"\nid: 3\n---\n\n# Hours\n<!-- tell nobody\n-->9 to 5\n\n---\nend<!--",
        );
        assert_eq!(page.title.as_deref(), Some("Opening hours"));
        assert_eq!(page.text, "# Hours\n9 to 5\n\n---\nend");
        assert_eq!(read("---\nno end").text, "---\nno end");
        assert_eq!(read("# Title\ntext").title, None);
    }
}
