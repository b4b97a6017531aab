//! Finds a word in a text that comes in pieces. What may be its beginning is held back.

use super::Leak;

pub(super) struct Canary {
    /// In lower case.
    word: Vec<char>,
    held: Vec<char>,
}

impl Canary {
    pub(super) fn new(word: &str) -> Self {
        Self { word: word.to_lowercase().chars().collect(), held: Vec::new() }
    }

    /// What is certainly no part of the word.
    pub(super) fn push(&mut self, piece: &str) -> Result<String, Leak> {
        let mut passed = String::new();
        for next in piece.chars() {
            self.held.push(next);
            while !self.may_begin() {
                passed.push(self.held.remove(0));
            }
            if !self.word.is_empty() && self.held.len() == self.word.len() {
                return Err(Leak);
            }
        }
        Ok(passed)
    }

    fn may_begin(&self) -> bool {
        self.held.len() <= self.word.len()
            && self.held.iter().zip(&self.word).all(|(held, word)| held.to_ascii_lowercase() == *word)
    }

    pub(super) fn rest(&mut self) -> String {
        self.held.drain(..).collect()
    }
}
