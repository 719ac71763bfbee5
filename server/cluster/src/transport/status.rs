//! Errors on the wire: the enum itself travels inside the gRPC status, so that the caller sees the real variant.

use bytes::Bytes;
use tandem_common::Error;
use tonic::{Code, Status};

/// The status that carries `error`.
pub fn from_error(error: &Error) -> Status {
    let code = match error.status() {
        400 => Code::InvalidArgument,
        403 => Code::PermissionDenied,
        404 => Code::NotFound,
        409 => Code::Aborted,
        429 => Code::ResourceExhausted,
        503 => Code::Unavailable,
        504 => Code::DeadlineExceeded,
        _ => Code::Internal,
    };
    // The details hold everything; the message is for people who read a packet trace.
    let details = serde_json::to_vec(error).map(Bytes::from).unwrap_or_default();
    Status::with_details(code, error.type_name(), details)
}

/// The error that `status` carries; a status that is not ours becomes a transport error about `address`.
pub fn to_error(status: &Status, address: &str) -> Error {
    match serde_json::from_slice(status.details()) {
        Ok(error) => error,
        Err(_) if status.code() == Code::DeadlineExceeded || status.code() == Code::Cancelled => {
            Error::Timeout { reason: format!("[{address}] did not answer in time") }
        }
        Err(_) => Error::ConnectTransport { reason: format!("[{address}] {}", status.message()) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_real_error_crosses_the_wire() {
        let error = Error::RetentionLeaseNotFound { id: "a".into(), ended: None };
        assert_eq!(to_error(&from_error(&error), "h:1"), error);
        let foreign = Status::new(Code::Unavailable, "connection refused");
        assert!(matches!(to_error(&foreign, "h:1"), Error::ConnectTransport { .. }));
    }
}
