"""Who may talk to whom: what NetworkPolicies and Ingresses come to, held to a table."""

from product import SERVICES

PRIVATE = {"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/4",
           "240.0.0.0/4", "::/127", "::ffff:0:0/96", "64:ff9b::/96", "fc00::/7", "fe80::/10", "ff00::/8"}


def matches(selector, labels):
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    return all(labels.get(e["key"]) in e["values"] for e in selector.get("matchExpressions", []))


def peer(told):
    """A side of a rule in one word."""
    if "ipBlock" in told:
        block = told["ipBlock"]
        holes = {cidr for cidr in PRIVATE if (":" in cidr) == (":" in block["cidr"])}
        return "world" if block["cidr"] in ("0.0.0.0/0", "::/0") and holes <= set(block.get("except", [])) else f"net {block['cidr']}"
    space = told.get("namespaceSelector", {}).get("matchLabels", {}).get("kubernetes.io/metadata.name")
    selector = told.get("podSelector", {})
    words = sorted(selector.get("matchLabels", {}).values())
    words += [value for e in selector.get("matchExpressions", []) for value in e["values"]]
    return " ".join(([f"namespace {space}"] if "namespaceSelector" in told else []) + words)


def allowed(cluster, labels, way):
    """What the policies together allow pods with these labels: `peer: ports`. None when nothing is denied."""
    side, found, denied = ("from", "ingress") if way == "Ingress" else ("to", "egress"), set(), False
    for policy in cluster.of("NetworkPolicy").values():
        spec = policy["spec"]
        if way not in spec["policyTypes"] or not matches(spec["podSelector"], labels):
            continue
        denied = True
        for rule in spec.get(side[1], []):
            ports = ",".join(sorted({str(port.get("port", "any")) for port in rule.get("ports", [{}])}))
            found |= {f"{peer(told)}: {ports}" for told in rule.get(side[0], [])} or {f"anywhere: {ports}"}
    return found if denied else None


GROUND = {"namespace kube-system: 53", "echo-database: 5432", "echo-broker: 5672"}
OUT = {
    "gateway": GROUND | {"world: 443"},
    "call-orchestrator": GROUND | {"world: 443"},
    "telephony-bridge": GROUND | {"world: 443"},
    "webhook-dispatcher": GROUND | {"world: any", "anywhere: 25,465,587"},
    "knowledge-service": GROUND | {"world: any"},
    "migrate": GROUND,
    "sandbox-carrier": {"namespace kube-system: 53", "telephony-bridge: 8080"},
}
EDGE = {"namespace ingress: 8080"}
IN = {"gateway": EDGE, "telephony-bridge": EDGE, "sandbox-carrier": {"telephony-bridge: 8089"}}


def network_is_closed(cluster, _):
    if allowed(cluster, {}, "Ingress") is None or allowed(cluster, {}, "Egress") is None:
        yield "pods that no rule names are not closed"
    for name, labels, _ in cluster.pods():
        out, into = set(OUT[name]), set(IN.get(name, set()))
        if name in SERVICES and cluster.production():
            into.add("namespace monitoring: 9080")
        if name == "telephony-bridge" and not cluster.production():
            out.add("sandbox-carrier: 8089")
            into.add("sandbox-carrier: 8080")
        for way, wanted in (("Egress", out), ("Ingress", into)):
            got = allowed(cluster, labels, way)
            if got != wanted:
                yield f"{name}: {way} is {sorted(got or ['open'])}, and should be {sorted(wanted)}"
    ours = "service migration"
    servers = {
        "echo-database": ({"cnpg.io/cluster": "echo-database"},
                          {f"{ours}: 5432", "echo-database: 5432,8000", "namespace cnpg-system: 5432,8000"}),
        "echo-broker": ({"app.kubernetes.io/name": "echo-broker"}, {f"{ours}: 5672", "echo-broker: 25672,35672,4369"}
                        | ({"namespace keda keda-operator: 5672"} if cluster.production() else set())),
    }
    for name, (labels, wanted) in servers.items():
        got = allowed(cluster, labels, "Ingress")
        if got != wanted:
            yield f"{name}: Ingress is {sorted(got or ['open'])}, and should be {sorted(wanted)}"


def paths_are_split(cluster, product):
    if not cluster.production():
        return
    to = {}
    for name, doc in cluster.of("Ingress").items():
        if not doc["spec"].get("tls"):
            yield f"the Ingress {name} has no certificate"
        for rule in doc["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                to[(path["path"], path["pathType"])] = (path["backend"]["service"]["name"], path["backend"]["service"]["port"]["name"])
    wanted = {(path, "Exact"): ("telephony-bridge", "http") for path in product.voice_paths} | {("/", "Prefix"): ("gateway", "http")}
    for path in sorted(to.keys() ^ wanted.keys()):
        yield f"the path {path} is {'missing' if path in wanted else 'not of the product'}"
    for path in to.keys() & wanted.keys():
        if to[path] != wanted[path]:
            yield f"the path {path} leads to {to[path]}"
    notes = cluster.of("Ingress")["api"]["metadata"].get("annotations", {})
    if notes.get("nginx.ingress.kubernetes.io/proxy-buffering") != "off" or notes.get("nginx.org/proxy-buffering") != "false":
        yield "the ingress gathers answers before it passes them on"
