"""That all is watched, and that alerts ask for what the product has, are tested, and have a page."""

import re
from functools import cache

import yaml
from network import matches
from product import HERE, ROOT, SERVICES

MONITORING = HERE / "components/monitoring"


def all_are_watched(cluster, product):
    if not cluster.production():
        return
    endpoint = cluster.of("ServiceMonitor")["echo"]["spec"]
    for service in SERVICES:
        labels = cluster.of("Service")[service]["metadata"].get("labels", {})
        if not matches(endpoint["selector"], labels) or endpoint["endpoints"][0]["port"] != "ops":
            yield f"{service} is not watched"
    rule = cluster.of("PrometheusRule")["echo"]["spec"]
    if rule != plain_rules():
        yield "prometheusrule.yaml is not made from echo.rules.yaml: deploy/dev/check-kubernetes --write"
    yield from alerts_are_whole(rule["groups"], product)


@cache
def tests_of_alerts():
    """Whether something is expected, one after the other, by alert."""
    tested = {}
    for path in MONITORING.glob("*.test.yaml"):
        for test in yaml.safe_load(path.read_text())["tests"]:
            for case in test["alert_rule_test"]:
                tested.setdefault(case["alertname"], []).append(bool(case["exp_alerts"]))
    return tested


@cache
def plain_rules():
    return yaml.safe_load((MONITORING / "echo.rules.yaml").read_text())


# What Prometheus and its operator add.
THEIRS = {"namespace", "endpoint", "service", "pod"}


def expression_is_the_products(name, expr, known, product):
    """Metrics, their labels, and the values that are asked for, as they stand in the sources."""
    asked = re.findall(r'(?<![\w"$:])(echo[_:][\w:]+|up(?=\{))(?:\{([^}]*)\})?', expr)
    if not asked:
        yield f"{name}: no metric is asked"
    for metric, selector in asked:
        if metric not in known:
            yield f"{name}: the product has no metric {metric}"
            continue
        for label, _, values in re.findall(r'(\w+)\s*(=~|!=|=)\s*"([^"]*)"', selector):
            if label not in known[metric] | THEIRS:
                yield f"{name}: {metric} has no label {label}"
            elif label in known[metric] and label != "status":
                for value in set(values.split("|")) - product.words:
                    yield f"{name}: {label} of {metric} is never {value}"
    for by in re.findall(r"by \(([^)]*)\)", expr):
        for label in re.split(r",\s*", by):
            if label not in THEIRS.union(*(known.get(metric, set()) for metric, _ in asked)):
                yield f"{name}: nothing has a label {label}"


def alerts_are_whole(groups, product):
    rules = [rule for group in groups for rule in group["rules"]]
    known = product.metrics | {"up": set()} | {rule["record"]: set() for rule in rules if "record" in rule}
    alerts = {rule["alert"]: rule for rule in rules if "alert" in rule}
    for rule in rules:
        yield from expression_is_the_products(rule.get("alert") or rule["record"], rule["expr"], known, product)
    for name, rule in alerts.items():
        if rule["labels"].get("severity") not in ("page", "ticket"):
            yield f"{name}: neither page nor ticket"
        page = ROOT / rule["annotations"].get("runbook", "-")
        if page.name != f"{name}.md" or not page.is_file():
            yield f"{name}: no runbook"
        elif not all(part in page.read_text() for part in (f"# {name}\n", "## Look first", "## Do")):
            yield f"{name}: the runbook does not say what to look at and what to do"
        seen = tests_of_alerts().get(name, [])
        if not seen or seen[0] or True not in seen or seen[-1]:
            yield f"{name}: not tested to stay quiet, fire and resolve"
    for page in (ROOT / "deploy/runbooks").glob("Echo*.md"):
        if page.stem not in alerts:
            yield f"the runbook {page.name} is of no alert"
