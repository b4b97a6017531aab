"""Checks deploy/kubernetes: rendered in two ways where there are two, held to the schemas of Kubernetes and of the operators, and to our
own policies; and that each policy finds the faults it is there for."""

import sys

import alerts
import faults
import jsonschema
import kubernetes_validate
import policies
import render
import yaml
from product import HERE, Product

VERSION = "1.34"  # the oldest for which the manifests are meant: a pod may sleep before it stops


def schemas():
    return {path.stem: yaml.safe_load(path.read_text()) for path in (HERE / "schemas").glob("*.yaml")}


def misshapen(docs, known):
    """What the schemas say. A kind without a schema is a mistake: nobody would look at it."""
    for doc in docs:
        name = f"{doc['kind']} {doc['metadata']['name']}"
        own = known.get(doc["kind"])
        try:
            if own:
                jsonschema.validate(doc, own, cls=jsonschema.Draft202012Validator)
            else:
                kubernetes_validate.validate(doc, VERSION, strict=True)
        except kubernetes_validate.SchemaNotFoundError:
            yield f"{name}: no schema; put one into deploy/kubernetes/schemas"
        except (jsonschema.ValidationError, kubernetes_validate.ValidationError) as wrong:
            yield f"{name}: {'.'.join(map(str, wrong.absolute_path))}: {wrong.message}"


def write():
    groups = "".join(f"  {line}" if line.strip() else line for line in (alerts.MONITORING / "echo.rules.yaml").read_text().splitlines(True)
                     if not line.startswith("#"))
    (alerts.MONITORING / "prometheusrule.yaml").write_text(
        "# Made from echo.rules.yaml: deploy/dev/check-kubernetes --write\napiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\n"
        f"metadata:\n  name: echo\nspec:\n{groups}")


def main():
    if "--write" in sys.argv:
        write()
    known, product, found = schemas(), Product(), []
    for overlay in ("production", "local"):
        docs, differ = render.render(HERE / "overlays" / overlay)
        cluster = policies.Cluster(overlay, docs)
        found += differ + [f"{overlay}: {line}" for line in misshapen(docs, known)]
        if not found:  # policies read what has its shape
            found += policies.problems(cluster, product)
        if not found:
            found += faults.missed(cluster, product, lambda docs: misshapen(docs, known))
    for line in found:
        print(f"echo: {line}", file=sys.stderr)
    return 1 if found else 0


sys.exit(main())
