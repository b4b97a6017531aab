//! The settings of a project as callers write and read them.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::domain::project_settings::ProjectSettings;

/// What a project sets for its calls. In a request every field may be left out, and null brings its default back.
#[derive(Serialize, ToSchema)]
#[schema(as = ProjectSettings, example = json!({
    "language": "en-US", "voice": "man", "timezone": "Europe/Berlin",
    "calling_hours": {"from": "09:00", "to": "20:00", "days": ["mon", "tue", "wed", "thu", "fri"]},
    "require_consent": false, "allowed_countries": ["DE", "AT"], "max_concurrent_calls": 10,
    "max_calls_per_day": 500, "monthly_spend_cap": 99.5,
    "retry": {"max_attempts": 3, "delay_seconds": [300, 1800], "on": ["busy", "no-answer"]},
    "disclosure_line": "This is an automated call, and it is recorded.", "record_calls": true, "knowledge_app_id": null, "retention_days": 90
}))]
pub(super) struct SettingsBody {
    /// BCP-47 tag of the language that calls are made in.
    #[schema(required = false, default = "en-US")]
    language: String,
    /// The carrier's name for the voice.
    #[schema(required = false, default = "man")]
    voice: String,
    /// IANA name: where customers without a zone of their own live, and when a day and a month begin.
    #[schema(required = false, default = "UTC")]
    timezone: String,
    /// When customers may be rung, in their own time zone; null: at any time.
    #[schema(value_type = Option<HoursSchema>)]
    calling_hours: Option<Value>,
    /// Ring only customers whose consent is known.
    #[schema(required = false, default = false)]
    require_consent: bool,
    /// ISO 3166-1 codes of the countries that may be rung; null: all that the operator allows.
    #[schema(min_items = 1)]
    allowed_countries: Option<Vec<String>>,
    /// Most calls that are alive at the same time.
    #[schema(required = false, minimum = 1, maximum = 1000, default = 10)]
    max_concurrent_calls: u32,
    /// Most calls begun on one day; null: as many as are asked for.
    #[schema(minimum = 1, maximum = 1_000_000)]
    max_calls_per_day: Option<u32>,
    /// What the calls of a month may cost, in the carrier's currency, as far as it has told their price; null: no cap.
    #[schema(value_type = Option<f64>, minimum = 0.01, maximum = 1_000_000)]
    monthly_spend_cap: Option<Value>,
    /// When a number is rung again.
    #[schema(required = false, value_type = RetrySchema)]
    retry: Value,
    /// Spoken before anything else; null: nothing.
    #[schema(min_length = 1, max_length = 500)]
    disclosure_line: Option<String>,
    /// Have the carrier record calls, from the moment when somebody picks up. Needs a `disclosure_line`, because a recording must be
    /// announced: say in it that the call is recorded. Whether that is enough where you call, or anything of the kind is allowed, is
    /// for you to know.
    #[schema(required = false, default = false)]
    record_calls: bool,
    /// The app whose documents answer callers' questions. Kept; calls do not use it yet.
    #[schema(max_length = 64)]
    knowledge_app_id: Option<String>,
    /// Personal data is kept so many days.
    #[schema(required = false, minimum = 1, maximum = 3650, default = 90)]
    retention_days: u32,
}

/// A daily window. One that ends before it begins goes on past midnight.
#[derive(ToSchema)]
#[schema(as = CallingHours)]
#[expect(dead_code, reason = "the document's view of what `domain/calling_hours.rs` writes")]
pub(super) struct HoursSchema {
    /// First minute, 00:00–23:59.
    #[schema(example = "09:00")]
    from: String,
    /// First minute behind it, 00:01–24:00.
    #[schema(example = "20:00")]
    to: String,
    /// Days on which it begins, `mon` to `sun`; left out: every day.
    #[schema(required = false, min_items = 1)]
    days: Vec<String>,
}

/// When a number is rung again.
#[derive(ToSchema)]
#[schema(as = ProjectRetry)]
#[expect(dead_code, reason = "the document's view of what `domain/retry.rs` writes")]
pub(super) struct RetrySchema {
    /// Most attempts.
    #[schema(required = false, minimum = 1, maximum = 5, default = 1)]
    max_attempts: u32,
    /// The pause after each attempt, in seconds, at most a day; the last one repeats. Without any: five minutes.
    #[schema(required = false, max_items = 4)]
    delay_seconds: Vec<u32>,
    /// The endings after which it is rung again; without any: `busy` and `no-answer`.
    #[schema(required = false)]
    on: Vec<String>,
}

impl From<ProjectSettings> for SettingsBody {
    fn from(settings: ProjectSettings) -> Self {
        let retry = settings
            .retry
            .map_or_else(|| json!({"max_attempts": 1, "delay_seconds": [], "on": []}), |retry| json!(retry));
        Self {
            language: settings.language,
            voice: settings.voice,
            timezone: settings.timezone,
            calling_hours: settings.calling_hours.map(Value::from),
            require_consent: settings.require_consent,
            allowed_countries: settings.allowed_countries,
            max_concurrent_calls: settings.max_concurrent_calls,
            max_calls_per_day: settings.max_calls_per_day,
            monthly_spend_cap: settings.monthly_spend_cap.map(|cap| cap.to_json()),
            retry,
            disclosure_line: settings.disclosure_line,
            record_calls: settings.record_calls,
            knowledge_app_id: settings.knowledge_app_id,
            retention_days: settings.retention_days,
        }
    }
}
