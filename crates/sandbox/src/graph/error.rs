//! Errors in the platform's own shape (protocol, 8.4 and 8.5).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde_json::{Value, json};

/// The subcode of an object that is not there or not to be seen.
const UNKNOWN_OBJECT: u32 = 33;

/// A refusal of the Graph API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GraphError {
    pub status: u16,
    pub code: u32,
    pub subcode: Option<u32>,
    pub details: String,
}

impl GraphError {
    fn new(status: u16, code: u32, details: impl Into<String>) -> Self {
        Self { status, code, subcode: None, details: details.into() }
    }

    pub(crate) fn bad_token() -> Self {
        Self::new(401, 190, "The access token is missing, malformed or expired.")
    }

    pub(crate) fn no_access() -> Self {
        Self::new(403, 200, "The token has no permission for this object.")
    }

    pub(crate) fn unknown_object(id: &str) -> Self {
        let details = format!("Object with ID '{id}' does not exist or is not visible.");
        Self { subcode: Some(UNKNOWN_OBJECT), ..Self::new(400, 100, details) }
    }

    pub(crate) fn parameter(details: impl Into<String>) -> Self {
        Self::new(400, 100, details)
    }

    pub(crate) fn missing(details: impl Into<String>) -> Self {
        Self::new(400, 131_008, details)
    }

    pub(crate) fn value(details: impl Into<String>) -> Self {
        Self::new(400, 131_009, details)
    }

    pub(crate) fn throughput() -> Self {
        Self::new(400, 130_429, "Throughput of this number was exceeded.")
    }

    pub(crate) fn pair_rate() -> Self {
        Self::new(400, 131_056, "Too many messages from this number to the same user.")
    }

    pub(crate) fn to_itself() -> Self {
        Self::new(400, 131_021, "Recipient and sender are the same number.")
    }

    pub(crate) fn business_scoped() -> Self {
        Self::new(400, 131_062, "Business-scoped user ids are not supported as recipients here.")
    }

    pub(crate) fn bad_cursor() -> Self {
        Self::new(400, 131_059, "The paging cursor is invalid or expired.")
    }

    pub(crate) fn template_missing(name: &str, language: &str) -> Self {
        let details = format!("Template {name} does not exist in {language} or is not approved.");
        Self::new(404, 132_001, details)
    }

    pub(crate) fn template_paused() -> Self {
        Self::new(400, 132_015, "The template is paused because of low quality.")
    }

    pub(crate) fn template_disabled() -> Self {
        Self::new(400, 132_016, "The template was disabled for good.")
    }

    pub(crate) fn parameter_count(details: impl Into<String>) -> Self {
        Self::new(400, 132_000, details)
    }

    pub(crate) fn parameter_format(details: impl Into<String>) -> Self {
        Self::new(400, 132_012, details)
    }

    /// A refusal by `code`, with the status the platform gives it (protocol, 8.5).
    pub(crate) fn of(code: u32, details: impl Into<String>) -> Self {
        Self::new(status_of(code), code, details)
    }

    pub(crate) fn media(details: impl Into<String>) -> Self {
        Self::of(131_053, details)
    }

    pub(crate) fn not_registered() -> Self {
        Self::of(133_010, "The number is not registered on the platform.")
    }

    pub(crate) fn not_in_test_list() -> Self {
        Self::of(131_030, "The recipient is not in the test number's list.")
    }

    pub(crate) fn blocked_user() -> Self {
        Self::of(130_403, "The user is blocked by this business.")
    }

    /// A template that cannot be created or changed so (protocol, 3.9).
    pub(crate) fn template_refused(subcode: u32, details: impl Into<String>) -> Self {
        Self { subcode: Some(subcode), ..Self::new(400, 100, details) }
    }

    pub(crate) fn parameter_text() -> Self {
        let details = "A parameter text is empty, or holds a line break, a tab or more than 4 consecutive spaces.";
        Self::new(400, 132_018, details)
    }

    pub(crate) fn text_too_long() -> Self {
        Self::new(400, 132_005, "The text is too long after filling in the parameters.")
    }

    /// What a test asked the sandbox to answer.
    pub(crate) fn asked_for(status: u16, code: u32) -> Self {
        Self::new(status, code, "The sandbox was told to answer so.")
    }

    /// The body as the platform writes it.
    pub(crate) fn body(&self) -> Value {
        let title = title(self.code);
        let kind = if self.subcode == Some(UNKNOWN_OBJECT) {
            "GraphMethodException"
        } else {
            "OAuthException"
        };
        let mut error = json!({
            "message": format!("(#{}) {title}", self.code),
            "type": kind,
            "code": self.code,
            "error_data": { "messaging_product": "whatsapp", "details": self.details },
            "fbtrace_id": "ASandboxTrace",
        });
        if let (Some(subcode), Some(fields)) = (self.subcode, error.as_object_mut()) {
            fields.insert("error_subcode".to_owned(), json!(subcode));
            if subcode != UNKNOWN_OBJECT {
                fields.insert("error_user_title".to_owned(), json!(title));
                fields.insert("error_user_msg".to_owned(), json!(self.details));
                fields.insert("is_transient".to_owned(), json!(false));
            }
        }
        json!({ "error": error })
    }

    pub(crate) fn respond(&self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        HttpResponse::build(status).content_type(super::routes::JSON).body(self.body().to_string())
    }
}

/// The HTTP status of a synchronous answer with `code`; 400 where the platform's table is silent.
pub(crate) fn status_of(code: u32) -> u16 {
    match code {
        0 | 190 => 401,
        10 | 200..=299 | 368 | 130_497 | 131_005 | 131_031 => 403,
        132_001 => 404,
        3 | 131_000 | 131_016 | 131_045 | 131_057 | 133_000 | 134_102 => 500,
        2 | 133_004 => 503,
        _ => 400,
    }
}

/// The platform's title of an error code; unknown codes get a general one.
pub(crate) fn title(code: u32) -> &'static str {
    match code {
        1 => "Unknown API error",
        2 => "Service temporarily unavailable",
        4 => "Application request limit reached",
        10 => "Permission denied",
        100 => "Invalid parameter",
        190 => "Invalid OAuth access token",
        200 => "Permissions error",
        368 => "Temporarily blocked for policies violations",
        80_007 => "Rate limit issues",
        130_429 => "Rate limit hit",
        130_472 => "User's number is part of an experiment",
        131_000 => "Something went wrong",
        131_005 => "Access denied",
        131_008 => "Required parameter is missing",
        131_009 => "Parameter value is not valid",
        131_016 => "Service unavailable",
        131_021 => "Recipient cannot be sender",
        131_026 => "Message undeliverable",
        131_031 => "Business account locked",
        131_042 => "Business eligibility payment issue",
        131_047 => "Re-engagement message",
        131_048 => "Spam rate limit hit",
        131_049 => "Message not delivered to keep the ecosystem healthy",
        131_051 => "Unsupported message type",
        131_053 => "Media upload error",
        131_056 => "Pair rate limit hit",
        131_057 => "Account in maintenance mode",
        131_059 => "Invalid cursor",
        131_062 => "Business-scoped user id not supported",
        132_000 => "Number of parameters does not match the expected number of params",
        132_001 => "Template name does not exist in the translation",
        132_005 => "Translated text too long",
        132_012 => "Parameter format does not match format in the created template",
        132_015 => "Template is paused",
        132_016 => "Template is disabled",
        132_018 => "Invalid parameters in the template",
        3 => "Capability or permission problem",
        33 => "Business number was deleted",
        130_403 => "User is blocked by the business",
        130_497 => "Business account is restricted from messaging users in this country",
        131_030 => "Recipient phone number not in allowed list",
        131_037 => "Display name approval needed",
        131_045 => "Message failed to send because of a certificate error",
        131_050 => "User has stopped receiving marketing messages",
        131_052 => "Media download error",
        131_060 => "This message is not available",
        131_063 => "Marketing templates are disabled on Cloud API",
        131_064 => "Limit because of misclassified templates",
        132_007 => "Template format character policy violated",
        132_021 => "Template name conflict",
        132_068 => "Flow is blocked",
        132_069 => "Flow is throttled",
        133_000 => "Incomplete deregistration",
        133_004 => "Server temporarily unavailable",
        133_005 => "Two-step verification PIN mismatch",
        133_006 => "Phone number re-verification needed",
        133_008 => "Too many two-step verification PIN guesses",
        133_009 => "Two-step verification PIN guessed too fast",
        133_010 => "Phone number not registered",
        133_015 => "Please wait a few minutes before attempting to register this phone number",
        133_016 => "Account register/deregister rate limit exceeded",
        134_100 => "Only marketing messages are supported",
        134_101 => "The template is still syncing",
        134_102 => "The template is unavailable",
        135_000 => "Generic user error",
        137_000 => "Recipient identity key hash mismatch",
        139_100 => "Failed to block or unblock some users",
        80_008 => "Too many management calls for this account",
        _ => "Error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_answers_with_the_status_of_the_table() {
        let cases = [
            (190, 401),
            (10, 403),
            (368, 403),
            (131_031, 403),
            (132_001, 404),
            (131_016, 500),
            (2, 503),
            (130_429, 400),
            (133_010, 400),
            (999_999, 400),
        ];
        for (code, status) in cases {
            assert_eq!(GraphError::of(code, "").status, status, "{code}");
        }
    }

    #[test]
    fn a_body_has_the_platforms_keys_and_a_subcode_only_where_there_is_one() {
        let plain = GraphError::missing("x").body();
        assert_eq!(plain["error"]["message"], "(#131008) Required parameter is missing");
        assert_eq!(plain["error"]["error_data"]["details"], "x");
        assert!(plain["error"].get("error_subcode").is_none());
        let unknown = GraphError::unknown_object("1").body();
        assert_eq!(unknown["error"]["type"], "GraphMethodException");
        let template = GraphError::template_refused(2_388_299, "y").body();
        assert_eq!(template["error"]["error_user_msg"], "y");
    }
}
