//! What is asked of an app, and how often it may be: so many times a minute from one address, so many times an hour in all.

/// What is asked of an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Asking {
    /// A question.
    Query,
    /// A document is brought.
    Ingest,
    /// A person is wanted.
    Handover,
    /// Everything else.
    Rest,
    /// A browser asks whether a page may ask.
    Preflight,
}

impl Asking {
    /// What its limit by address is called.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Ingest => "ingest",
            Self::Handover => "handover",
            Self::Rest => "app",
            Self::Preflight => "preflight",
        }
    }

    /// What its limit by app is called.
    pub(crate) const fn name_of_app(self) -> &'static str {
        match self {
            Self::Query => "query-app",
            Self::Ingest => "ingest-app",
            Self::Handover => "handover-app",
            Self::Rest | Self::Preflight => "app",
        }
    }
}

/// So many a minute from one address, and so many an hour for one app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    /// A minute and address.
    pub(crate) per_address: u32,
    /// An hour and app.
    pub(crate) per_app: u32,
}

/// All of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AppLimits {
    /// Questions.
    pub(crate) query: Pair,
    /// Documents.
    pub(crate) ingest: Pair,
    /// Wishes for a person.
    pub(crate) handover: Pair,
    /// Everything else: a minute and address.
    pub(crate) rest: u32,
}

impl AppLimits {
    /// How often an address may ask in a minute.
    pub(crate) const fn per_address(&self, asking: Asking) -> u32 {
        match asking {
            Asking::Query => self.query.per_address,
            Asking::Ingest => self.ingest.per_address,
            Asking::Handover => self.handover.per_address,
            Asking::Rest | Asking::Preflight => self.rest,
        }
    }

    /// How often an app may be asked in an hour, if that is limited.
    pub(crate) const fn per_app(&self, asking: Asking) -> Option<u32> {
        match asking {
            Asking::Query => Some(self.query.per_app),
            Asking::Ingest => Some(self.ingest.per_app),
            Asking::Handover => Some(self.handover.per_app),
            Asking::Rest | Asking::Preflight => None,
        }
    }
}
