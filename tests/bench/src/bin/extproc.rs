//! External processors (Envoy's ext_proc): `extproc idle` answers every message with "go on"; `extproc rules POLICY`
//! runs Weir's engine natively, as a gateway would: it parses bodies and events with serde_json and scans their texts.
//! It does less than Weir: it holds and edits nothing. Prints the port that it serves.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use envoy_types::pb::envoy::config::core::v3::HeaderMap;
use envoy_types::pb::envoy::service::ext_proc::v3::body_mutation::Mutation;
use envoy_types::pb::envoy::service::ext_proc::v3::external_processor_server::{
    ExternalProcessor, ExternalProcessorServer,
};
use envoy_types::pb::envoy::service::ext_proc::v3::processing_request::Request as Asked;
use envoy_types::pb::envoy::service::ext_proc::v3::processing_response::Response as Answer;
use envoy_types::pb::envoy::service::ext_proc::v3::{
    BodyMutation, BodyResponse, CommonResponse, HeadersResponse, HttpBody, ProcessingRequest,
    ProcessingResponse, StreamedBodyResponse, TrailersResponse,
};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};
use weir_bench::text::ruleset;
use weir_rules::{ChannelSet, Ruleset, Scanner};

/// The most bytes of a message: the proxy puts what has come of a body into one, and an image is larger than the 4 MiB
/// that are usual.
const MESSAGE: usize = 64 << 20;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let rules = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [_, "idle"] => None,
        [_, "rules", policy] => Some(Arc::new(ruleset(Path::new(policy)))),
        _ => return Err("usage: extproc idle | extproc rules POLICY".into()),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?.port());
    let processor = ExternalProcessorServer::new(Processor { rules });
    let service = processor.max_decoding_message_size(MESSAGE);
    let server = tonic::transport::Server::builder().add_service(service);
    server.serve_with_incoming(TcpListenerStream::new(listener)).await?;
    Ok(())
}

struct Processor {
    rules: Option<Arc<Ruleset>>,
}

type Answers = Pin<Box<dyn Stream<Item = Result<ProcessingResponse, Status>> + Send>>;

#[tonic::async_trait]
impl ExternalProcessor for Processor {
    type ProcessStream = Answers;

    async fn process(
        &self,
        request: Request<Streaming<ProcessingRequest>>,
    ) -> Result<Response<Answers>, Status> {
        let mut asked = request.into_inner();
        let rules = self.rules.clone();
        let answers = async_stream::try_stream! {
            let (mut up, mut down) = (Side::new(ChannelSet::REQUEST), Side::new(ChannelSet::RESPONSE));
            while let Some(message) = asked.next().await {
                let Some(message) = message?.request else { continue };
                let answer = match (message, rules.as_deref()) {
                    (Asked::RequestHeaders(_), _) => Some(Answer::RequestHeaders(HeadersResponse::default())),
                    (Asked::ResponseHeaders(head), _) => {
                        down.streams = is_stream(head.headers.as_ref());
                        Some(Answer::ResponseHeaders(HeadersResponse::default()))
                    }
                    (Asked::RequestBody(_), None) => Some(Answer::RequestBody(BodyResponse::default())),
                    (Asked::ResponseBody(_), None) => Some(Answer::ResponseBody(BodyResponse::default())),
                    (Asked::RequestBody(body), Some(rules)) => up.take(rules, body).map(Answer::RequestBody),
                    (Asked::ResponseBody(body), Some(rules)) => down.take(rules, body).map(Answer::ResponseBody),
                    (Asked::RequestTrailers(_), _) => Some(Answer::RequestTrailers(TrailersResponse::default())),
                    (Asked::ResponseTrailers(_), _) => Some(Answer::ResponseTrailers(TrailersResponse::default())),
                };
                if answer.is_some() {
                    yield ProcessingResponse { response: answer, ..ProcessingResponse::default() };
                }
            }
        };
        Ok(Response::new(Box::pin(answers)))
    }
}

fn is_stream(headers: Option<&HeaderMap>) -> bool {
    let named =
        |h: &&envoy_types::pb::envoy::config::core::v3::HeaderValue| h.key == "content-type";
    let found = headers.and_then(|map| map.headers.iter().find(named));
    found.is_some_and(|h| {
        h.raw_value.starts_with(b"text/event-stream") || h.value.starts_with("text/event-stream")
    })
}

/// One body on its way.
struct Side {
    scope: ChannelSet,
    streams: bool,
    held: Vec<u8>,
    scanner: Scanner,
}

impl Side {
    fn new(scope: ChannelSet) -> Side {
        Side { scope, streams: false, held: Vec::new(), scanner: Scanner::default() }
    }

    /// Of a stream, what is complete goes on; any other body goes on when it has ended.
    fn take(&mut self, rules: &Ruleset, body: HttpBody) -> Option<BodyResponse> {
        self.held.extend_from_slice(&body.body);
        let ready = match (body.end_of_stream, self.streams) {
            (true, _) => std::mem::take(&mut self.held),
            (false, true) => {
                let end = memchr::memmem::rfind(&self.held, b"\n\n").map_or(0, |at| at + 2);
                let rest = self.held.split_off(end);
                std::mem::replace(&mut self.held, rest)
            }
            (false, false) => return None,
        };
        if self.streams {
            let text = String::from_utf8_lossy(&ready);
            for data in text.lines().filter_map(|line| line.strip_prefix("data: ")) {
                self.scan(rules, data.as_bytes());
            }
        } else {
            self.scan(rules, &ready);
        }
        let streamed = StreamedBodyResponse {
            body: ready,
            end_of_stream: body.end_of_stream,
            ..Default::default()
        };
        let mutation = BodyMutation { mutation: Some(Mutation::StreamedResponse(streamed)) };
        let response =
            CommonResponse { body_mutation: Some(mutation), ..CommonResponse::default() };
        Some(BodyResponse { response: Some(response) })
    }

    fn scan(&mut self, rules: &Ruleset, document: &[u8]) {
        let Ok(value) = serde_json::from_slice::<Value>(document) else { return };
        let mut found = Vec::new();
        let messages = value["messages"].as_array().into_iter().flatten();
        let choices = value["choices"].as_array().into_iter().flatten();
        let texts = messages
            .map(|m| &m["content"])
            .chain(choices.map(|c| &c[if self.streams { "delta" } else { "message" }]["content"]));
        for text in texts.filter_map(Value::as_str) {
            // Work beyond its limit is refused by a gateway; here nothing exceeds it.
            let _ = self.scanner.push(rules, self.scope, text, &mut found);
            if !self.streams {
                let _ = self.scanner.end(rules, &mut found);
            }
        }
    }
}
