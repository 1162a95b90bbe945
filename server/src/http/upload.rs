//! Files that come in piece by piece.

use std::time::Duration;

use axum::extract::multipart::MultipartError;
use axum::http::StatusCode;

use super::problem::Problem;

/// An upload that sends nothing for this long is over.
const STALLED: Duration = Duration::from_secs(30);

/// Waits for the next piece of an upload, not for ever.
pub(super) async fn within<T>(
    next: impl Future<Output = Result<T, MultipartError>>,
) -> Result<T, Problem> {
    match tokio::time::timeout(STALLED, next).await {
        Ok(Ok(next)) => Ok(next),
        Ok(Err(error)) => Err(Problem::new(
            error.status(),
            "The upload cannot be read",
            error.body_text(),
        )),
        Err(_) => {
            let detail = format!("Nothing came for {} seconds.", STALLED.as_secs());
            Err(Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "Too slow",
                detail,
            ))
        }
    }
}
