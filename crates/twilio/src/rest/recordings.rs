//! Recordings: deleted. What is in them is nobody's business here.

use super::client::Client;
use super::error::Error;
use crate::sid::RecordingSid;

impl Client {
    /// Deletes a recording, sound and all.
    ///
    /// # Errors
    ///
    /// One that is not there (any more) is [`Error::Api`] with status 404.
    pub async fn delete_recording(&self, sid: &RecordingSid) -> Result<(), Error> {
        self.delete(self.resource(&format!("/Recordings/{sid}"))).await
    }
}
