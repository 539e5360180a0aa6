"""The compose file and the Kubernetes manifest of a server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from .models import METRICS, MODELS, ServedModel

GRPC_PORT, REST_PORT = 8500, 8501
CONFIG = "/config"  # where the container has the server's own files
NAME = "kerasmeta-serving"  # of the service, here and there
LABELS = {"app.kubernetes.io/name": NAME}

ARGUMENTS = (
    f"--model_config_file={CONFIG}/models.config",
    "--model_config_file_poll_wait_seconds=30",
    "--file_system_poll_wait_seconds=10",
    "--allow_version_labels_for_unavailable_models=true",
    "--enable_batching=true",
    f"--batching_parameters_file={CONFIG}/batching.config",
    f"--monitoring_config_file={CONFIG}/monitoring.config",
    "--enable_grpc_healthcheck_service=true",
)


def compose(models: Iterable[ServedModel], image: str, config: list[str]) -> str:
    """`compose.yaml`; agents and configuration are mounted, read-only."""
    mounts = [_mount(f"./{name}", f"{CONFIG}/{name}") for name in config]
    mounts += [_mount(str(model.directory), model.base_path) for model in models]
    service = {
        "image": image,
        "command": list(ARGUMENTS),
        "ports": [f"127.0.0.1:{port}:{port}" for port in (GRPC_PORT, REST_PORT)],
        "volumes": mounts,
        "restart": "unless-stopped",
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
    }
    return _yaml([{"services": {NAME: service}}])


def _mount(source: str, target: str) -> dict[str, Any]:
    """A folder or file of this machine; compose would replace `$NAME` in it."""
    found = source.replace("$", "$$")
    return {"type": "bind", "source": found, "target": target, "read_only": True}


def kubernetes(image: str, config: Mapping[str, str], threads: int) -> str:
    """`kubernetes.yaml`: a ConfigMap, a Deployment and a Service.

    The agents are expected in a PersistentVolumeClaim, in a directory of each name.
    """
    settings = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": NAME, "labels": LABELS},
        "data": dict(config),
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": NAME, "labels": LABELS},
        "spec": {
            "selector": LABELS,
            "ports": [
                {"name": "grpc", "port": GRPC_PORT, "targetPort": "grpc"},
                {"name": "rest", "port": REST_PORT, "targetPort": "rest"},
            ],
        },
    }
    return _yaml([settings, _deployment(image, threads), service])


def _deployment(image: str, threads: int) -> dict[str, Any]:
    """Two servers; an old one goes only when its successor has warmed up."""
    scraped = {"scrape": "true", "port": str(REST_PORT), "path": METRICS}
    pod = {
        "metadata": {
            "labels": LABELS,
            "annotations": {f"prometheus.io/{k}": v for k, v in scraped.items()},
        },
        "spec": {
            "automountServiceAccountToken": False,
            "containers": [_container(image, threads)],
            "volumes": [
                {"name": "config", "configMap": {"name": NAME}},
                {
                    "name": "agents",
                    "persistentVolumeClaim": {"claimName": NAME, "readOnly": True},
                },
            ],
        },
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": NAME, "labels": LABELS},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": LABELS},
            "strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "template": pod,
        },
    }


def _container(image: str, threads: int) -> dict[str, Any]:
    ports = (("grpc", GRPC_PORT), ("rest", REST_PORT))
    health = {"grpc": {"port": GRPC_PORT}, "periodSeconds": 5}
    return {
        "name": NAME,
        "image": image,
        "args": list(ARGUMENTS),
        "ports": [{"name": name, "containerPort": port} for name, port in ports],
        "startupProbe": {**health, "failureThreshold": 60},
        "readinessProbe": health,
        "livenessProbe": {**health, "failureThreshold": 6},
        "resources": {
            "requests": {"cpu": str(threads), "memory": "512Mi"},
            "limits": {"memory": "2Gi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "config", "mountPath": CONFIG, "readOnly": True},
            {"name": "agents", "mountPath": MODELS, "readOnly": True},
        ],
    }


def _yaml(documents: list[dict[str, Any]]) -> str:
    return yaml.safe_dump_all(documents, sort_keys=False, width=88)
