//! Shows how an agent's prompt reads with its variables filled in. Nothing is kept.

use contracts::calls::{PreviewPromptRequest, PreviewPromptResponse};

use crate::app::App;
use crate::conversation::spec::{spec, unresolved};
use crate::error::OrchestratorError;

pub(super) async fn preview(
    app: &App,
    request: PreviewPromptRequest,
) -> Result<PreviewPromptResponse, OrchestratorError> {
    let parts = request.parts.unwrap_or_default();
    let now = app.platform.database.now();
    // Not here: an agent's schema may take its time.
    tokio::task::spawn_blocking(move || {
        let rendered = spec(&parts, now)?;
        Ok(PreviewPromptResponse {
            prompt: rendered.prompt,
            unresolved_variables: unresolved(&parts, now)?,
            first_message: rendered.opening.unwrap_or_default(),
        })
    })
    .await?
}
