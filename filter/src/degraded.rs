//! Streams while no good policy is in force: answered with the reason's class, or passed if the document says so.

use crate::host::{Flow, Host, Refusal};

/// The record of an exchange under no policy.
const RECORD: &str = "{\"version\":1,\"decision\":\"fail\",\"by\":\"invalid-policy\"}";

/// A plugin without a good policy; by default one whose document does not ask to fail open.
#[derive(Default)]
pub struct Degraded {
    opens: bool,
}

impl Degraded {
    pub fn new(opens: bool) -> Degraded {
        Degraded { opens }
    }

    /// Answers a request 503, or lets it pass where the broken document asks to fail open; counted either way.
    pub fn request_headers(&self, host: &mut dyn Host) -> Flow {
        host.count("weir_degraded_requests", &[], 1);
        if self.opens {
            return Flow::Continue;
        }
        host.set_state("weir", RECORD);
        host.refused(Refusal { decision: "fail", by: "invalid-policy", record: RECORD });
        let body = "{\"error\":{\"message\":\"No valid Weir policy is in force (invalid-policy).\",\
\"type\":\"service_unavailable\",\"code\":\"invalid_policy\"}}";
        let headers = [
            ("content-type", "application/json"),
            ("x-weir-decision", "fail"),
            ("x-weir-reason", "invalid-policy"),
        ];
        host.reply(503, &headers, body.as_bytes(), "weir{fail:invalid-policy}");
        Flow::Pause
    }
}
