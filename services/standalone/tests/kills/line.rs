//! Listens to every call at the carrier: how long nobody said anything, and when the call was over.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::api::Carrier;
use tokio::task::JoinHandle;

/// Characters that are spoken in a second of the carrier's time.
const SPOKEN_PER_SECOND: f64 = 15.0;

#[derive(Default)]
struct Heard {
    /// When each line falls silent if nothing more is said.
    silent_from: HashMap<String, Instant>,
    /// The longest silence on each line.
    silences: HashMap<String, Duration>,
    ended: HashMap<String, Instant>,
}

/// An ear at the carrier, until it is dropped.
pub(crate) struct Line {
    heard: Arc<Mutex<Heard>>,
    listening: JoinHandle<()>,
}

impl Line {
    /// Listens from now on to a carrier that runs at this speed.
    pub(crate) async fn listen(carrier: &Carrier, speed: f64) -> Self {
        let heard: Arc<Mutex<Heard>> = Arc::default();
        let mut events = carrier.events().await;
        let noted = Arc::clone(&heard);
        let listening = tokio::spawn(async move {
            let mut text = String::new();
            while let Ok(Some(chunk)) = events.chunk().await {
                text.push_str(&String::from_utf8_lossy(&chunk));
                while let Some((frame, rest)) = text.split_once("\n\n") {
                    if let Some(Ok(event)) = frame.strip_prefix("data: ").map(serde_json::from_str) {
                        noted.lock().unwrap().note(&event, speed);
                    }
                    text = rest.to_owned();
                }
            }
        });
        Self { heard, listening }
    }

    /// The longest that anybody on the phone heard nothing at all.
    pub(crate) fn longest_silence(&self) -> Duration {
        self.heard.lock().unwrap().silences.values().max().copied().unwrap_or_default()
    }

    /// When the call to this number was over.
    pub(crate) fn ended(&self, phone: &str) -> Option<Instant> {
        self.heard.lock().unwrap().ended.get(phone).copied()
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Heard {
    fn note(&mut self, event: &Value, speed: f64) {
        let (now, to) = (Instant::now(), event["to"].as_str().unwrap_or_default().to_owned());
        if let Some(since) = self.silent_from.remove(&to) {
            let silence = self.silences.entry(to.clone()).or_default();
            *silence = (*silence).max(now.saturating_duration_since(since));
        }
        match event["event"].as_str() {
            Some("answered" | "digits") => drop(self.silent_from.insert(to, now)),
            Some("said") => {
                let characters = event["text"].as_str().unwrap_or_default().chars().count();
                let lasts = f64::from(u32::try_from(characters).unwrap()) / SPOKEN_PER_SECOND / speed;
                self.silent_from.insert(to, now + Duration::from_secs_f64(lasts));
            }
            Some("ended") => drop(self.ended.insert(to, now)),
            _ => {}
        }
    }
}
