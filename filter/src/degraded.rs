//! Streams while no good policy is in force: answered with the reason's class, or passed if the document says so.

use crate::host::{Flow, Host, Level, Metric};

/// A plugin without a good policy.
pub struct Degraded {
    opens: bool,
    reasons: Vec<String>,
}

impl Degraded {
    pub fn new(opens: bool, reasons: Vec<String>) -> Degraded {
        Degraded { opens, reasons }
    }

    /// Answers a request 503, or lets it pass where the broken document asks to fail open; counted either way.
    pub fn request_headers(&self, host: &mut dyn Host) -> Flow {
        host.count(Metric::Degraded);
        if self.opens {
            return Flow::Continue;
        }
        let places = self.reasons.len();
        host.log(Level::Warn, &format!("weir: request refused, policy has {places} errors"));
        let body = "{\"error\":{\"message\":\"No valid Weir policy is in force (invalid-policy).\",\
\"type\":\"service_unavailable\",\"code\":\"invalid_policy\"}}";
        let headers = [
            ("content-type", "application/json"),
            ("x-weir-decision", "fail"),
            ("x-weir-reason", "invalid-policy"),
        ];
        host.reply(503, &headers, body.as_bytes(), "weir{invalid-policy}");
        Flow::Pause
    }
}
