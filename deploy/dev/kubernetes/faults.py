"""Faults that are planted, each of which must be found: a policy that finds nothing any more would look like one that is obeyed."""

import copy

import alerts
import policies


def pod(docs, name="gateway", kind="Deployment"):
    return one(docs, kind, name)["spec"]["template"]["spec"]


def box(docs, name="gateway"):
    return pod(docs, name)["containers"][0]


def one(docs, kind, name):
    return next(doc for doc in docs if (doc["kind"], doc["metadata"]["name"]) == (kind, name))


def gone(docs, kind, name):
    docs.remove(one(docs, kind, name))


def variable(docs, name, value):
    found = next(v for v in box(docs)["env"] if v["name"] == name)
    found.pop("valueFrom")
    found["value"] = value


def rules(docs):
    return one(docs, "PrometheusRule", "echo")["spec"]["groups"]


def egress(docs, name):
    return one(docs, "NetworkPolicy", name)["spec"]["egress"]


# What is planted, and a word of what must be said.
ANYWHERE = [
    (lambda d: pod(d).update(automountServiceAccountToken=True), "is given a token"),
    (lambda d: one(d, "ServiceAccount", "gateway").pop("automountServiceAccountToken"), "has a token"),
    (lambda d: pod(d).update(serviceAccountName="default"), "no account of its own"),
    (lambda d: pod(d)["securityContext"].update(runAsNonRoot=False), "may run as root"),
    (lambda d: pod(d)["securityContext"].pop("seccompProfile"), "seccomp"),
    (lambda d: pod(d).update(enableServiceLinks=True), "addresses of services"),
    (lambda d: pod(d).update(hostNetwork=True), "into its host"),
    (lambda d: box(d)["securityContext"].update(readOnlyRootFilesystem=False), "can be written"),
    (lambda d: box(d)["securityContext"].update(allowPrivilegeEscalation=True), "may grow"),
    (lambda d: box(d)["securityContext"]["capabilities"].update(add=["NET_ADMIN"]), "capabilities"),
    (lambda d: one(d, "Namespace", "echo")["metadata"]["labels"].pop("pod-security.kubernetes.io/enforce"), "does not enforce"),
    (lambda d: box(d)["livenessProbe"]["httpGet"].update(path="/readyz"), "livenessProbe"),
    (lambda d: box(d).pop("readinessProbe"), "readinessProbe"),
    (lambda d: box(d)["startupProbe"].update(failureThreshold=3), "15 minutes"),
    (lambda d: pod(d).update(terminationGracePeriodSeconds=30), "ordered stop"),
    (lambda d: box(d).pop("lifecycle"), "ordered stop"),
    (lambda d: box(d)["resources"]["limits"].update(cpu="1"), "limit of memory alone"),
    (lambda d: box(d)["resources"]["limits"].update(memory="999Mi"), "half as much again"),
    (lambda d: box(d).update(image="echo/call-orchestrator:1"), "not the image of gateway"),
    (lambda d: box(d).update(args=["dead-letters"]), "neither serves"),
    (lambda d: pod(d)["securityContext"].update(runAsUser=0), "as root"),
    (lambda d: gone(d, "PodDisruptionBudget", "gateway"), "disruption budget"),
    (lambda d: pod(d)["topologySpreadConstraints"].pop(0), "not spread"),
    (lambda d: d.append({"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "keys"}}), "a Secret with its value"),
    (lambda d: one(d, "ConfigMap", "echo")["data"].update(ECHO_JWT_KEYS="k1:x"), "holds the secret"),
    (lambda d: one(d, "ConfigMap", "echo")["data"].update(ECHO_LOG="amqp://a:b@c"), "holds the secret"),
    (lambda d: variable(d, "ECHO_MASTER_KEYS", "k1:x"), "is not from a Secret"),
    (lambda d: next(v for v in box(d)["env"] if v["name"] == "ECHO_JWT_KEYS")["valueFrom"]["secretKeyRef"].update(key="no"), "make-secrets"),
    (lambda d: one(d, "ConfigMap", "gateway").update(data={"ECHO_NO_SUCH": "1"}), "no setting ECHO_NO_SUCH"),
    (lambda d: box(d)["ports"][0].update(containerPort=8888), "not where the product listens"),
    (lambda d: one(d, "Service", "gateway")["spec"]["ports"][0].update(targetPort="web"), "the pod has not"),
    (lambda d: gone(d, "NetworkPolicy", "default-deny"), "not closed"),
    (lambda d: egress(d, "twilio")[0]["to"][0]["ipBlock"]["except"].remove("10.0.0.0/8"), "telephony-bridge: Egress"),
    (lambda d: egress(d, "model")[0].pop("ports"), "call-orchestrator: Egress"),
    (lambda d: egress(d, "webhooks-and-mail").pop(), "webhook-dispatcher: Egress"),
    (lambda d: gone(d, "NetworkPolicy", "documents"), "knowledge-service: Egress"),
    (lambda d: gone(d, "NetworkPolicy", "firebase-keys"), "gateway: Egress"),
    (lambda d: one(d, "NetworkPolicy", "echo-database")["spec"]["ingress"].append({"ports": [{"port": 5432}]}), "echo-database: Ingress"),
    (lambda d: gone(d, "NetworkPolicy", "echo-broker"), "echo-broker: Ingress"),
    (lambda d: one(d, "NetworkPolicy", "ingress-controller")["spec"]["podSelector"].clear(), "Ingress is"),
    (lambda d: one(d, "Cluster", "echo-database")["spec"]["bootstrap"]["initdb"]["postInitApplicationSQL"].pop(), "no schema and role"),
    (lambda d: one(d, "Cluster", "echo-database")["spec"]["managed"]["roles"].pop(), "has no password"),
    (lambda d: one(d, "Cluster", "echo-database")["spec"]["postgresql"]["parameters"].update(max_connections="50"), "the database takes 50"),
    (lambda d: next(v for v in box(d)["env"] if v["name"] == "ECHO_DATABASE_URL")["valueFrom"]["secretKeyRef"].update(
        name="echo-database-telephony-bridge"), "another's tables"),
    (lambda d: pod(d, "migrate", "Job")["containers"].pop(), "leaves out a service"),
    (lambda d: one(d, "ConfigMap", "echo")["data"].update(ECHO_CARRIER="other"), "the carrier is not"),
]
PRODUCTION = [
    (lambda d: box(d).update(image="echo/gateway:latest"), "by its digest"),
    (lambda d: one(d, "Deployment", "telephony-bridge")["spec"].update(replicas=1), "fewer than two"),
    (lambda d: one(d, "Deployment", "gateway")["spec"].update(replicas=2), "says how many, too"),
    (lambda d: one(d, "HorizontalPodAutoscaler", "gateway")["spec"].update(behavior={}), "scales down at once"),
    (lambda d: gone(d, "ScaledObject", "knowledge-service"), "knowledge-service is not scaled"),
    (lambda d: one(d, "ScaledObject", "webhook-dispatcher")["spec"]["triggers"][0]["metadata"].update(queueName="webhooks"), "no queue of ours"),
    (lambda d: gone(d, "ExternalSecret", "echo-broker"), "no ExternalSecret makes url of echo-broker"),
    (lambda d: one(d, "Ingress", "voice")["spec"]["rules"][0]["http"]["paths"].pop(), "is missing"),
    (lambda d: one(d, "Ingress", "voice")["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"].update(name="gateway"), "leads to"),
    (lambda d: one(d, "Ingress", "api")["metadata"].pop("annotations"), "gathers answers"),
    (lambda d: one(d, "Ingress", "api")["spec"].pop("tls"), "no certificate"),
    (lambda d: one(d, "Service", "gateway")["metadata"].pop("labels"), "gateway is not watched"),
    (lambda d: rules(d)[1]["rules"][0].update(expr="echo_no_such > 0"), "not made from echo.rules.yaml"),
]
# In the groups of rules.
RULES = [
    (lambda g: g[1]["rules"][0].update(expr="echo_no_such > 0"), "no metric echo_no_such"),
    (lambda g: g[1]["rules"][0].update(expr='echo_bus_blocked{queue="publishing"} > 0'), "has no label queue"),
    (lambda g: g[1]["rules"][0].update(expr='echo_bus_blocked{connection="telegraph"} > 0'), "is never telegraph"),
    (lambda g: g[1]["rules"][0].update(expr="max by (colour) (echo_bus_blocked)"), "a label colour"),
    (lambda g: g[1]["rules"][0]["annotations"].update(runbook="nowhere"), "no runbook"),
    (lambda g: g[1]["rules"][0]["labels"].clear(), "neither page nor ticket"),
    (lambda g: g[1]["rules"][0].update(alert="EchoNew"), "EchoNew: not tested"),
    (lambda g: g[1]["rules"].pop(), "is of no alert"),
]
# For the schemas.
SHAPES = [
    (lambda d: one(d, "Deployment", "gateway")["spec"].update(replica=2), "replica"),
    (lambda d: one(d, "RabbitmqCluster", "echo-broker")["spec"].update(replicas="3"), "is not of type"),
    (lambda d: d.append({"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "x"}}), "no schema"),
]


def missed(cluster, product, misshapen):
    """Faults that nothing was said of."""
    planted = [(fault, word, None) for fault, word in ANYWHERE + (PRODUCTION if cluster.production() else [])]
    planted += [(fault, word, misshapen) for fault, word in SHAPES]
    for number, (fault, word, by) in enumerate(planted):
        docs = copy.deepcopy(cluster.docs)
        fault(docs)
        said = list(by(docs)) if by else policies.problems(policies.Cluster(cluster.overlay, docs), product)
        if not any(word in line for line in said):
            yield f"{cluster.overlay}: planted fault {number}: nobody says `{word}`; said was {said}"
    for fault, word in RULES if cluster.production() else []:
        groups = copy.deepcopy(rules(cluster.docs))
        fault(groups)
        said = list(alerts.alerts_are_whole(groups, product))
        if not any(word in line for line in said):
            yield f"a fault planted in the rules: nobody says `{word}`; said was {said}"
