//! Samples and the table they end in.

use std::time::Duration;

use crate::echo::Pair;

/// Durations of single requests, and how long all of them together took.
#[derive(Default)]
pub(crate) struct Figures {
    pub(crate) samples: Vec<Duration>,
    pub(crate) within: Duration,
}

impl Figures {
    pub(crate) fn percentiles(&self) -> String {
        let mut sorted = self.samples.clone();
        sorted.sort();
        let at = |q: f64| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "an index"
            )]
            let index = ((sorted.len().saturating_sub(1)) as f64 * q) as usize;
            sorted.get(index).map_or(0.0, |d| d.as_secs_f64() * 1e3)
        };
        format!("p50 {:.1} ms, p99 {:.1} ms ({} samples)", at(0.5), at(0.99), sorted.len())
    }

    pub(crate) fn rate(&self) -> String {
        #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
        let count = self.samples.len() as f64;
        format!("{:.0}/s", count / self.within.as_secs_f64().max(0.001))
    }
}

/// What is printed at the end.
pub(crate) struct Table(Vec<[String; 3]>);

impl Table {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn row(&mut self, what: &str, pair: Pair, figure: &str) {
        println!("  {what} ({}): {figure}", pair.name());
        self.0.push([what.to_owned(), pair.name().to_owned(), figure.to_owned()]);
    }

    pub(crate) fn print(&self) {
        println!("\n| figure | tables and bus | measured |\n| --- | --- | --- |");
        for [what, pair, figure] in &self.0 {
            println!("| {what} | {pair} | {figure} |");
        }
    }
}
