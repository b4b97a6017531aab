"""The rules that our manifests obey, as functions over what was rendered. Each answers what is wrong, a line each."""

import re
import subprocess

import yaml
from alerts import all_are_watched
from network import network_is_closed, paths_are_split
from product import HERE, ROOT, SERVICES


class Cluster:
    """What was rendered, by kind and name."""

    def __init__(self, overlay, docs):
        self.overlay, self.docs = overlay, docs

    def of(self, kind):
        return {doc["metadata"]["name"]: doc for doc in self.docs if doc["kind"] == kind}

    def pods(self):
        """Name, labels and pod of all that makes pods itself."""
        for kind in ("Deployment", "Job"):
            for name, doc in self.of(kind).items():
                template = doc["spec"]["template"]
                yield name, template["metadata"]["labels"], template["spec"]

    def containers(self):
        for name, _, pod in self.pods():
            for container in pod["containers"]:
                yield name, pod, container

    def production(self):
        return self.overlay == "production"


def pods_are_restricted(cluster, _):
    labels = cluster.of("Namespace")["echo"]["metadata"]["labels"]
    for mode in ("enforce", "audit", "warn"):
        if labels.get(f"pod-security.kubernetes.io/{mode}") != "restricted":
            yield f"the namespace does not {mode} restricted pods"
    for name, account in cluster.of("ServiceAccount").items():
        if account.get("automountServiceAccountToken") is not False:
            yield f"the account {name} has a token"
    for name, _, pod in cluster.pods():
        security = pod.get("securityContext", {})
        if pod.get("serviceAccountName") != name:
            yield f"{name} has no account of its own"
        if name not in cluster.of("ServiceAccount"):
            yield f"the account {name} is missing"
        if pod.get("automountServiceAccountToken") is not False:
            yield f"{name} is given a token"
        if pod.get("enableServiceLinks") is not False:
            yield f"{name} is given addresses of services as variables, among them ECHO_*"
        if security.get("runAsNonRoot") is not True or not security.get("runAsUser"):
            yield f"{name} may run as root"
        if security.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            yield f"{name} has no seccomp profile"
        if any(pod.get(host) for host in ("hostNetwork", "hostPID", "hostIPC")) or any("hostPath" in v for v in pod.get("volumes", [])):
            yield f"{name} reaches into its host"
    for name, _, container in cluster.containers():
        security = container.get("securityContext", {})
        if security.get("allowPrivilegeEscalation") is not False:
            yield f"{name}: privileges may grow"
        if security.get("readOnlyRootFilesystem") is not True:
            yield f"{name}: the root file system can be written"
        if security.get("capabilities") != {"drop": ["ALL"]}:
            yield f"{name}: capabilities are not dropped"
        if security.get("privileged"):
            yield f"{name}: privileged"


def probes_ask_the_right_thing(cluster, _):
    for name, deployment in cluster.of("Deployment").items():
        pod = deployment["spec"]["template"]["spec"]
        for container in pod["containers"]:
            for probe, path in (("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
                got = container.get(probe, {}).get("httpGet", {})
                if (got.get("path"), got.get("port")) != (path, "ops"):
                    yield f"{name}: {probe} does not ask {path}"
            if name in SERVICES:
                start = container.get("startupProbe", {})
                if start.get("periodSeconds", 10) * start.get("failureThreshold", 3) <= 900:
                    yield f"{name}: startupProbe does not wait for 15 minutes of migration"
                sleep = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
                # Five stages of crates/common/src/runtime/running.rs.
                if sleep < 10 or pod.get("terminationGracePeriodSeconds", 30) < sleep + 90:
                    yield f"{name}: an ordered stop does not fit"


def mebibytes(text):
    number, unit = re.fullmatch(r"(\d+)(Mi|Gi)", text).groups()
    return int(number) * (1024 if unit == "Gi" else 1)


def resources_are_said(cluster, _):
    for name, _, container in cluster.containers():
        resources = container.get("resources", {})
        requests, limits = resources.get("requests", {}), resources.get("limits", {})
        if set(requests) != {"cpu", "memory"} or set(limits) != {"memory"}:
            yield f"{name}: requests of CPU and memory, and a limit of memory alone"
        elif mebibytes(limits["memory"]) * 2 != mebibytes(requests["memory"]) * 3:
            yield f"{name}: the limit of memory is not half as much again"


def images_are_ours(cluster, product):
    """An image for each service, whose program is its entry; which one exactly is for overlays to say."""
    for name, _, container in cluster.containers():
        service = container["name"] if name == "migrate" else name
        image = re.fullmatch(r"(?:[\w.:-]+/)*echo/([\w-]+)(@sha256:[0-9a-f]{64}|:[\w.-]+)", container["image"])
        if not image or image[1] != service or f"echo-{service}" not in product.programs:
            yield f"{name}: {container['image']} is not the image of {service}"
        elif cluster.production() and not image[2].startswith("@"):
            yield f"{name}: its image is not named by its digest"
        if "command" in container or container.get("args") != (["migrate"] if name == "migrate" else ["serve"]):
            yield f"{name}: neither serves nor migrates"
    for path in (*HERE.glob("base/*.yaml"), *HERE.glob("components/*/*.yaml")):
        for image in re.findall(r"^\s+image: (.*)$", path.read_text(), re.M):
            if not re.fullmatch(r"echo/[\w-]+", image):
                yield f"{path.name}: which image exactly is said outside of overlays"
    dockerfile = ROOT / "deploy/docker/Dockerfile"
    users = {f"{pod['securityContext'].get('runAsUser')}:{pod['securityContext'].get('runAsGroup')}" for _, _, pod in cluster.pods()}
    if dockerfile.exists() and users != set(re.findall(r"^USER (.*)$", dockerfile.read_text(), re.M)):
        yield f"pods run as {sorted(users)}, and the image as another"


def disruptions_are_survived(cluster, _):
    budgets = cluster.of("PodDisruptionBudget")
    for service in SERVICES:
        deployment = cluster.of("Deployment")[service]["spec"]
        budget = budgets.get(service, {}).get("spec", {})
        selects = budget.get("selector", {}).get("matchLabels")
        if (budget.get("maxUnavailable"), budget.get("unhealthyPodEvictionPolicy")) != (1, "AlwaysAllow"):
            yield f"{service}: no disruption budget of one"
        elif selects != deployment["selector"]["matchLabels"]:
            yield f"{service}: the disruption budget is another's"
        spread = {c["topologyKey"]: c for c in deployment["template"]["spec"].get("topologySpreadConstraints", [])}
        for key, how in (("kubernetes.io/hostname", "DoNotSchedule"), ("topology.kubernetes.io/zone", "ScheduleAnyway")):
            got = spread.get(key, {})
            if got.get("whenUnsatisfiable") != how or "app.kubernetes.io/name" not in got.get("matchLabelKeys", []):
                yield f"{service}: not spread over {key}"
        if cluster.production() and fewest(cluster, service) < 2:
            yield f"{service}: fewer than two replicas"
        if not cluster.production() and deployment.get("replicas") != 1:
            yield f"{service}: more than one replica on one machine"


def scalers(cluster):
    """Who scales: target → fewest, most and behaviour."""
    for name, doc in cluster.of("HorizontalPodAutoscaler").items():
        spec = doc["spec"]
        yield spec["scaleTargetRef"]["name"], spec["minReplicas"], spec["maxReplicas"], spec.get("behavior", {})
    for name, doc in cluster.of("ScaledObject").items():
        spec = doc["spec"]
        yield (spec["scaleTargetRef"]["name"], spec["minReplicaCount"], spec["maxReplicaCount"],
               spec.get("advanced", {}).get("horizontalPodAutoscalerConfig", {}).get("behavior", {}))


def fewest(cluster, service):
    scaled = {target: low for target, low, _, _ in scalers(cluster)}
    return scaled.get(service, cluster.of("Deployment")[service]["spec"].get("replicas", 1))


def scaling_is_slow_downwards_and_by_real_queues(cluster, product):
    deployments = cluster.of("Deployment")
    for target, _, _, behaviour in scalers(cluster):
        if target not in deployments:
            yield f"{target} is scaled and is not there"
        elif "replicas" in deployments[target]["spec"]:
            yield f"{target} is scaled, and the Deployment says how many, too"
        if behaviour.get("scaleDown", {}).get("stabilizationWindowSeconds") != 300:
            yield f"{target} scales down at once"
    if cluster.production():
        scaled = {target for target, *_ in scalers(cluster)}
        for target in ("gateway", "webhook-dispatcher", "knowledge-service"):
            if target not in scaled:
                yield f"{target} is not scaled"
    for name, doc in cluster.of("ScaledObject").items():
        for trigger in doc["spec"]["triggers"]:
            told = trigger["metadata"]
            if told.get("queueName") not in product.queues:
                yield f"{name}: no queue of ours is called {told.get('queueName')}"
            if told.get("mode") != "QueueLength" or told.get("hostFromEnv") != "ECHO_AMQP_URL":
                yield f"{name}: not scaled by the length of a queue at ECHO_AMQP_URL"


def nothing_secret(cluster, product):
    if cluster.of("Secret"):
        yield "a Secret with its value stands in the manifests"
    for name, config in cluster.of("ConfigMap").items():
        for setting, value in (config.get("data") or {}).items():
            if setting in product.secrets or re.search(r"://[^/\s]*:[^/\s]*@", value):
                yield f"the ConfigMap {name} holds the secret {setting}"
    for name, _, container in cluster.containers():
        for variable in container.get("env", []):
            if variable["name"] in product.secrets and "secretKeyRef" not in variable.get("valueFrom", {}):
                yield f"{name}: {variable['name']} is not from a Secret"


def made_secrets():
    """What deploy/kubernetes/make-secrets makes: names and keys."""
    text = subprocess.run([HERE / "make-secrets"], check=True, capture_output=True, text=True).stdout
    return {doc["metadata"]["name"]: set(doc["stringData"]) for doc in yaml.safe_load_all(text) if doc}


MADE = made_secrets()


def secrets_are_made(cluster, _):
    external = {}
    for doc in cluster.of("ExternalSecret").values():
        target = doc["spec"]["target"]
        external[target["name"]] = set(target.get("template", {}).get("data") or [item["secretKey"] for item in doc["spec"]["data"]])
    for name, _, container in cluster.containers():
        for variable in container.get("env", []):
            ref = variable.get("valueFrom", {}).get("secretKeyRef")
            if ref and cluster.production() and ref["key"] not in external.get(ref["name"], ()):
                yield f"{name}: no ExternalSecret makes {ref['key']} of {ref['name']}"
            if ref and not ref.get("optional") and ref["key"] not in MADE.get(ref["name"], ()):
                yield f"{name}: make-secrets does not make {ref['key']} of {ref['name']}"
    for name in cluster.of("ExternalSecret").keys() & MADE.keys():
        if external[name] != MADE[name]:
            yield f"{name}: External Secrets and make-secrets do not make the same"


def settings_exist(cluster, product):
    named = [(name, setting) for name, config in cluster.of("ConfigMap").items() for setting in config.get("data") or {}]
    named += [(name, variable["name"]) for name, _, container in cluster.containers() for variable in container.get("env", [])]
    for name, setting in named:
        if setting not in product.settings:
            yield f"{name}: the product has no setting {setting}"
    for name, _, container in cluster.containers():
        for source in container.get("envFrom", []):
            if source["configMapRef"]["name"] not in cluster.of("ConfigMap"):
                yield f"{name}: the ConfigMap {source['configMapRef']['name']} is missing"


def ports_are_the_products(cluster, _):
    told = cluster.of("ConfigMap")["echo"]["data"]
    wanted = {"http": told["ECHO_HTTP_ADDR"], "ops": told["ECHO_OPS_ADDR"], "sandbox": told.get("ECHO_SANDBOX_ADDR", "")}
    public = {"gateway", "telephony-bridge"}
    for name, deployment in cluster.of("Deployment").items():
        ports = {p["name"]: p["containerPort"] for c in deployment["spec"]["template"]["spec"]["containers"] for p in c["ports"]}
        for port, number in ports.items():
            if wanted.get(port) != f"0.0.0.0:{number}":
                yield f"{name}: port {port} is not where the product listens"
        if ("http" in ports) != (name in public):
            yield f"{name}: port http belongs to the services with routes"
        service = cluster.of("Service").get(name, {}).get("spec", {})
        if service.get("selector") != deployment["spec"]["selector"]["matchLabels"]:
            yield f"{name}: no Service of its own"
        for port in service.get("ports", []):
            if port["targetPort"] not in ports or ports[port["targetPort"]] != port["port"]:
                yield f"{name}: the Service names a port that the pod has not"


def each_has_its_tables(cluster, product):
    spec = cluster.of("Cluster")["echo-database"]["spec"]
    made = spec["bootstrap"]["initdb"]["postInitApplicationSQL"]
    roles = {role["name"]: role["passwordSecret"]["name"] for role in spec["managed"]["roles"]}
    for service in SERVICES:
        schema = service.replace("-", "_")
        if f"CREATE SCHEMA {schema} AUTHORIZATION echo_{schema}" not in made or f"CREATE ROLE echo_{schema} LOGIN" not in made:
            yield f"{service}: no schema and role of its own"
        if roles.get(f"echo_{schema}") != f"echo-database-{service}":
            yield f"{service}: its role has no password"
        given = [v["valueFrom"]["secretKeyRef"]["name"] for name, _, c in cluster.containers() if service in (name, c["name"])
                 for v in c["env"] if v["name"] == "ECHO_DATABASE_URL"]
        if given != [f"echo-database-{service}"] * 2:  # where it serves and where it migrates
            yield f"{service}: it is given another's tables"
    most = {target: high for target, _, high, _ in scalers(cluster)}
    replicas = sum(most.get(s, cluster.of("Deployment")[s]["spec"].get("replicas", 1)) + 1 for s in SERVICES)  # one more in a rollout
    each = int(cluster.of("ConfigMap")["echo"]["data"]["ECHO_DATABASE_CONNECTIONS"])
    room = int(spec["postgresql"]["parameters"]["max_connections"])
    if replicas * each > room - 20:
        yield f"{replicas} processes open {replicas * each} connections, and the database takes {room}"
    least = 3 if cluster.production() else 1
    if spec["instances"] != least or cluster.of("RabbitmqCluster")["echo-broker"]["spec"]["replicas"] != least:
        yield f"database and broker do not have {least} instances"


def all_are_migrated(cluster, _):
    job = cluster.of("Job")["migrate"]["spec"]["template"]["spec"]["containers"]
    if {container["name"] for container in job} != set(SERVICES):
        yield "the migration leaves out a service"


def the_carrier_is_the_overlays(cluster, _):
    wanted = "twilio" if cluster.production() else "sandbox"
    if cluster.of("ConfigMap")["echo"]["data"].get("ECHO_CARRIER") != wanted:
        yield f"the carrier is not {wanted}"
    if ("sandbox-carrier" in cluster.of("Deployment")) == cluster.production():
        yield "the sandbox carrier belongs to the local overlay"


POLICIES = [pods_are_restricted, probes_ask_the_right_thing, resources_are_said, images_are_ours, disruptions_are_survived,
            scaling_is_slow_downwards_and_by_real_queues, nothing_secret, secrets_are_made, settings_exist, ports_are_the_products,
            network_is_closed, paths_are_split, each_has_its_tables, all_are_migrated, the_carrier_is_the_overlays, all_are_watched]


def problems(cluster, product):
    return [f"{cluster.overlay}: {line}" for policy in POLICIES for line in policy(cluster, product)]
