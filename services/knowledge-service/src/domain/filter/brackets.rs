//! Brackets and tags in a text. A bracket comes out only as `[n]` of a source that is there, or around the words of a link that is
//! allowed; any other becomes round. A `<` that could begin a tag becomes one that cannot.

use super::{Allowed, is_allowed};

/// The longest words of a link, and the longest `[1, 2, 3]`.
const LONGEST_WORDS: usize = 200;
const LONGEST_URL: usize = 2_000;

pub(super) struct Brackets {
    allowed: Allowed,
    state: State,
    /// A `<` that waits for what follows.
    less: bool,
    last: Last,
}

/// What came out last, as far as it matters to what follows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Other,
    /// `!`: before a bracket it would make an image.
    Bang,
    /// `[n]`: before `(` or `:` it would be a link, or the definition of one.
    Citation,
}

enum State {
    Text,
    /// Behind `[`.
    Words(String),
    /// Behind `[words]`.
    Closed(String),
    /// Behind `[words](`.
    Url(String, String),
}

impl Brackets {
    pub(super) fn new(allowed: Allowed) -> Self {
        Self { allowed, state: State::Text, less: false, last: Last::Other }
    }

    pub(super) fn push(&mut self, piece: &str) -> String {
        let mut out = String::new();
        for next in piece.chars() {
            self.next(next, &mut out);
        }
        out
    }

    fn next(&mut self, next: char, out: &mut String) {
        match (std::mem::replace(&mut self.state, State::Text), next) {
            (State::Text, '[') => self.state = State::Words(String::new()),
            (State::Text, _) => self.plain(next, out),
            (State::Words(words), ']') => self.close(words, out),
            (State::Words(mut words), _) if !matches!(next, '[' | '\n') && words.len() < LONGEST_WORDS => {
                words.push(next);
                self.state = State::Words(words);
            }
            (State::Closed(words), '(') => self.state = State::Url(words, String::new()),
            (State::Url(words, url), ')') => self.link(&words, &url, out),
            (State::Url(words, mut url), _)
                if next.is_ascii_graphic() && !breaks(next) && url.len() < LONGEST_URL =>
            {
                url.push(next);
                self.state = State::Url(words, url);
            }
            (unfinished, _) => {
                self.no_link(unfinished, out);
                self.next(next, out);
            }
        }
    }

    /// `[words]`: sources, or perhaps the beginning of a link.
    fn close(&mut self, words: String, out: &mut String) {
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !words.split(',').all(|part| is_number(part.trim())) {
            self.state = State::Closed(words);
            return;
        }
        for part in words.split(',') {
            if let Ok(number) = part.trim().parse::<usize>()
                && (1..=self.allowed.sources).contains(&number)
            {
                self.bracket(&format!("[{number}]"), out);
                self.last = Last::Citation;
            }
        }
    }

    fn link(&mut self, words: &str, url: &str, out: &mut String) {
        let harmless = !words.trim().is_empty() && !words.contains("//") && !words.contains(['<', '`', '\\']);
        if harmless && is_allowed(url, &self.allowed.hosts) {
            self.bracket(&format!("[{words}]({url})"), out);
            return;
        }
        for c in words.chars() {
            self.plain(c, out);
        }
    }

    /// What looked like a link and is none.
    fn no_link(&mut self, unfinished: State, out: &mut String) {
        let text = match unfinished {
            State::Text => return,
            State::Words(words) => format!("({words}"),
            State::Closed(words) => format!("({words})"),
            State::Url(words, url) => format!("({words})({url}"),
        };
        for c in text.chars() {
            self.plain(c, out);
        }
    }

    fn bracket(&mut self, text: &str, out: &mut String) {
        self.settle(None, out);
        if self.last == Last::Bang {
            out.push(' ');
        }
        out.push_str(text);
        self.last = Last::Other;
    }

    fn plain(&mut self, next: char, out: &mut String) {
        self.settle(Some(next), out);
        match next {
            '<' => self.less = true,
            '[' => self.put('(', out),
            ']' => self.put(')', out),
            _ => self.put(next, out),
        }
    }

    /// Decides what a `<` is, by what follows.
    fn settle(&mut self, next: Option<char>, out: &mut String) {
        if std::mem::take(&mut self.less) {
            let harmless = next.is_some_and(|c| c.is_whitespace() || c.is_ascii_digit() || c == '=');
            self.put(if harmless { '<' } else { '‹' }, out);
        }
    }

    fn put(&mut self, c: char, out: &mut String) {
        if self.last == Last::Citation && matches!(c, '(' | ':') {
            out.push(' ');
        }
        out.push(c);
        self.last = if c == '!' { Last::Bang } else { Last::Other };
    }

    pub(super) fn rest(&mut self) -> String {
        let mut out = String::new();
        let unfinished = std::mem::replace(&mut self.state, State::Text);
        self.no_link(unfinished, &mut out);
        self.settle(None, &mut out);
        out
    }
}

fn breaks(c: char) -> bool {
    matches!(c, '[' | ']' | '(' | '<' | '>' | '{' | '}' | '"' | '\'' | '`' | '|' | '^' | '\\')
}
