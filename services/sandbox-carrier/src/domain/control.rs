//! What a REST update can do to a running call.

use super::plan::Source;

/// An update that reached a running leg.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// End it: `Status=completed`, or `Status=canceled` before it is answered.
    End,
    /// Drop what runs and go on with another document.
    Play(Source),
}
