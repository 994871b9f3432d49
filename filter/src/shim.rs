//! The module's face to the proxy: forwards callbacks, decides nothing.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType};

use crate::config::{Configured, Plugin, Registry, Shared, configure, vm};
use crate::degraded::Degraded;
use weir_rules::policy::OnViolation;

use crate::engine::Engine;
use crate::guard::Guard;
use crate::head::Head;
use crate::host::{Flow, Host, HostError, Labels, Level, Refusal, Side};
use crate::hostcalls::{self, Buffer, Map, MetricKind};
use crate::phase::Exchange;
use crate::warnings::Warnings;

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|_| Box::<Root>::default());
}}

thread_local! {
    static REGISTRY: RefCell<Registry> = RefCell::default();
    /// Streams of this VM by their context, for the tick.
    static STREAMS: RefCell<BTreeMap<u32, Weak<RefCell<Exchange>>>> =
        const { RefCell::new(BTreeMap::new()) };
    /// Where a counter's name is put together.
    static LABELED: RefCell<String> = const { RefCell::new(String::new()) };
    static METRICS: RefCell<BTreeMap<String, u32>> = const { RefCell::new(BTreeMap::new()) };
    static WARNINGS: RefCell<Warnings> = RefCell::default();
    /// What names the next decision. It begins anywhere, because workers number alike.
    static NEXT: Cell<u64> = Cell::new(hostcalls::random() ^ hostcalls::now());
    /// What the proxy is, by the path of its property.
    static NODE: RefCell<BTreeMap<String, Option<String>>> = const { RefCell::new(BTreeMap::new()) };
}

/// What streams of a root context run under.
struct Root {
    name: String,
    guard: Option<Rc<Guard>>,
    /// What becomes of a request that the guard is not for, or of any where there is none, while the configuration is
    /// bad. The guard may be of another listener then, which has the same plugin name and names other hosts.
    degraded: Option<Rc<Degraded>>,
}

impl Default for Root {
    fn default() -> Root {
        let degraded = Some(Rc::new(Degraded::new(false)));
        Root { name: String::new(), guard: None, degraded }
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
        let now = hostcalls::now();
        self.name = String::from_utf8_lossy(&name).into_owned();
        let plugin = Plugin { name: &self.name, vm: vm(std::env::vars()) };
        let outcome = REGISTRY.with(|registry| match registry.try_borrow_mut() {
            Ok(mut registry) => {
                configure(&mut registry, &mut SharedData, plugin, &text, &environment, now)
            }
            Err(_) => Configured::Degraded { reasons: Vec::new(), opens: false },
        });
        let (state, guard, opens, reasons) = match outcome {
            Configured::Active(guard) => ("active", Some(guard), None, Vec::new()),
            Configured::Stale { guard, reasons, opens } => {
                ("stale", Some(guard), Some(opens), reasons)
            }
            Configured::Degraded { reasons, opens } => ("degraded", None, Some(opens), reasons),
            Configured::Refused { reasons } => {
                report("refused", &reasons);
                count_refused(&self.name, 1);
                return false;
            }
        };
        hostcalls::tick_every(guard.as_deref().map_or(TICK, tick));
        if let Some(guard) = &guard {
            for id in guard.engines().flat_map(|e| e.rules.expired(now)) {
                hostcalls::log(WARN, &format!("weir: exception {id} has expired and is ignored"));
            }
            report_expired(&self.name, guard, now);
        }
        self.guard = guard;
        self.degraded = opens.map(|opens| Rc::new(Degraded::new(opens)));
        report(state, &reasons);
        // It is there before it counts: a series that begins at 1 is no increase.
        count_refused(&self.name, 0);
        for known in ["active", "stale", "degraded"] {
            gauge(&format!("weir_policy_{known}"), &self.name, u64::from(known == state));
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
            let side = match exchange.try_borrow_mut() {
                Ok(mut exchange) => exchange.expire(&mut Proxy),
                Err(_) => None,
            };
            // The reset calls back into the stream, so nothing of it may be borrowed here.
            if let Some(side) = side {
                hostcalls::close_stream(side as u32);
            }
        }
        WARNINGS.with(|warnings| {
            if let Ok(mut warnings) = warnings.try_borrow_mut() {
                warnings.flush(now, &mut |line| hostcalls::log(WARN, line));
            }
        });
        if let Some(guard) = &self.guard {
            report_expired(&self.name, guard, now);
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, context_id: u32) -> Option<Box<dyn HttpContext>> {
        let degraded = self.degraded.clone();
        let Some(guard) = self.guard.clone().or_else(|| self.last_good()) else {
            let degraded = degraded.unwrap_or_default();
            return Some(Box::new(Closed { degraded }));
        };
        let exchange = Rc::new(RefCell::new(Exchange::new(guard, decision_id())));
        STREAMS.with(|streams| {
            if let Ok(mut streams) = streams.try_borrow_mut() {
                streams.insert(context_id, Rc::downgrade(&exchange));
            }
        });
        Some(Box::new(Stream { context: context_id, exchange, degraded }))
    }
}

impl Root {
    /// A good policy that this VM has seen since this root was configured badly: Envoy keeps a root for as long as
    /// its listener drains, and takes it out again when the same bad text comes back.
    fn last_good(&self) -> Option<Rc<Guard>> {
        REGISTRY.with(|registry| registry.try_borrow().ok()?.last_good(&self.name))
    }
}

/// The most milliseconds between two ticks: how long a stream waits that is to be reset.
const TICK: u32 = 250;
const INFO: u32 = 2;
const WARN: u32 = 3;
/// The most characters of a plugin's name in a metric.
const MAX_LABEL: usize = 64;

/// Often enough to end a stalled or cut stream soon after its time, in milliseconds.
fn tick(guard: &Guard) -> u32 {
    let of = |engine: &Rc<Engine>| {
        let spec = &engine.policy.spec;
        let hold = u32::try_from(spec.limits.hold.millis() / 4).unwrap_or(u32::MAX);
        if spec.on_violation == OnViolation::Cut { hold.min(100) } else { hold }
    };
    guard.engines().map(of).min().unwrap_or(TICK).clamp(25, TICK)
}

fn report_expired(plugin: &str, guard: &Guard, now: u64) {
    let expired = guard.engines().map(|e| e.rules.expired(now).count() as u64).sum();
    gauge("weir_exceptions_expired", plugin, expired);
}

/// A metric's name for one plugin: there may be several in a process, and each tells its own state.
fn of_plugin(name: &str, plugin: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || "._-/".contains(c) { c } else { '_' };
    let plugin: String = plugin.chars().take(MAX_LABEL).map(safe).collect();
    let mut full = name.to_owned();
    label(&mut full, "plugin", &plugin);
    full
}

fn gauge(name: &str, plugin: &str, value: u64) {
    if let Some(id) = metric(MetricKind::Gauge, &of_plugin(name, plugin)) {
        hostcalls::record(id, value);
    }
}

/// A refusal changes no gauge: whoever is asked ends with it, and is not asked again when the good text comes back.
fn count_refused(plugin: &str, by: i64) {
    let name = of_plugin("weir_policy_refused", plugin) + "_total";
    if let Some(id) = metric(MetricKind::Counter, &name) {
        hostcalls::increment(id, by);
    }
}

/// A variable of the VM's environment.
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn report(state: &str, reasons: &[String]) {
    if reasons.is_empty() {
        hostcalls::log(INFO, "weir: policy active");
    }
    for reason in reasons {
        hostcalls::log(4, &format!("weir: policy {state}: {reason}"));
    }
}

/// An opaque id, another for each exchange of this VM.
fn decision_id() -> String {
    let mut mixed = NEXT.get();
    NEXT.set(mixed.wrapping_add(1));
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
    fn headers(&self, side: Side) -> Head {
        hostcalls::headers(map(side))
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

    fn count(&mut self, name: &'static str, labels: Labels<'_>, by: u64) {
        let id = LABELED.with_borrow_mut(|full| {
            full.clear();
            full.push_str(name);
            labels.iter().for_each(|(name, value)| label(full, name, value));
            full.push_str("_total");
            metric(MetricKind::Counter, full)
        });
        if let Some(id) = id {
            hostcalls::increment(id, i64::try_from(by).unwrap_or(i64::MAX));
        }
    }

    fn observe(&mut self, name: &'static str, value: u64) {
        if let Some(id) = metric(MetricKind::Histogram, name) {
            hostcalls::record(id, value);
        }
    }

    fn refused(&mut self, refusal: Refusal<'_>) {
        let now = hostcalls::now();
        WARNINGS.with(|warnings| {
            if let Ok(mut warnings) = warnings.try_borrow_mut() {
                warnings.refused(refusal, now, &mut |line| hostcalls::log(WARN, line));
            }
        });
    }

    fn log(&mut self, level: Level, line: &dyn Fn() -> String) {
        let level = match level {
            Level::Info => INFO,
            Level::Warn => WARN,
            Level::Error => 4,
        };
        if hostcalls::logs(level) {
            hostcalls::log(level, &line());
        }
    }

    fn set_state(&mut self, key: &str, value: &str) {
        // Another Weir in the chain may have told its part before. A line end would break a text log.
        let mut records = hostcalls::property(&[key]).unwrap_or_default();
        if !records.is_empty() {
            records.push(b' ');
        }
        records.extend_from_slice(value.as_bytes());
        hostcalls::set_property(key, &records);
    }

    fn property(&self, path: &[&str]) -> Option<String> {
        let ask = || hostcalls::property(path).map(|v| String::from_utf8_lossy(&v).into_owned());
        if !path.starts_with(&["xds", "node"]) {
            return ask();
        }
        NODE.with_borrow_mut(|node| node.entry(path.join(".")).or_insert_with(ask).clone())
    }

    fn number(&self, path: &[&str]) -> Option<u64> {
        hostcalls::property(path)?.first_chunk().copied().map(u64::from_le_bytes)
    }

    fn now(&self) -> u64 {
        hostcalls::now()
    }
}

/// Envoy's `stats_tags` make labels of what stands between `=.=` and `;.;`.
fn label(full: &mut String, name: &str, value: &str) {
    for part in ["_", name, "=.=", value, ";.;"] {
        full.push_str(part);
    }
}

/// A metric of this VM by its name, defined at its first use.
fn metric(kind: MetricKind, name: &str) -> Option<u32> {
    METRICS.with(|metrics| {
        let mut metrics = metrics.try_borrow_mut().ok()?;
        if let Some(id) = metrics.get(name) {
            return Some(*id);
        }
        let id = hostcalls::define_metric(kind, name)?;
        metrics.insert(name.to_owned(), id);
        Some(id)
    })
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
    /// For what the guard is not for, where it is of an earlier configuration than its root's.
    degraded: Option<Rc<Degraded>>,
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
        self.call(|exchange, host| {
            let flow = exchange.request_headers(host, end);
            match &self.degraded {
                Some(degraded) if !exchange.is_named() => degraded.request_headers(host),
                Some(_) => {
                    host.count("weir_stale_requests", &[], 1);
                    flow
                }
                None => flow,
            }
        })
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
