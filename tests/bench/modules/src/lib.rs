//! What any module costs: with the configuration `read` it fetches each chunk of both bodies, otherwise it does nothing.

use std::hint::black_box;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Warn);
    proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::new(Root { reads: false }) });
}}

struct Root {
    reads: bool,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        self.reads = self.get_plugin_configuration().is_some_and(|text| text == b"read");
        true
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        if self.reads { Some(Box::new(Reader)) } else { Some(Box::new(Nothing)) }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

struct Nothing;

impl Context for Nothing {}
impl HttpContext for Nothing {}

struct Reader;

impl Context for Reader {}

impl HttpContext for Reader {
    fn on_http_request_body(&mut self, size: usize, _: bool) -> Action {
        black_box(self.get_http_request_body(0, size));
        Action::Continue
    }

    fn on_http_response_body(&mut self, size: usize, _: bool) -> Action {
        black_box(self.get_http_response_body(0, size));
        Action::Continue
    }
}
