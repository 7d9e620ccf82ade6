#!/usr/bin/env python3
"""Renders the Helm chart with Helm's own engine and checks what comes out.

For the default values and each file of helm/examples/: lint without a warning, render, validate each object strictly
against the oldest and the newest Kubernetes API, and hold the promises that no schema knows: pods without root, a
writable root or a token, secrets by reference only, probes, resources, and selectors that find their pods.
Then values that must be refused are refused.
"""

import sys
from pathlib import Path

import kubernetes_validate
import yaml
from helm_python import HelmError
from helm_python.chart import Chart, lint

HELM = Path(__file__).resolve().parents[2] / "helm"
CHART = HELM / "penstock"
OLDEST, NEWEST = "1.27", "1.37"
WARNING = 2

REFUSED = {
    "a misspelled value": {"dataPlane": {"replica": 3}},
    "no replicas": {"controlPlane": {"replicas": 0}},
    "a port out of range": {"dataPlane": {"service": {"port": 70000}}},
    "no time to drain": {"dataPlane": {"terminationGracePeriodSeconds": 5}},
    "an unnamed master key": {"secrets": {"masterKey": {"name": ""}}},
    "TLS without a Secret": {"tls": {"secretName": ""}},
    "a secret in the values": {"secrets": {"adminToken": {"value": "hunter2"}}},
}


def pods(objects: list[dict]) -> list[dict]:
    return [one for one in objects if one["kind"] == "Deployment"]


def linting(values: dict) -> list[str]:
    report = lint(CHART, values, strict=True, namespace="ai")
    found = [f"{m['path']}: {m['error']}" for m in report["messages"] if m["severity"] >= WARNING]
    return found + report.get("errors", [])


def schema_faults(thing: dict) -> list[str]:
    found = []
    for version in (OLDEST, NEWEST):
        try:
            kubernetes_validate.validate(thing, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            found.append(f"Kubernetes {version} refuses {'.'.join(map(str, error.path))}: {error.message}")
    return found


def container_faults(container: dict) -> list[str]:
    security = container.get("securityContext", {})
    promises = {
        "has a writable root": security.get("readOnlyRootFilesystem") is True,
        "may gain privileges": security.get("allowPrivilegeEscalation") is False,
        "keeps capabilities": security.get("capabilities") == {"drop": ["ALL"]},
        "requests no memory or CPU": {"cpu", "memory"} <= container["resources"].get("requests", {}).keys(),
        "has no memory limit": "memory" in container["resources"].get("limits", {}),
        "is not probed at /health/live": probe(container, "livenessProbe") == "/health/live",
        "is not probed at /health/ready": probe(container, "readinessProbe") == "/health/ready",
    }
    ports = {port["name"] for port in container["ports"]}
    for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
        promises[f"has a {kind} on a port it lacks"] = container[kind]["httpGet"]["port"] in ports
    for variable in container.get("env", []):
        inline = variable["name"].startswith("PENSTOCK_") and "value" in variable
        promises[f"has {variable['name']} inline"] = not inline
    return [fault for fault, kept in promises.items() if not kept]


def probe(container: dict, kind: str) -> str | None:
    return container.get(kind, {}).get("httpGet", {}).get("path")


def pod_faults(deployment: dict) -> list[str]:
    template = deployment["spec"]["template"]
    spec = template["spec"]
    found = []
    if spec.get("securityContext", {}).get("runAsNonRoot") is not True:
        found.append("may run as root")
    if spec.get("automountServiceAccountToken") is not False:
        found.append("gets a token for the Kubernetes API")
    volumes = {volume["name"] for volume in spec["volumes"]}
    for container in spec["containers"]:
        found += container_faults(container)
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        if mounted != volumes:
            found.append(f"mounts {sorted(mounted)} of {sorted(volumes)}")
    selector = deployment["spec"]["selector"]["matchLabels"]
    if not selector.items() <= template["metadata"]["labels"].items():
        found.append("does not select its own pods")
    return found


def service_faults(service: dict, deployments: list[dict]) -> list[str]:
    selector = service["spec"]["selector"].items()
    chosen = [d for d in deployments if selector <= d["spec"]["template"]["metadata"]["labels"].items()]
    if len(chosen) != 1:
        return [f"selects {len(chosen)} Deployments"]
    ports = {p["name"] for c in chosen[0]["spec"]["template"]["spec"]["containers"] for p in c["ports"]}
    return [f"has no port {p['targetPort']} behind it" for p in service["spec"]["ports"] if p["targetPort"] not in ports]


def faults(values: dict) -> tuple[list[str], int]:
    """What is wrong with the chart under these values, and how many objects it makes."""
    with Chart.load(CHART) as chart:
        chart.validate_schema(values)
        rendered = chart.render(values, name="gate", namespace="ai")
    objects = [
        thing
        for name, text in rendered.items()
        if name.endswith(".yaml")
        for thing in yaml.safe_load_all(text)
        if thing
    ]
    found = linting(values)
    for thing in objects:
        own = schema_faults(thing)
        if thing["kind"] == "Deployment":
            own += pod_faults(thing)
        if thing["kind"] == "Service":
            own += service_faults(thing, pods(objects))
        found += [f"{thing['kind']} {thing['metadata']['name']} {fault}" for fault in own]
    if len(pods(objects)) != 2:
        found.append(f"{len(pods(objects))} Deployments, and two planes")
    notes = next((text for name, text in rendered.items() if name.endswith("NOTES.txt")), "")
    if "port-forward" not in notes:
        found.append("NOTES.txt does not say how to go on")
    return found, len(objects)


def is_refused(values: dict) -> bool:
    try:
        with Chart.load(CHART) as chart:
            chart.validate_schema(values)
            chart.render(values, name="gate", namespace="ai")
    except HelmError:
        return True
    return False


def main() -> int:
    broken = 0
    cases = {"default values": {}}
    for path in sorted((HELM / "examples").glob("*.yaml")):
        cases[f"examples/{path.name}"] = yaml.safe_load(path.read_text(encoding="utf-8"))
    for name, values in cases.items():
        try:
            found, count = faults(values)
        except HelmError as error:
            found, count = [f"Helm refuses the chart: {error}"], 0
        print(f"{name}: {count} objects, {len(found)} faults")
        for fault in found:
            print(f"  {fault}", file=sys.stderr)
        broken += len(found)
    for name, values in REFUSED.items():
        if not is_refused(values):
            print(f"The chart accepts {name}: {values}", file=sys.stderr)
            broken += 1
    print(f"{len(cases)} sets of values rendered, {len(REFUSED)} wrong ones tried, {broken} faults.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
