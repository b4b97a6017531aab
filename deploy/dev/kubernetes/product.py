"""What the product's sources say: settings, secrets, programs, queues, paths, metrics."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
HERE = ROOT / "deploy/kubernetes"
SERVICES = ["gateway", "call-orchestrator", "telephony-bridge", "webhook-dispatcher", "knowledge-service"]

# Secrets whose names are not written where they are read.
NAMED_ELSEWHERE = {"ECHO_MASTER_KEYS", "ECHO_JWT_KEYS", "ECHO_SMTP_URL", "ECHO_TWILIO_AUTH_TOKEN", "ECHO_SANDBOX_AUTH_TOKEN"}


def sources():
    return {path: path.read_text() for top in ("crates", "services") for path in sorted((ROOT / top).glob("*/src/**/*.rs"))}


class Product:
    def __init__(self):
        self.texts = sources()
        everything = "\n".join(self.texts.values())
        self.settings = set(re.findall(r'"((?:ECHO|OPENAI)_[A-Z0-9_]+)"', everything))
        self.secrets = set(re.findall(r'\.secret\(\s*"((?:ECHO|OPENAI)_[A-Z_]+)"', everything)) | NAMED_ELSEWHERE
        self.words = set(re.findall(r'"([\w.-]+)"', everything))
        self.metrics = self.read_metrics(everything)
        manifests = [path.read_text() for path in (ROOT / "services").glob("*/Cargo.toml")]
        self.programs = {re.search(r'^name = "([^"]+)"', text, re.M)[1] for text in manifests}
        bridge = (ROOT / "services/telephony-bridge/src/http/mod.rs").read_text()
        self.voice_paths = set(re.findall(r'resource\("(/[^"]+)"\)', bridge))
        self.queues = self.read_queues()
        self.connections = int(re.search(r'"ECHO_DATABASE_CONNECTIONS", (\d+)', everything)[1])

    @staticmethod
    def read_metrics(text):
        """Every name that Prometheus shows, histograms with their three endings, and by which labels."""
        found = {}
        # `counter("name", "help", &["label"])`; those of queues and of dead letters are made a little otherwise.
        made = re.findall(r'(\w+)\(\s*"(echo_[a-z_]+)",\s*(?:"(?:[^"\\]|\\.)*"|\w+),?\s*(?:&\[([^\]]*)\])?', text, re.S)
        for how, name, labels in made:
            labels = {"queue"} if how == "by_queue" else set(re.findall(r'"(\w+)"', labels))
            if how == "seconds":
                found |= {f"{name}_{end}": labels | {"le"} for end in ("bucket", "sum", "count")}
            elif how in ("counter", "gauge", "by_queue"):
                found[name] = labels
        return found

    def read_queues(self):
        """As crates/common/src/bus/topology.rs derives them: `service.subject` of what is heard, and `rpc.service`."""
        topology = (ROOT / "crates/common/src/bus/topology.rs").read_text()
        for form in ('format!("{service}.{subject}")', 'format!("rpc.{service}")'):
            if form not in topology:
                raise ValueError(f"queues are not named by {form} any more: mend deploy/dev/kubernetes/product.py")
        subjects = {}
        for path in (ROOT / "proto/echo").glob("*/v*/messages.proto"):
            for message in re.findall(r"^message (\w+)", path.read_text(), re.M):
                subjects[message] = path.parts[-3]
        queues = {f"rpc.{service}" for service in SERVICES}
        for service in SERVICES:
            text = (ROOT / f"services/{service}/src/lib.rs").read_text()
            for handler in re.findall(r"Subscription::to\(&app, handlers::(\w+)::handle\)", text):
                message = "".join(part.title() for part in handler.split("_"))
                if message not in subjects:
                    raise ValueError(f"{service} hears {message}, which stands in no messages.proto")
                queues.add(f"{service}.{subjects[message]}")
        return queues
