"""What the product's sources say: settings, secrets, programs, queues, paths, metrics."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SERVICES = ["gateway", "call-orchestrator", "telephony-bridge", "webhook-dispatcher", "knowledge-service"]


def sources():
    return {path: path.read_text() for top in ("crates", "services") for path in sorted((ROOT / top).glob("*/src/**/*.rs"))}


class Product:
    def __init__(self):
        self.texts = sources()
        everything = "\n".join(self.texts.values())
        self.settings = set(re.findall(r'"((?:ECHO|OPENAI)_[A-Z0-9_]+)"', everything))
        self.secrets = set(re.findall(r'\.secret\(\s*"((?:ECHO|OPENAI)_[A-Z_]+)"', everything)) | {"ECHO_MASTER_KEYS", "ECHO_JWT_KEYS"}
        self.metrics = self.read_metrics(everything)
        manifests = [path.read_text() for path in (ROOT / "services").glob("*/Cargo.toml")]
        self.programs = {re.search(r'^name = "([^"]+)"', text, re.M)[1] for text in manifests}
        bridge = (ROOT / "services/telephony-bridge/src/http/mod.rs").read_text()
        self.voice_paths = set(re.findall(r'resource\("(/[^"]+)"\)', bridge))
        self.queues = self.read_queues()
        self.connections = int(re.search(r'"ECHO_DATABASE_CONNECTIONS", (\d+)', everything)[1])

    @staticmethod
    def read_metrics(text):
        """Every name that Prometheus shows, histograms with their three endings."""
        names = set()
        for how, name in re.findall(r'(\w+)\(\s*"(echo_[a-z_]+)"', text):
            if how == "seconds":
                names |= {f"{name}_{end}" for end in ("bucket", "sum", "count")}
            elif how in ("counter", "gauge", "by_queue") :
                names.add(name)
        return names | set(re.findall(r'metrics\.(?:counter|gauge)\(\s*"(echo_[a-z_]+)"', text)) | {"echo_bus_dead_letters"} & set(re.findall(r'"(echo_[a-z_]+)"', text))

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
                queues.add(f"{service}.{subjects[''.join(part.title() for part in handler.split('_'))]}")
        return queues
