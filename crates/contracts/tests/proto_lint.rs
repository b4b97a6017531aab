//! Holds every file below `proto/` to the rules of its README: what is promised is explained, named after its place, tells its
//! tenant, and says whether it may be sent again. The rules are tried on files that break them.

#![cfg(test)]

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet,
    ServiceDescriptorProto,
};
use protox::file::{File, FileResolver};

const PROTO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto");

/// Tags in `descriptor.proto`: a thing's place in its file is a path of these and of indices.
mod tag {
    pub(super) const MESSAGE: i32 = 4;
    pub(super) const ENUM: i32 = 5;
    pub(super) const SERVICE: i32 = 6;
    pub(super) const FIELD_OF_MESSAGE: i32 = 2;
    pub(super) const MESSAGE_OF_MESSAGE: i32 = 3;
    pub(super) const ENUM_OF_MESSAGE: i32 = 4;
    pub(super) const VALUE_OF_ENUM: i32 = 2;
    pub(super) const METHOD_OF_SERVICE: i32 = 2;
}

/// Fields that hold something about a person who is called; further ones carry the mark `Sensitive` in their comment.
const ABOUT_A_CUSTOMER: &[&str] =
    &["customer_id", "external_id", "first_name", "last_name", "email", "phone"];

/// Every message there is, by its full name with the leading dot.
type Messages<'a> = HashMap<String, (&'a FileDescriptorProto, &'a DescriptorProto, Vec<i32>)>;

/// What is wrong with these files, each with its place.
fn faults(set: &FileDescriptorSet) -> Vec<String> {
    let own = || set.file.iter().filter(|f| !f.name().starts_with("google/protobuf/"));
    let mut messages = Messages::new();
    for file in own() {
        for (i, message) in numbered(&file.message_type) {
            collect(file, message, &format!(".{}", file.package()), vec![tag::MESSAGE, i], &mut messages);
        }
    }
    own().flat_map(|file| Lint { file, messages: &messages, faults: Vec::new() }.run()).collect()
}

fn collect<'a>(
    file: &'a FileDescriptorProto,
    message: &'a DescriptorProto,
    scope: &str,
    path: Vec<i32>,
    into: &mut Messages<'a>,
) {
    let name = format!("{scope}.{}", message.name());
    for (i, nested) in numbered(&message.nested_type) {
        collect(file, nested, &name, joined(&path, &[tag::MESSAGE_OF_MESSAGE, i]), into);
    }
    into.insert(name, (file, message, path));
}

struct Lint<'a> {
    file: &'a FileDescriptorProto,
    messages: &'a Messages<'a>,
    faults: Vec<String>,
}

impl Lint<'_> {
    fn run(mut self) -> Vec<String> {
        self.package();
        for (i, message) in numbered(&self.file.message_type) {
            self.message(message, &[tag::MESSAGE, i]);
            if self.file.name().ends_with("/messages.proto") {
                self.published(message, &[tag::MESSAGE, i]);
            }
        }
        for (i, declared) in numbered(&self.file.enum_type) {
            self.enumeration(declared, &[tag::ENUM, i]);
        }
        for (i, service) in numbered(&self.file.service) {
            self.service(service, &[tag::SERVICE, i]);
        }
        self.faults
    }

    fn package(&mut self) {
        let parts: Vec<&str> = self.file.name().split('/').collect();
        let expected = match parts.as_slice() {
            ["echo", subject, version, _] if is_snake(subject) && is_version(version) => {
                Some(format!("echo.{subject}.{version}"))
            }
            _ => None,
        };
        match expected {
            None => self.fault(&[], "stands outside echo/<subject>/v<n>/"),
            Some(package) if package != self.file.package() => {
                self.fault(
                    &[],
                    &format!("package {} should be {package}, like its folder", self.file.package()),
                );
            }
            Some(_) => {}
        }
    }

    fn message(&mut self, message: &DescriptorProto, path: &[i32]) {
        if message.options.as_ref().is_some_and(prost_types::MessageOptions::map_entry) {
            return; // written by the compiler for a map field
        }
        self.needs_comment(&format!("message {}", message.name()), path);
        for (i, field) in numbered(&message.field) {
            let (path, name) = (joined(path, &[tag::FIELD_OF_MESSAGE, i]), field.name());
            self.needs_comment(&format!("field {}.{name}", message.name()), &path);
            if !is_snake(name) {
                self.fault(&path, &format!("field {}.{name} is not in snake_case", message.name()));
            }
        }
        for (i, nested) in numbered(&message.nested_type) {
            self.message(nested, &joined(path, &[tag::MESSAGE_OF_MESSAGE, i]));
        }
        for (i, nested) in numbered(&message.enum_type) {
            self.enumeration(nested, &joined(path, &[tag::ENUM_OF_MESSAGE, i]));
        }
    }

    fn enumeration(&mut self, declared: &EnumDescriptorProto, path: &[i32]) {
        self.needs_comment(&format!("enum {}", declared.name()), path);
        for (i, value) in numbered(&declared.value) {
            let (path, name) = (joined(path, &[tag::VALUE_OF_ENUM, i]), value.name());
            self.needs_comment(&format!("value {name}"), &path);
            let explained = comment(self.file, &path).to_lowercase().contains("default");
            if value.number() == 0 && !name.ends_with("UNSPECIFIED") && !explained {
                let text = format!(
                    "value {name} is 0: end it in UNSPECIFIED, or call it the default in its comment"
                );
                self.fault(&path, &text);
            }
        }
    }

    fn service(&mut self, service: &ServiceDescriptorProto, path: &[i32]) {
        self.needs_comment(&format!("service {}", service.name()), path);
        for (i, method) in numbered(&service.method) {
            let path = joined(path, &[tag::METHOD_OF_SERVICE, i]);
            let name = format!("rpc {}.{}", service.name(), method.name());
            self.needs_comment(&name, &path);
            let text = comment(self.file, &path);
            // The generator reads the word anywhere, so that it must not be used to say the opposite.
            let (again, once) = (text.to_lowercase().contains("idempotent"), text.contains("Sent once"));
            if again == once || again && !text.contains("Idempotent") {
                self.fault(&path, &format!("{name} should say either `Idempotent` or `Sent once`"));
            }
        }
    }

    /// A message that goes to whoever wants to hear it.
    fn published(&mut self, message: &DescriptorProto, path: &[i32]) {
        let tenant = if self.file.package().starts_with("echo.knowledge.") { "app_id" } else { "project_id" };
        let name = format!(".{}.{}", self.file.package(), message.name());
        let told = message.field.iter().any(|f| f.name() == tenant);
        if !told && let Some(field) = self.customer_data(&name, &mut Vec::new()) {
            self.fault(path, &format!("message {} carries {field}, but no {tenant}", message.name()));
        }
    }

    /// The first field about a customer in this message or in one inside it.
    fn customer_data(&self, name: &str, seen: &mut Vec<String>) -> Option<String> {
        let (file, message, path) = self.messages.get(name)?;
        if seen.iter().any(|s| s == name) {
            return None;
        }
        seen.push(name.to_owned());
        numbered(&message.field).find_map(|(i, field)| {
            let place = joined(path, &[tag::FIELD_OF_MESSAGE, i]);
            if is_about_a_customer(field, &comment(file, &place)) {
                return Some(format!("{}.{}", message.name(), field.name()));
            }
            self.customer_data(field.type_name(), seen)
        })
    }

    fn needs_comment(&mut self, what: &str, path: &[i32]) {
        if comment(self.file, path).trim().is_empty() {
            self.fault(path, &format!("{what} has no comment in front of it"));
        }
    }

    fn fault(&mut self, path: &[i32], text: &str) {
        let line = location(self.file, path).and_then(|l| l.span.first()).map_or(1, |line| line + 1);
        self.faults.push(format!("proto/{}:{line}: {text}", self.file.name()));
    }
}

fn is_about_a_customer(field: &FieldDescriptorProto, comment: &str) -> bool {
    ABOUT_A_CUSTOMER.contains(&field.name())
        || field.name().ends_with("_e164")
        || comment.contains("Sensitive")
}

fn location<'a>(
    file: &'a FileDescriptorProto,
    path: &[i32],
) -> Option<&'a prost_types::source_code_info::Location> {
    file.source_code_info.as_ref()?.location.iter().find(|l| l.path == path)
}

/// The comment in front of the thing at this path.
fn comment(file: &FileDescriptorProto, path: &[i32]) -> String {
    location(file, path).map(|l| l.leading_comments().to_owned()).unwrap_or_default()
}

fn is_snake(name: &str) -> bool {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(fine)
        && !name.contains("__")
        && !name.ends_with('_')
}

fn is_version(text: &str) -> bool {
    text.strip_prefix('v').is_some_and(|n| n.parse::<u32>().is_ok_and(|n| n > 0) && !n.starts_with('0'))
}

fn joined(path: &[i32], more: &[i32]) -> Vec<i32> {
    [path, more].concat()
}

fn numbered<T>(items: &[T]) -> impl Iterator<Item = (i32, &T)> {
    (0..).zip(items)
}

fn proto_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = entries
        .flat_map(|path| match path.extension() {
            _ if path.is_dir() => proto_files(&path),
            Some(end) if end == "proto" => vec![path],
            _ => Vec::new(),
        })
        .collect();
    found.sort();
    found
}

#[test]
fn every_file_below_proto_keeps_the_rules() {
    let files = proto_files(Path::new(PROTO));
    assert!(!files.is_empty(), "no files below {PROTO}");
    let found = faults(&protox::compile(&files, [PROTO]).unwrap());
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

/// One file that is not on the disk.
struct Draft(String);

impl FileResolver for Draft {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        File::from_source(name, &self.0)
    }
}

const PLACE: &str = "echo/calls/v1/messages.proto";

/// What is wrong with a file at `place` that says this.
fn faults_at(place: &str, text: &str) -> Vec<String> {
    let draft = Draft(format!("syntax = \"proto3\"; package echo.calls.v1;\n{text}"));
    let mut compiler = protox::Compiler::with_file_resolver(draft);
    compiler.include_source_info(true).open_file(place).unwrap();
    faults(&compiler.file_descriptor_set())
}

/// The same at the usual place, without the places. A comment belongs to what follows only from a line of its own.
fn faults_in(text: &str) -> Vec<String> {
    let lines = text.replace("{ ", "{\n").replace("; ", ";\n").replace("} ", "}\n");
    let found = faults_at(PLACE, &lines);
    found.iter().map(|f| f.splitn(3, ':').nth(2).unwrap_or_default().trim().to_owned()).collect()
}

#[test]
fn a_fault_is_named_with_its_file_and_line() {
    let text = "// A.\nmessage A {\n  // B.\n  string b = 1;\n  string c = 2;\n}";
    assert_eq!(faults_at(PLACE, text), [format!("proto/{PLACE}:6: field A.c has no comment in front of it")]);
}

#[test]
fn whatever_has_no_comment_is_found() {
    assert_eq!(faults_in("message A {}"), ["message A has no comment in front of it"]);
    assert_eq!(
        faults_in("/* A. */ message A { string b = 1; }"),
        ["field A.b has no comment in front of it"]
    );
    assert_eq!(faults_in("/* A. */ message A { message B {} }"), ["message B has no comment in front of it"]);
    assert_eq!(
        faults_in("enum E { /* None. */ E_UNSPECIFIED = 0; }"),
        ["enum E has no comment in front of it"]
    );
    assert_eq!(
        faults_in("/* E. */ enum E { E_UNSPECIFIED = 0; }"),
        ["value E_UNSPECIFIED has no comment in front of it"]
    );
    let rpc = "/* A. */ message A {} service S { /* Idempotent. */ rpc R(A) returns (A); }";
    assert_eq!(faults_in(rpc), ["service S has no comment in front of it"]);
}

#[test]
fn a_package_that_is_not_named_after_its_folder_is_found() {
    let elsewhere = "echo/telephony/v1/messages.proto";
    let expected = "package echo.calls.v1 should be echo.telephony.v1, like its folder";
    assert_eq!(faults_at(elsewhere, ""), vec![format!("proto/{elsewhere}:1: {expected}")]);
    for outside in ["echo/calls/messages.proto", "echo/calls/v0/messages.proto", "calls/v1/x/messages.proto"]
    {
        let expected = format!("proto/{outside}:1: stands outside echo/<subject>/v<n>/");
        assert_eq!(faults_at(outside, ""), vec![expected]);
    }
}

#[test]
fn a_field_in_camel_case_is_found() {
    let text = "/* A. */ message A { /* B. */ string callId = 1; }";
    assert_eq!(faults_in(text), ["field A.callId is not in snake_case"]);
}

#[test]
fn an_enum_whose_zero_means_something_without_being_called_the_default_is_found() {
    let fault = ["value E_A is 0: end it in UNSPECIFIED, or call it the default in its comment"];
    assert_eq!(faults_in("/* E. */ enum E { /* A. */ E_A = 0; }"), fault);
    assert!(faults_in("/* E. */ enum E { /* The default. */ E_A = 0; }").is_empty());
}

#[test]
fn a_published_message_about_a_customer_without_its_tenant_is_found_also_when_the_customer_is_inside() {
    let flat = "/* A. */ message A { /* C. */ string customer_id = 1; }";
    assert_eq!(faults_in(flat), ["message A carries A.customer_id, but no project_id"]);
    let marked = "/* A. */ message A { /* Said. Sensitive. */ string text = 1; }";
    assert_eq!(faults_in(marked), ["message A carries A.text, but no project_id"]);
    let inside = "/* A. */ message A { /* C. */ C c = 1; /* P. */ string project_id = 2; } \
                  /* B. */ message B { /* C. */ C c = 1; } \
                  /* C. */ message C { /* N. */ string to_e164 = 1; /* P. */ string project_id = 2; }";
    assert_eq!(faults_in(inside), ["message B carries C.to_e164, but no project_id"]);
    let part = "// A.\nmessage A {\n// C.\nstring customer_id = 1;\n}";
    assert!(faults_at("echo/calls/v1/parts.proto", part).is_empty(), "parts travel inside others");
}

#[test]
fn an_rpc_that_does_not_say_whether_it_may_be_sent_again_is_found() {
    let rpc = |comment: &str| {
        faults_in(&format!(
            "/* A. */ message A {{}} /* S. */ service S {{ /* {comment} */ rpc R(A) returns (A); }}"
        ))
    };
    let fault = ["rpc S.R should say either `Idempotent` or `Sent once`"];
    assert_eq!(rpc("Does it."), fault);
    assert_eq!(rpc("Not idempotent."), fault);
    assert_eq!(rpc("Idempotent. Sent once."), fault);
    assert!(rpc("Does it. Idempotent on its id.").is_empty());
    assert!(rpc("Does it. Sent once.").is_empty());
}
