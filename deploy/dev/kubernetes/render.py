"""What `kubectl kustomize` makes of an overlay, for machines without kubectl: as much of kustomize as our overlays use. What it does
not know is an error. Where kubectl is there, both must agree."""

import copy
import re
import shutil
import subprocess

import yaml

KNOWN = {"apiVersion", "kind", "namespace", "resources", "components", "patches", "images"}
# By what the items of a list are known to each other, in what is Kubernetes' own; other lists are replaced.
KEYS = {"containers": "name", "env": "name", "topologySpreadConstraints": "topologyKey"}
CLUSTER_WIDE = {"Namespace"}


def documents(path):
    return [doc for doc in yaml.safe_load_all(path.read_text()) if doc is not None]


def merged(old, new, key=None):
    """`new` laid over `old`; null takes away."""
    if isinstance(old, dict) and isinstance(new, dict):
        out = dict(old)
        for name, value in new.items():
            if value is None:
                out.pop(name, None)
            else:
                out[name] = merged(out[name], value, name) if name in out else copy.deepcopy(value)
        return out
    if isinstance(old, list) and isinstance(new, list) and key in KEYS:
        by = KEYS[key]
        fresh = {item[by]: item for item in new}
        kept = [merged(item, fresh.pop(item[by])) if item[by] in fresh else item for item in old]
        return kept + [copy.deepcopy(item) for item in fresh.values()]
    return copy.deepcopy(new)


def fits(target, doc):
    return all(re.fullmatch(wanted, doc[part] if part == "kind" else doc["metadata"][part])
               for part, wanted in target.items())


def patched(docs, folder, patch):
    texts = [folder / patch["path"]] if "path" in patch else None
    for new in documents(texts[0]) if texts else [yaml.safe_load(patch["patch"])]:
        target = patch.get("target") or {"kind": new["kind"], "name": re.escape(new["metadata"]["name"])}
        new = {name: value for name, value in new.items() if name not in ("apiVersion", "kind")}
        new.get("metadata", {}).pop("name", None)
        hit = [doc for doc in docs if fits(target, doc)]
        if not hit:
            raise ValueError(f"{folder}: a patch for {target} finds nothing")
        if new.pop("$patch", None) == "delete":
            docs = [doc for doc in docs if not fits(target, doc)]
        else:
            docs = [merged(doc, new) if fits(target, doc) else doc for doc in docs]
    return docs


def build(folder, docs=()):
    told = documents(folder / "kustomization.yaml")[0]
    if set(told) - KNOWN:
        raise ValueError(f"{folder}: render.py does not know {set(told) - KNOWN}")
    docs = list(docs)
    for name in told.get("resources", []):
        path = folder / name
        docs += build(path) if path.is_dir() else documents(path)
    for name in told.get("components", []):
        docs = build(folder / name, docs)
    for patch in told.get("patches", []):
        docs = patched(docs, folder, patch)
    for image in told.get("images", []):
        for container in containers(docs):
            if container["image"] == image["name"]:
                ends = f"@{image['digest']}" if "digest" in image else f":{image['newTag']}"
                container["image"] = image.get("newName", image["name"]) + ends
    if "namespace" in told:
        for doc in docs:
            if doc["kind"] not in CLUSTER_WIDE:
                doc["metadata"]["namespace"] = told["namespace"]
    return docs


def containers(docs):
    for doc in docs:
        if doc["kind"] in ("Deployment", "Job"):
            yield from doc["spec"]["template"]["spec"]["containers"]


def in_order(value):
    """Lists of named things in the order of their names."""
    if isinstance(value, dict):
        return {name: in_order(part) for name, part in sorted(value.items())}
    if isinstance(value, list):
        parts = [in_order(part) for part in value]
        named = parts and all(isinstance(part, dict) and "name" in part for part in parts)
        return sorted(parts, key=lambda part: part["name"]) if named else parts
    return value


def by_name(docs):
    return {(doc["kind"], doc["metadata"]["name"]): in_order(doc) for doc in docs}


def render(folder):
    """The documents of an overlay, and where two ways to make them differ."""
    own = build(folder)
    if not shutil.which("kubectl"):
        return own, []
    text = subprocess.run(["kubectl", "kustomize", str(folder)], check=True, capture_output=True, text=True).stdout
    theirs = list(yaml.safe_load_all(text))
    ours, other = by_name(own), by_name(theirs)
    differ = [f"kubectl and render.py differ about {kind} {name}" for kind, name in sorted(ours.keys() | other.keys())
              if ours.get((kind, name)) != other.get((kind, name))]
    return theirs, differ
