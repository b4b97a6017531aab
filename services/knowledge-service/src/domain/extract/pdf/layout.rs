//! Where on its page a text stands: what goes on to the right is the same line, with a space where there is a gap; what moves up
//! or down is another one, and by more than a line another paragraph.

use lopdf::Object;

/// Six numbers: how places of one kind become those of another.
type Matrix = [f32; 6];

const SAME: Matrix = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];
/// How many states of drawing are kept at a time.
const MOST_KEPT: usize = 64;
/// A shift of so many thousandths of a character's height to the right is a space.
const GAP: f32 = 180.0;

/// The text so far and where the next word will stand.
pub(super) struct Layout {
    pub(super) text: String,
    page: Matrix,
    kept: Vec<Matrix>,
    line: Matrix,
    size: f32,
    leading: f32,
    /// Where the last words were begun.
    last: Option<(f32, f32)>,
    moved: bool,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            text: String::new(),
            page: SAME,
            kept: Vec::new(),
            line: SAME,
            size: 0.0,
            leading: 0.0,
            last: None,
            moved: true,
        }
    }
}

impl Layout {
    /// The height of the characters that follow.
    pub(super) fn size(&mut self, size: f32) {
        self.size = size;
    }

    pub(super) fn next_line(&mut self) {
        let leading = if self.leading == 0.0 { self.size * 1.2 } else { self.leading };
        self.go(0.0, -leading);
    }

    /// What moves the place where text is drawn.
    pub(super) fn place(&mut self, operator: &str, given: &[Object]) {
        let number = |at: usize| given.get(at).and_then(|object| object.as_float().ok()).unwrap_or(0.0);
        match operator {
            "Td" => self.go(number(0), number(1)),
            "TD" => {
                self.leading = -number(1);
                self.go(number(0), number(1));
            }
            "TL" => self.leading = number(0),
            "Tm" => self.put(std::array::from_fn(number)),
            "BT" => self.put(SAME),
            "cm" => self.page = product(std::array::from_fn(number), self.page),
            "q" if self.kept.len() < MOST_KEPT => self.kept.push(self.page),
            "Q" => self.page = self.kept.pop().unwrap_or(self.page),
            _ => {}
        }
    }

    /// A gap between two characters of a line, in thousandths of their height, to the left.
    pub(super) fn shift(&mut self, thousandths: f32) {
        if thousandths < -GAP {
            self.space();
        }
    }

    pub(super) fn show(&mut self, words: &str) {
        if words.is_empty() {
            return;
        }
        if std::mem::take(&mut self.moved) {
            self.arrive();
        }
        self.text.extend(words.chars().map(|c| if c.is_control() { ' ' } else { c }));
    }

    pub(super) fn end_page(&mut self) {
        let text = std::mem::take(&mut self.text);
        *self = Self { text, ..Self::default() };
        self.line_ends("\n\n");
    }

    fn go(&mut self, x: f32, y: f32) {
        self.put(product([1.0, 0.0, 0.0, 1.0, x, y], self.line));
    }

    fn put(&mut self, line: Matrix) {
        (self.line, self.moved) = (line, true);
    }

    /// Words begin at a new place: is it the same line, another one, another paragraph?
    fn arrive(&mut self) {
        let whole = product(self.line, self.page);
        let (x, y) = (whole[4], whole[5]);
        let height = (self.size * whole[2].hypot(whole[3])).abs().max(1.0);
        match self.last.replace((x, y)) {
            None => {}
            Some((_, last)) if (y - last).abs() > height * 1.9 => self.line_ends("\n\n"),
            Some((_, last)) if (y - last).abs() > height * 0.6 => self.line_ends("\n"),
            Some((last, _)) if (x - last).abs() > height * 0.1 => self.space(),
            Some(_) => {}
        }
    }

    fn space(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with(char::is_whitespace) {
            self.text.push(' ');
        }
    }

    fn line_ends(&mut self, ends: &str) {
        self.text.truncate(self.text.trim_end().len());
        if !self.text.is_empty() {
            self.text.push_str(ends);
        }
    }
}

/// First the one, then the other.
fn product([a, b, c, d, e, f]: Matrix, [g, h, i, j, k, l]: Matrix) -> Matrix {
    [a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + l]
}
