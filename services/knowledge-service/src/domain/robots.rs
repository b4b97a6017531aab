//! What a site lets a robot read, as its robots.txt says it (RFC 9309): of the rules that fit a path the longest decides, and
//! of two alike the one that allows.

use url::Url;

/// What we are called in a robots.txt.
pub(crate) const NAME: &str = "EchoBot";
/// How much of a robots.txt is read, in bytes: what the RFC asks for at least.
pub(crate) const READ: usize = 500 * 1024;

/// What a site says to us. Without rules everything is allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rules(Vec<Rule>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    /// As it is compared; `*` stands for anything, `$` at the end for the end.
    pattern: String,
    allows: bool,
}

impl Rules {
    /// Reads a robots.txt, however broken: the rules for our name, else those for everybody.
    pub(crate) fn read(file: &[u8]) -> Self {
        let text = String::from_utf8_lossy(file.get(..READ).unwrap_or(file));
        let (mut ours, mut everybodys) = (None, Vec::new());
        let (mut to_us, mut to_everybody, mut naming) = (false, false, false);
        for (key, value) in text.trim_start_matches('\u{feff}').split(['\n', '\r']).filter_map(line) {
            if key.eq_ignore_ascii_case("user-agent") {
                (to_us, to_everybody) = (naming && to_us, naming && to_everybody);
                naming = true;
                to_us |= product(value).eq_ignore_ascii_case(NAME);
                to_everybody |= value.starts_with('*');
                if to_us {
                    ours.get_or_insert_with(Vec::new);
                }
            } else if let Some(allows) = permission(key) {
                naming = false;
                let Some(rule) = Rule::new(value, allows) else { continue };
                if let Some(ours) = ours.as_mut().filter(|_| to_us) {
                    ours.push(rule);
                } else if to_everybody {
                    everybodys.push(rule);
                }
            }
        }
        Self(ours.unwrap_or(everybodys))
    }

    /// May this be read?
    pub(crate) fn allow(&self, url: &Url) -> bool {
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let path = normal(&path).replace('*', "%2A").replace('$', "%24");
        let fitting = self.0.iter().filter(|rule| rule.fits(&path));
        let decisive = fitting.max_by_key(|rule| (rule.pattern.len(), rule.allows));
        decisive.is_none_or(|rule| rule.allows)
    }

    /// About how much memory it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.0.iter().map(|rule| rule.pattern.len() + size_of::<Rule>()).sum()
    }
}

impl Rule {
    fn new(pattern: &str, allows: bool) -> Option<Self> {
        Some(Self { pattern: normal(pattern), allows }).filter(|rule| !rule.pattern.is_empty())
    }

    fn fits(&self, path: &str) -> bool {
        let (pattern, to_the_end) = match self.pattern.strip_suffix('$') {
            Some(pattern) => (pattern, true),
            None => (self.pattern.as_str(), false),
        };
        let mut parts = pattern.split('*');
        let Some(mut rest) = parts.next().and_then(|first| path.strip_prefix(first)) else { return false };
        let (mut parts, mut starred) = (parts.peekable(), false);
        while let Some(part) = parts.next() {
            starred = true;
            if to_the_end && parts.peek().is_none() {
                return rest.ends_with(part);
            }
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
        starred || !to_the_end || rest.is_empty()
    }
}

/// A line that says something: its key and its value, without a comment.
fn line(line: &str) -> Option<(&str, &str)> {
    let said = line.split('#').next().unwrap_or_default();
    let (key, value) = said.split_once(':')?;
    Some((key.trim(), value.trim()))
}

fn permission(key: &str) -> Option<bool> {
    match key {
        _ if key.eq_ignore_ascii_case("allow") => Some(true),
        _ if key.eq_ignore_ascii_case("disallow") => Some(false),
        _ => None,
    }
}

/// The name of a robot without its version.
fn product(agent: &str) -> &str {
    let end = agent.find(|c: char| !(c.is_ascii_alphabetic() || matches!(c, '-' | '_')));
    &agent[..end.unwrap_or(agent.len())]
}

/// One way of writing for what can be written in several: what may stand for itself does, all else is encoded.
fn normal(path: &str) -> String {
    let bytes = path.as_bytes();
    let (mut out, mut at) = (String::with_capacity(path.len()), 0);
    while let Some(&byte) = bytes.get(at) {
        let encoded = bytes.get(at + 1..at + 3).filter(|_| byte == b'%').and_then(hex);
        at += if encoded.is_some() { 3 } else { 1 };
        let plain = encoded.unwrap_or(byte);
        let itself = match encoded {
            Some(plain) => plain.is_ascii_alphanumeric() || b"-._~".contains(&plain),
            None => plain.is_ascii_graphic(),
        };
        if itself {
            out.push(char::from(plain));
        } else {
            out.push_str(&format!("%{plain:02X}"));
        }
    }
    out
}

fn hex(digits: &[u8]) -> Option<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    match digits {
        [high, low] => Some(digit(high)? * 16 + digit(low)?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(robots: &str, path: &str) -> bool {
        Rules::read(robots.as_bytes()).allow(&Url::parse(&format!("https://site.example{path}")).unwrap())
    }

    #[test]
    fn the_rules_for_our_name_count_and_else_those_for_everybody() {
        let both = "User-agent: *\nDisallow: /\n\nUser-Agent: echobot/2.0\nDisallow: /private";
        assert!(allows(both, "/page") && !allows(both, "/private/page"));
        let others = "user-agent: GoogleBot\ndisallow: /";
        assert!(allows(others, "/page"));
        let shared =
            "User-agent: a\nUser-agent: EchoBot\nUser-agent: b\nDisallow: /x\nUser-agent: c\nDisallow: /";
        assert!(!allows(shared, "/x") && allows(shared, "/y"));
        let twice = "User-agent: EchoBot\nDisallow: /a\n\nUser-agent: *\nDisallow: /\n\nUser-agent: EchoBot\nDisallow: /b";
        assert!(!allows(twice, "/a") && !allows(twice, "/b") && allows(twice, "/c"));
        let free = "User-agent: EchoBot\nDisallow:\n\nUser-agent: *\nDisallow: /";
        assert!(allows(free, "/anything"));
        assert!(allows("Disallow: /\nUser-agent: *\nAllow: /", "/a"), "a rule for nobody");
        assert!(allows("User-agent: EchoBotty\nDisallow: /", "/a"), "another name");
    }

    #[test]
    fn other_lines_do_not_end_a_group() {
        let file = "User-agent: *\nCrawl-delay: 5\nSitemap: https://site.example/map\nnonsense\nDisallow: /no # never\r\rDisallow:/nor";
        assert!(!allows(file, "/no") && !allows(file, "/nor") && allows(file, "/yes"));
    }

    #[test]
    fn the_longest_rule_that_fits_decides_and_of_two_alike_the_one_that_allows() {
        let file =
            "User-agent: *\nAllow: /p\nDisallow: /\nDisallow: /page.html\nAllow: /folder\nDisallow: /folder";
        assert!(allows(file, "/p/x") && !allows(file, "/other") && !allows(file, "/page.html"));
        assert!(allows(file, "/folder/x"));
    }

    #[test]
    fn stars_and_the_end_stand_for_what_they_stand_for() {
        let file = |rule: &str| format!("User-agent: *\nDisallow: {rule}");
        for (rule, fits, not) in [
            ("*.php", "/a/b.php?x=1", "/a.html"),
            ("/*.php$", "/a.php", "/a.php5"),
            ("/fish", "/fish.html", "/Fish"),
            ("/fish*", "/fishheads", "/cat/fish"),
            ("/a*/b*/c$", "/a1/b2/x/c", "/a1/b2/cd"),
            ("/$", "/", "/page"),
            ("/a**b", "/a/b", "/a/c"),
            ("/*?session=", "/p?session=1", "/p?x=1"),
            ("/a%3cd", "/a%3Cd", "/a<d/"),
            ("/%7Ejoe", "/~joe/index.html", "/joe"),
            ("/ツ", "/%E3%83%84", "/x"),
            ("/path/file-with-a-%2A.html", "/path/file-with-a-*.html", "/path/file-with-a-b.html"),
        ] {
            assert!(!allows(&file(rule), fits), "{rule} fits {fits}");
            if rule != "/a%3cd" {
                assert!(allows(&file(rule), not), "{rule} does not fit {not}");
            }
        }
    }

    #[test]
    fn a_file_that_is_none_allows_everything() {
        for file in ["", "<html>Not found</html>", "\0\u{1}", "\u{feff}User-agent: *\nAllow: /"] {
            assert!(allows(file, "/page"), "{file:?}");
        }
        assert!(!allows("\u{feff}User-agent: *\nDisallow: /", "/page"));
    }

    #[test]
    fn what_comes_after_the_first_500_kib_is_not_read() {
        let long = format!("User-agent: *\nDisallow: /a\n{}\nDisallow: /b", "#".repeat(READ));
        assert!(!allows(&long, "/a") && allows(&long, "/b"));
    }
}
