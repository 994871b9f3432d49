//! Fallible wrappers over the proxy-wasm host calls (ABI 0.2.1). The SDK's own wrappers panic on a status that they
//! do not expect, and a panic ends every stream of the worker.
#![allow(unsafe_code)]

use std::ptr::null_mut;

use crate::head::Head;
use crate::host::HostError;

/// Kinds of maps, as the ABI numbers them.
#[derive(Clone, Copy)]
pub enum Map {
    RequestHeaders = 0,
    ResponseHeaders = 2,
}

/// Kinds of buffers.
#[derive(Clone, Copy)]
pub enum Buffer {
    RequestBody = 0,
    ResponseBody = 1,
    PluginConfiguration = 7,
}

/// Kinds of metrics.
#[derive(Clone, Copy)]
pub enum MetricKind {
    Counter = 0,
    Gauge = 1,
    Histogram = 2,
}

unsafe extern "C" {
    fn proxy_get_log_level(level: *mut u32) -> u32;
    fn proxy_log(level: u32, data: *const u8, size: usize) -> u32;
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_replace_header_map_value(
        map: u32,
        key: *const u8,
        key_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_remove_header_map_value(map: u32, key: *const u8, key_size: usize) -> u32;
    fn proxy_get_buffer_bytes(
        buffer: u32,
        start: usize,
        max: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_set_buffer_bytes(
        buffer: u32,
        start: usize,
        size: usize,
        data: *const u8,
        data_size: usize,
    ) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;
    fn proxy_close_stream(kind: u32) -> u32;
    fn proxy_get_property(
        path: *const u8,
        path_size: usize,
        value: *mut *mut u8,
        value_size: *mut usize,
    ) -> u32;
    fn proxy_set_property(
        path: *const u8,
        path_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_get_shared_data(
        key: *const u8,
        key_size: usize,
        value: *mut *mut u8,
        value_size: *mut usize,
        cas: *mut u32,
    ) -> u32;
    fn proxy_set_shared_data(
        key: *const u8,
        key_size: usize,
        value: *const u8,
        value_size: usize,
        cas: u32,
    ) -> u32;
    fn proxy_set_effective_context(context: u32) -> u32;
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_define_metric(kind: u32, name: *const u8, name_size: usize, id: *mut u32) -> u32;
    fn proxy_increment_metric(id: u32, offset: i64) -> u32;
    fn proxy_record_metric(id: u32, value: u64) -> u32;
}

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn random_get(data: *mut u8, size: usize) -> u32;
}

fn check(status: u32) -> Result<(), HostError> {
    if status == 0 { Ok(()) } else { Err(HostError(status)) }
}

/// Takes over memory that the host filled for us.
fn owned(data: *mut u8, size: usize) -> Vec<u8> {
    if data.is_null() {
        return Vec::new();
    }
    // SAFETY: the host allocated `size` bytes through this module's allocator and hands them over.
    unsafe { Vec::from_raw_parts(data, size, size) }
}

/// Whether log lines of a level are written: Envoy's `--log-level` and `--component-log-level wasm`.
pub fn logs(level: u32) -> bool {
    let mut least = 0;
    // SAFETY: the pointer is of a live local.
    let status = unsafe { proxy_get_log_level(&mut least) };
    status != 0 || level >= least
}

/// Writes a log line.
pub fn log(level: u32, line: &str) {
    // SAFETY: pointer and length are of one live slice.
    let _ = unsafe { proxy_log(level, line.as_ptr(), line.len()) };
}

/// Microseconds since the Unix epoch; 0 when the host refuses.
pub fn now() -> u64 {
    let mut time = 0u64;
    // SAFETY: the pointer is of a live local.
    let status = unsafe { proxy_get_current_time_nanoseconds(&mut time) };
    if status == 0 { time / 1000 } else { 0 }
}

/// A random number; 0 when the host refuses.
pub fn random() -> u64 {
    let mut bytes = [0; 8];
    // SAFETY: pointer and length are of a live local.
    let status = unsafe { random_get(bytes.as_mut_ptr(), bytes.len()) };
    if status == 0 { u64::from_le_bytes(bytes) } else { 0 }
}

/// All headers of a map.
pub fn headers(map: Map) -> Head {
    let (mut data, mut size) = (null_mut(), 0);
    // SAFETY: all pointers are of live locals.
    let status = unsafe { proxy_get_header_map_pairs(map as u32, &mut data, &mut size) };
    if status != 0 {
        return Head::default();
    }
    Head::parse(owned(data, size)).unwrap_or_default()
}

/// Sets or removes a header.
pub fn set_header(map: Map, name: &str, value: Option<&str>) {
    // SAFETY: pointers and lengths are of live slices.
    let _ = unsafe {
        match value {
            Some(value) => proxy_replace_header_map_value(
                map as u32,
                name.as_ptr(),
                name.len(),
                value.as_ptr(),
                value.len(),
            ),
            None => proxy_remove_header_map_value(map as u32, name.as_ptr(), name.len()),
        }
    };
}

/// Bytes of a buffer.
pub fn buffer(buffer: Buffer, start: usize, max: usize) -> Result<Vec<u8>, HostError> {
    let (mut data, mut size) = (null_mut(), 0);
    // SAFETY: all pointers are of live locals.
    check(unsafe { proxy_get_buffer_bytes(buffer as u32, start, max, &mut data, &mut size) })?;
    Ok(owned(data, size))
}

/// Replaces the first `size` bytes of a buffer.
pub fn set_buffer(buffer: Buffer, size: usize, bytes: &[u8]) -> Result<(), HostError> {
    // SAFETY: pointer and length are of one live slice.
    check(unsafe { proxy_set_buffer_bytes(buffer as u32, 0, size, bytes.as_ptr(), bytes.len()) })
}

/// Pairs in the ABI's serialized form.
fn serialized(headers: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(&(headers.len() as u32).to_le_bytes());
    for (name, value) in headers {
        out.extend_from_slice(&(name.len() as u32).to_le_bytes());
        out.extend_from_slice(&(value.len() as u32).to_le_bytes());
    }
    for (name, value) in headers {
        out.extend_from_slice(name.as_bytes());
        out.push(0);
        out.extend_from_slice(value.as_bytes());
        out.push(0);
    }
    out
}

/// Answers the client; the first reply of a stream wins.
pub fn reply(status: u32, headers: &[(&str, &str)], body: &[u8], details: &str) {
    let headers = serialized(headers);
    // SAFETY: pointers and lengths are of live slices.
    let _ = unsafe {
        proxy_send_local_response(
            status,
            details.as_ptr(),
            details.len(),
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            -1,
        )
    };
}

/// Resets the request (0) or response (1) stream.
pub fn close_stream(kind: u32) {
    // SAFETY: no pointers.
    let _ = unsafe { proxy_close_stream(kind) };
}

/// A property by its path.
pub fn property(path: &[&str]) -> Option<Vec<u8>> {
    let path = path.join("\0");
    let (mut data, mut size) = (null_mut(), 0);
    // SAFETY: all pointers are of live locals or slices.
    let status = unsafe { proxy_get_property(path.as_ptr(), path.len(), &mut data, &mut size) };
    (status == 0 && !data.is_null()).then(|| owned(data, size))
}

/// Sets filter state; Envoy names it `wasm.<key>`.
pub fn set_property(key: &str, value: &[u8]) {
    // SAFETY: pointers and lengths are of live slices.
    let _ = unsafe { proxy_set_property(key.as_ptr(), key.len(), value.as_ptr(), value.len()) };
}

/// Whether a key of the process-wide data is set.
pub fn has_shared(key: &str) -> bool {
    let (mut data, mut size, mut cas) = (null_mut(), 0, 0);
    // SAFETY: all pointers are of live locals or slices.
    let status =
        unsafe { proxy_get_shared_data(key.as_ptr(), key.len(), &mut data, &mut size, &mut cas) };
    if status != 0 {
        return false;
    }
    !owned(data, size).is_empty()
}

/// Sets a key of the process-wide data.
pub fn set_shared(key: &str) {
    let value = b"1";
    // SAFETY: pointers and lengths are of live slices.
    let _ =
        unsafe { proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), 0) };
}

/// Defines a metric, or finds it by its name.
pub fn define_metric(kind: MetricKind, name: &str) -> Option<u32> {
    let mut id = 0;
    // SAFETY: all pointers are of live locals or slices.
    let status = unsafe { proxy_define_metric(kind as u32, name.as_ptr(), name.len(), &mut id) };
    (status == 0).then_some(id)
}

/// Adds to a counter.
pub fn increment(id: u32, by: i64) {
    // SAFETY: no pointers.
    let _ = unsafe { proxy_increment_metric(id, by) };
}

/// Sets a gauge, or adds to a histogram.
pub fn record(id: u32, value: u64) {
    // SAFETY: no pointers.
    let _ = unsafe { proxy_record_metric(id, value) };
}

/// Makes the following calls act on another stream.
pub fn enter(context: u32) -> Result<(), HostError> {
    // SAFETY: no pointers.
    check(unsafe { proxy_set_effective_context(context) })
}

/// Asks for a tick every so many milliseconds.
pub fn tick_every(millis: u32) {
    // SAFETY: no pointers.
    let _ = unsafe { proxy_set_tick_period_milliseconds(millis) };
}
