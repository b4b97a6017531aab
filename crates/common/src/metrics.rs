//! Numbers for Prometheus. Each service registers its own, once, under `echo_<service>_…`.

use std::sync::Arc;

use prometheus::core::Collector;
use prometheus::{
    Encoder as _, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder,
};

/// The numbers of a process. Cloning shares them.
#[derive(Clone, Default)]
pub struct Metrics {
    registry: Arc<Registry>,
}

impl Metrics {
    /// A counter with labels. A name that is taken gives one that is counted but not shown, and a log line.
    #[must_use]
    pub fn counter(&self, name: &str, help: &str, labels: &[&str]) -> Option<IntCounterVec> {
        self.add(IntCounterVec::new(Opts::new(name, help), labels), name)
    }

    /// A gauge with labels.
    #[must_use]
    pub fn gauge(&self, name: &str, help: &str, labels: &[&str]) -> Option<IntGaugeVec> {
        self.add(IntGaugeVec::new(Opts::new(name, help), labels), name)
    }

    /// A histogram of seconds with labels.
    #[must_use]
    pub fn seconds(&self, name: &str, help: &str, labels: &[&str]) -> Option<HistogramVec> {
        let buckets = vec![0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 2.0, 5.0, 15.0];
        self.add(HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets), labels), name)
    }

    fn add<C: Collector + Clone + 'static>(&self, made: prometheus::Result<C>, name: &str) -> Option<C> {
        let registered = made.and_then(|c| self.registry.register(Box::new(c.clone())).map(|()| c));
        registered.inspect_err(|error| tracing::error!(name, %error, "a metric cannot be registered")).ok()
    }

    /// The text that Prometheus scrapes.
    #[must_use]
    pub fn rendered(&self) -> String {
        let mut out = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut out) {
            tracing::error!(%error, "metrics cannot be rendered");
        }
        String::from_utf8_lossy(&out).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    const PAGE: &str = include_str!("../README.md");

    /// The names between two `quote`s that look like those of metrics.
    fn named(text: &str, quote: char) -> BTreeSet<String> {
        let word = |word: &str| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let metric = |name: &&str| name.len() > 5 && name.starts_with("echo_") && word(name);
        text.split(quote).filter(metric).map(str::to_owned).collect()
    }

    fn in_code(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                in_code(&path, found);
            } else {
                found.append(&mut named(&std::fs::read_to_string(&path).unwrap(), '"'));
            }
        }
    }

    #[test]
    fn the_page_of_this_crate_lists_every_metric_that_it_registers() {
        let mut registered = BTreeSet::new();
        in_code(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut registered);
        assert!(!registered.is_empty());
        let rows = PAGE.lines().filter(|line| line.starts_with("| `echo_")).collect::<String>();
        assert_eq!(named(&rows, '`'), registered);
    }
}
