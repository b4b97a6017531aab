//! Compiles `proto/` into Rust: the message types, an rpc client and trait for each service, and the routing names of every
//! message. No system protoc is needed: protox is a compiler written in Rust.

#![expect(
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a build that cannot go on stops with its reason"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use prost_build::{Method, Service, ServiceGenerator};

/// Subject folder → the service that publishes its messages and answers its rpcs.
const SUBJECTS: &[(&str, &str)] = &[
    ("accounts", "Gateway"),
    ("calls", "CallOrchestrator"),
    ("telephony", "TelephonyBridge"),
    ("webhooks", "WebhookDispatcher"),
    ("knowledge", "KnowledgeService"),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new("../../proto");
    println!("cargo::rerun-if-changed={}", root.display());
    let files = proto_files(root)?;
    let descriptors = protox::compile(&files, [root])?;

    let mut config = prost_build::Config::new();
    config.service_generator(Box::new(Rpc));
    config.compile_fds(descriptors.clone())?;

    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("routing.rs"), routing(&descriptors))?;
    Ok(())
}

/// Every `.proto` below `dir`, in a stable order.
fn proto_files(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(proto_files(&path)?);
        } else if path.extension().is_some_and(|e| e == "proto") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// `echo.calls.v1` → (`calls`, 1).
fn subject_and_version(package: &str) -> (&str, u32) {
    let mut parts = package.split('.').skip(1);
    let subject = parts.next().unwrap_or_default();
    let version = parts.next().and_then(|v| v.strip_prefix('v')).and_then(|v| v.parse().ok());
    (subject, version.unwrap_or_else(|| panic!("package {package} does not end in a version such as .v1")))
}

fn publisher(subject: &str) -> &'static str {
    SUBJECTS.iter().find(|(s, _)| *s == subject).map_or_else(
        || panic!("proto/echo/{subject}: name the service that publishes it in contracts/build.rs"),
        |(_, service)| service,
    )
}

/// `DialRequested` → `dial_requested`.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// One `Message` implementation for each top-level message of a `messages.proto`, and the catalogue of them all.
fn routing(descriptors: &prost_types::FileDescriptorSet) -> String {
    let mut code = String::new();
    let mut catalogue = String::new();
    for file in descriptors.file.iter().filter(|f| f.name().ends_with("/messages.proto")) {
        let (subject, version) = subject_and_version(file.package());
        let service = publisher(subject);
        for message in &file.message_type {
            let (rust, name) = (message.name(), snake(message.name()));
            let _ = write!(
                code,
                "impl crate::message::Message for crate::{subject}::{rust} {{\n\
                 const PUBLISHER: crate::ServiceName = crate::ServiceName::{service};\n\
                 const SUBJECT: &'static str = \"{subject}\";\n\
                 const NAME: &'static str = \"{name}\";\n\
                 const VERSION: u32 = {version};\n}}\n"
            );
            let _ = writeln!(catalogue, "crate::message::MessageType::of::<crate::{subject}::{rust}>(),");
        }
    }
    let _ = write!(
        code,
        "/// Every message there is, in the order of the files.\n\
         pub fn catalogue() -> Vec<crate::message::MessageType> {{ vec![{catalogue}] }}\n"
    );
    code
}

/// Writes a typed client and a trait with its dispatcher for every `service`.
struct Rpc;

impl ServiceGenerator for Rpc {
    fn generate(&mut self, service: Service, buf: &mut String) {
        let (subject, _) = subject_and_version(&service.package);
        let target = publisher(subject);
        let name = &service.name;
        let docs = comments(&service.comments.leading);
        let _ = write!(
            buf,
            "{docs}#[async_trait::async_trait]\n\
             pub trait {name}Rpc: Send + Sync + 'static {{\n{trait_methods}}}\n\
             /// Calls [`{name}Rpc`] over the bus.\n\
             #[derive(Clone)]\n\
             pub struct {name}Client(std::sync::Arc<dyn crate::rpc::Caller>);\n\
             impl {name}Client {{\n\
             /// A client that sends through `caller`.\n\
             pub fn new(caller: std::sync::Arc<dyn crate::rpc::Caller>) -> Self {{ Self(caller) }}\n\
             {client_methods}}}\n\
             /// Answers [`{name}Rpc`] over the bus.\n\
             pub struct {name}Server<T>(pub T);\n\
             #[async_trait::async_trait]\n\
             impl<T: {name}Rpc> crate::rpc::Server for {name}Server<T> {{\n\
             fn service(&self) -> crate::ServiceName {{ crate::ServiceName::{target} }}\n\
             fn methods(&self) -> &'static [&'static str] {{ &[{method_names}] }}\n\
             async fn answer(&self, method: &str, context: crate::rpc::Context, request: bytes::Bytes) \
             -> Result<bytes::Bytes, crate::rpc::RpcError> {{\n\
             match method {{\n{arms}other => Err(crate::rpc::RpcError::unknown_method(other)),\n}}\n}}\n\
             {streams}}}\n",
            trait_methods = each(&service, trait_method),
            client_methods = each(&service, |m| client_method(m, name, target)),
            method_names = where_streaming(&service, false, |m| format!("\"{name}.{}\",", m.proto_name)),
            arms = where_streaming(&service, false, |m| arm(m, name)),
            streams = streams(&service),
        );
    }
}

fn each(service: &Service, write: impl Fn(&Method) -> String) -> String {
    service.methods.iter().map(write).collect()
}

fn where_streaming(service: &Service, streaming: bool, write: impl Fn(&Method) -> String) -> String {
    service.methods.iter().filter(|m| m.server_streaming == streaming).map(write).collect()
}

/// The part of a server that answers in parts; nothing for a service without such an rpc.
fn streams(service: &Service) -> String {
    let name = &service.name;
    let names = where_streaming(service, true, |m| format!("\"{name}.{}\",", m.proto_name));
    if names.is_empty() {
        return String::new();
    }
    format!(
        "fn streams(&self) -> &'static [&'static str] {{ &[{names}] }}\n\
         async fn stream(&self, method: &str, context: crate::rpc::Context, request: bytes::Bytes) \
         -> Result<crate::rpc::Streamed<bytes::Bytes>, crate::rpc::RpcError> {{\n\
         match method {{\n{}other => Err(crate::rpc::RpcError::unknown_method(other)),\n}}\n}}\n",
        where_streaming(service, true, |m| stream_arm(m, name))
    )
}

/// What a method answers: one message, or a stream of them.
fn reply(m: &Method) -> String {
    assert!(
        !m.client_streaming,
        "rpc {}: a request is one message; only an answer may be a stream",
        m.proto_name
    );
    if m.server_streaming {
        format!("crate::rpc::Streamed<{}>", m.output_type)
    } else {
        m.output_type.clone()
    }
}

fn comments(lines: &[String]) -> String {
    if lines.is_empty() {
        return "/// See the proto file.\n".to_owned();
    }
    lines.iter().flat_map(|l| l.lines()).fold(String::new(), |mut out, line| {
        let _ = writeln!(out, "///{line}");
        out
    })
}

fn trait_method(m: &Method) -> String {
    format!(
        "{}async fn {}(&self, context: crate::rpc::Context, request: {}) -> Result<{}, crate::rpc::RpcError>;\n",
        comments(&m.comments.leading),
        m.name,
        m.input_type,
        reply(m)
    )
}

fn client_method(m: &Method, service: &str, target: &str) -> String {
    // An rpc that may be sent again says so in its comment; the sentence is part of the promise.
    let idempotent = m.comments.leading.iter().any(|c| c.to_lowercase().contains("idempotent"));
    format!(
        "{}pub async fn {}(&self, context: crate::rpc::Context, request: {}) -> Result<{}, crate::rpc::RpcError> {{\n\
         let call = crate::rpc::Call {{ service: crate::ServiceName::{target}, method: \"{service}.{}\", idempotent: {idempotent} }};\n\
         crate::rpc::{send}(&*self.0, call, context, &request).await\n}}\n",
        comments(&m.comments.leading),
        m.name,
        m.input_type,
        reply(m),
        m.proto_name,
        send = if m.server_streaming { "open" } else { "call" },
    )
}

fn arm(m: &Method, service: &str) -> String {
    format!(
        "\"{service}.{}\" => {{\n\
         let request = crate::rpc::decode::<{}>(&request)?;\n\
         Ok(crate::rpc::encode(&self.0.{}(context, request).await?))\n}}\n",
        m.proto_name, m.input_type, m.name
    )
}

fn stream_arm(m: &Method, service: &str) -> String {
    format!(
        "\"{service}.{}\" => {{\n\
         let request = crate::rpc::decode::<{}>(&request)?;\n\
         Ok(crate::rpc::encoded(self.0.{}(context, request).await?))\n}}\n",
        m.proto_name, m.input_type, m.name
    )
}
