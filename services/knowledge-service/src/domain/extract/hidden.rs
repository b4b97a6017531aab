//! What a page holds that nobody sees: scripts, styles, what is switched off, of no size, off the screen or without colour. Orders to
//! a model hide there. What a style sheet hides by a class is not known here.

use dom_query::{Document, NodeRef};

/// Elements that say nothing to a reader, whatever is in them.
const SILENT: [&str; 23] = [
    "script", "style", "template", "noscript", "svg", "iframe", "frame", "object", "embed", "canvas",
    "audio", "video", "button", "input", "select", "textarea", "datalist", "option", "meter", "progress",
    "map", "link", "meta",
];

/// Takes all of it out.
pub(super) fn remove(document: &Document) {
    let hidden: Vec<NodeRef<'_>> =
        document.root().descendants_it().filter(|node| node.is_comment() || is_hidden(node)).collect();
    for node in hidden {
        node.remove_from_parent();
    }
}

fn is_hidden(node: &NodeRef<'_>) -> bool {
    let Some(element) = node.element_ref() else { return false };
    let name: &str = &element.name.local;
    if SILENT.contains(&name) {
        return true;
    }
    element.attrs.iter().any(|attribute| {
        let value: &str = &attribute.value;
        match &*attribute.name.local {
            "hidden" => true,
            "aria-hidden" => value.trim().eq_ignore_ascii_case("true"),
            "style" => hides(value),
            _ => false,
        }
    }) || (name == "dialog" && !element.attrs.iter().any(|attribute| &*attribute.name.local == "open"))
}

/// A style that leaves nothing to see.
fn hides(style: &str) -> bool {
    let style = style.to_ascii_lowercase();
    let said = || {
        style
            .split(';')
            .filter_map(|part| part.split_once(':'))
            .map(|(name, value)| (name.trim(), plain(value)))
    };
    let value = |wanted: &str| said().rfind(|(name, _)| *name == wanted).map(|(_, value)| value);
    let is = |name: &str, wanted: &[&str]| value(name).is_some_and(|value| wanted.contains(&value));
    let nothing =
        |name: &str| value(name).is_some_and(|value| number(value).is_some_and(|number| number == 0.0));
    let far = |name: &str| {
        value(name).is_some_and(|value| number(value).is_some_and(|number| number.abs() >= 900.0))
    };
    let none = |names: [&str; 2]| names.iter().any(|name| nothing(name));
    let (flat, thin) = (none(["height", "max-height"]), none(["width", "max-width"]));
    let cut = said().any(|(name, value)| name.starts_with("overflow") && matches!(value, "hidden" | "clip"));
    let placed = is("position", &["absolute", "fixed"]);
    let same = value("color").is_some_and(|color| {
        color == "transparent" || [value("background"), value("background-color")].contains(&Some(color))
    });
    is("display", &["none"])
        || is("visibility", &["hidden", "collapse"])
        || nothing("opacity")
        || nothing("font-size")
        || (flat && thin)
        || ((flat || thin) && cut)
        || far("text-indent")
        || (placed && ["left", "top", "right", "bottom"].iter().any(|side| far(side)))
        || (placed
            && value("clip").is_some_and(|clip| clip.starts_with("rect(0") || clip.starts_with("rect(1px")))
        || same
}

fn plain(value: &str) -> &str {
    value.trim().trim_end_matches("!important").trim_end()
}

/// The number before a unit.
fn number(value: &str) -> Option<f32> {
    let end = value.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+')));
    let (number, unit) = value.split_at(end.unwrap_or(value.len()));
    let known =
        ["", "px", "pt", "em", "rem", "%", "vw", "vh", "ex", "ch", "cm", "mm", "in"].contains(&unit.trim());
    number.parse().ok().filter(|_| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_that_leave_nothing_to_see() {
        for style in [
            "display:none",
            "color:red; DISPLAY : None !important",
            "visibility:hidden",
            "opacity:0",
            "font-size:0px",
            "font-size: 0",
            "width:0;height:0",
            "height:0px;overflow:hidden",
            "max-height:0;overflow-y:hidden",
            "position:absolute;left:-9999px",
            "position:absolute; clip: rect(0,0,0,0)",
            "text-indent:-9999px",
            "color:#fff;background-color:#fff",
            "color:transparent",
        ] {
            assert!(hides(style), "{style}");
        }
        for style in [
            "",
            "display:block",
            "display:none;display:block",
            "opacity:0.5",
            "font-size:0.9em",
            "width:0",
            "margin-left:-9999px",
            "color:#fff;background:#000",
            "line-height:0",
            "position:absolute;left:0",
            "height:auto;width:100%",
        ] {
            assert!(!hides(style), "{style}");
        }
    }

    #[test]
    fn what_nobody_sees_is_taken_out() {
        let page = Document::from(
            "<p>a</p><p hidden>b</p><!-- c --><div aria-hidden=true>d<p>e</p></div><dialog>f</dialog><dialog open>g</dialog>\
             <noscript>h</noscript><div aria-hidden=false>i</div><span style='display:none'>j</span><button>k</button>",
        );
        remove(&page);
        assert_eq!(page.text().split_whitespace().collect::<String>(), "agi");
    }
}
