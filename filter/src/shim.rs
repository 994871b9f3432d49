//! The module's face to the proxy: forwards callbacks, decides nothing.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType};

use crate::config::{Configured, Registry, Shared, configure};
use crate::degraded::Degraded;
use crate::engine::Engine;
use crate::host::{Flow, Host, HostError, Level, Metric, Side};
use crate::hostcalls::{self, Buffer, Map, MetricKind};
use crate::phase::Exchange;

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|_| Box::<Root>::default());
}}

thread_local! {
    static REGISTRY: RefCell<Registry> = RefCell::default();
    /// Streams of this VM by their context, for the tick.
    static STREAMS: RefCell<BTreeMap<u32, Weak<RefCell<Exchange>>>> =
        const { RefCell::new(BTreeMap::new()) };
    static METRICS: RefCell<Vec<(String, u32)>> = const { RefCell::new(Vec::new()) };
}

/// What streams of a root context run under.
#[derive(Clone)]
enum Service {
    Engine(Rc<Engine>),
    Degraded(Rc<Degraded>),
}

struct Root {
    name: String,
    service: Service,
}

impl Default for Root {
    fn default() -> Root {
        let degraded = Degraded::new(false, vec!["not configured".to_owned()]);
        Root { name: String::new(), service: Service::Degraded(Rc::new(degraded)) }
    }
}

struct SharedData;

impl Shared for SharedData {
    fn get(&self, key: &str) -> bool {
        hostcalls::has_shared(key)
    }
    fn set(&mut self, key: &str) {
        hostcalls::set_shared(key);
    }
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, size: usize) -> bool {
        let text = hostcalls::buffer(Buffer::PluginConfiguration, 0, size).unwrap_or_default();
        let name = hostcalls::property(&["plugin_name"]).unwrap_or_default();
        self.name = String::from_utf8_lossy(&name).into_owned();
        let outcome = REGISTRY.with(|registry| match registry.try_borrow_mut() {
            Ok(mut registry) => configure(&mut registry, &mut SharedData, &self.name, &text),
            Err(_) => Configured::Degraded { reasons: Vec::new(), opens: false },
        });
        let (state, reasons) = match outcome {
            Configured::Active(engine) => {
                hostcalls::tick_every(tick(&engine));
                self.service = Service::Engine(engine);
                ("active", Vec::new())
            }
            Configured::Stale { engine, reasons } => {
                hostcalls::tick_every(tick(&engine));
                self.service = Service::Engine(engine);
                ("stale", reasons)
            }
            Configured::Degraded { reasons, opens } => {
                let degraded = Degraded::new(opens, reasons.clone());
                self.service = Service::Degraded(Rc::new(degraded));
                ("degraded", reasons)
            }
            Configured::Refused { reasons } => {
                report("refused", &reasons);
                return false;
            }
        };
        report(state, &reasons);
        for known in ["active", "stale", "degraded"] {
            let name = format!("weir_policy_{known}");
            if let Some(id) = hostcalls::define_metric(MetricKind::Gauge, &name) {
                hostcalls::record(id, u64::from(known == state));
            }
        }
        true
    }

    fn on_tick(&mut self) {
        let now = hostcalls::now();
        let stalled: Vec<(u32, Rc<RefCell<Exchange>>)> = STREAMS.with(|streams| {
            let Ok(streams) = streams.try_borrow() else { return Vec::new() };
            let live = streams.iter().filter_map(|(id, weak)| Some((*id, weak.upgrade()?)));
            live.filter(|(_, e)| e.try_borrow().is_ok_and(|e| e.is_stalled(now))).collect()
        });
        for (context, exchange) in stalled {
            if hostcalls::enter(context).is_err() {
                continue;
            }
            if let Ok(mut exchange) = exchange.try_borrow_mut() {
                exchange.expire(&mut Proxy);
            }
            // The reset calls back into the stream, so nothing of it may be borrowed here.
            hostcalls::close_stream(Side::Answer as u32);
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, context_id: u32) -> Option<Box<dyn HttpContext>> {
        let engine = match &self.service {
            Service::Engine(engine) => engine.clone(),
            Service::Degraded(degraded) => match self.last_good() {
                Some(engine) => engine,
                None => return Some(Box::new(Closed { degraded: degraded.clone() })),
            },
        };
        let id = decision_id(hostcalls::now(), context_id);
        let exchange = Rc::new(RefCell::new(Exchange::new(engine, id)));
        STREAMS.with(|streams| {
            if let Ok(mut streams) = streams.try_borrow_mut() {
                streams.insert(context_id, Rc::downgrade(&exchange));
            }
        });
        Some(Box::new(Stream { context: context_id, exchange }))
    }
}

impl Root {
    /// A good policy that this VM has seen since this root was configured badly: Envoy keeps a root for as long as
    /// its listener drains, and takes it out again when the same bad text comes back.
    fn last_good(&self) -> Option<Rc<Engine>> {
        REGISTRY.with(|registry| registry.try_borrow().ok()?.last_good(&self.name))
    }
}

/// Often enough to end a stalled stream soon after its time, in milliseconds.
fn tick(engine: &Engine) -> u32 {
    let quarter = engine.policy.spec.limits.hold.millis() / 4;
    u32::try_from(quarter).unwrap_or(u32::MAX).clamp(25, 1000)
}

fn report(state: &str, reasons: &[String]) {
    if reasons.is_empty() {
        hostcalls::log(2, "weir: policy active");
    }
    for reason in reasons {
        hostcalls::log(4, &format!("weir: policy {state}: {reason}"));
    }
}

/// An opaque id: time and stream, mixed so that neither can be read off it.
fn decision_id(now: u64, context: u32) -> String {
    let mut mixed = now ^ (u64::from(context) << 48);
    for _ in 0..3 {
        mixed = (mixed ^ (mixed >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    format!("{mixed:016x}")
}

/// The host behind a stream.
struct Proxy;

fn map(side: Side) -> Map {
    match side {
        Side::Request => Map::RequestHeaders,
        Side::Answer => Map::ResponseHeaders,
    }
}

fn buffer(side: Side) -> Buffer {
    match side {
        Side::Request => Buffer::RequestBody,
        Side::Answer => Buffer::ResponseBody,
    }
}

impl Host for Proxy {
    fn header(&self, side: Side, name: &str) -> Option<String> {
        hostcalls::header(map(side), name).map(|v| String::from_utf8_lossy(&v).into_owned())
    }

    fn header_names(&self, side: Side) -> Vec<String> {
        hostcalls::header_names(map(side))
    }

    fn set_header(&mut self, side: Side, name: &str, value: Option<&str>) {
        hostcalls::set_header(map(side), name, value);
    }

    fn body(&self, side: Side, start: usize, len: usize) -> Result<Vec<u8>, HostError> {
        hostcalls::buffer(buffer(side), start, len)
    }

    fn set_body(&mut self, side: Side, size: usize, bytes: &[u8]) -> Result<(), HostError> {
        hostcalls::set_buffer(buffer(side), size, bytes)
    }

    fn reply(&mut self, status: u32, headers: &[(&str, &str)], body: &[u8], details: &str) {
        hostcalls::reply(status, headers, body, details);
    }

    fn reset(&mut self, side: Side) {
        hostcalls::close_stream(side as u32);
    }

    fn count(&mut self, metric: Metric) {
        // Envoy's `stats_tags` make labels of what stands between `=.=` and `;.;`.
        let name = match metric {
            Metric::Decision(word) => format!("weir_decisions_decision=.={word};.;_total"),
            Metric::NotInspected(word) => format!("weir_not_inspected_reason=.={word};.;_total"),
            Metric::Degraded => "weir_degraded_requests_total".to_owned(),
        };
        METRICS.with(|metrics| {
            let Ok(mut metrics) = metrics.try_borrow_mut() else { return };
            if let Some((_, id)) = metrics.iter().find(|(n, _)| *n == name) {
                hostcalls::increment(*id, 1);
            } else if let Some(id) = hostcalls::define_metric(MetricKind::Counter, &name) {
                hostcalls::increment(id, 1);
                metrics.push((name, id));
            }
        });
    }

    fn log(&mut self, level: Level, line: &str) {
        let level = match level {
            Level::Info => 2,
            Level::Warn => 3,
            Level::Error => 4,
        };
        hostcalls::log(level, line);
    }

    fn set_state(&mut self, key: &str, value: &str) {
        hostcalls::set_property(key, value.as_bytes());
    }

    fn property(&self, path: &[&str]) -> Option<String> {
        hostcalls::property(path).map(|v| String::from_utf8_lossy(&v).into_owned())
    }

    fn now(&self) -> u64 {
        hostcalls::now()
    }
}

fn action(flow: Flow) -> Action {
    match flow {
        Flow::Continue => Action::Continue,
        Flow::Pause => Action::Pause,
    }
}

struct Stream {
    context: u32,
    exchange: Rc<RefCell<Exchange>>,
}

impl Stream {
    /// Runs one callback. A callback inside another of the same stream is the host's echo of our own call; it has
    /// nothing to decide.
    fn call(&self, callback: impl FnOnce(&mut Exchange, &mut Proxy) -> Flow) -> Action {
        match self.exchange.try_borrow_mut() {
            Ok(mut exchange) => action(callback(&mut exchange, &mut Proxy)),
            Err(_) => Action::Continue,
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        STREAMS.with(|streams| {
            if let Ok(mut streams) = streams.try_borrow_mut() {
                streams.remove(&self.context);
            }
        });
    }
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, end: bool) -> Action {
        self.call(|exchange, host| exchange.request_headers(host, end))
    }

    fn on_http_request_body(&mut self, size: usize, end: bool) -> Action {
        self.call(|exchange, host| exchange.request_body(host, size, end))
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        self.call(|exchange, host| exchange.request_trailers(host))
    }

    fn on_http_response_headers(&mut self, _: usize, end: bool) -> Action {
        self.call(|exchange, host| exchange.answer_headers(host, end))
    }

    fn on_http_response_body(&mut self, size: usize, end: bool) -> Action {
        self.call(|exchange, host| exchange.answer_body(host, size, end))
    }

    fn on_http_response_trailers(&mut self, _: usize) -> Action {
        self.call(|exchange, host| exchange.answer_trailers(host))
    }

    fn on_log(&mut self) {
        self.call(|exchange, host| {
            exchange.done(host);
            Flow::Continue
        });
    }
}

/// A stream while no good policy is in force.
struct Closed {
    degraded: Rc<Degraded>,
}

impl Context for Closed {}

impl HttpContext for Closed {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        action(self.degraded.request_headers(&mut Proxy))
    }
}
