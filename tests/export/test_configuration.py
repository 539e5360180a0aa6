"""`serve-config`: what it writes is what the server, compose and Kubernetes read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
)
from harness.command_line import Answer
from tensorflow_serving.config import model_server_config_pb2

import zoo
from export.batching import ALLOWED_BATCH_SIZES
from export.configuration import ServedModel, served_name, server_files
from export.configuration.models import (
    batching_config,
    models_config,
    monitoring_config,
)
from kerasmeta.cli import main
from kerasmeta.errors import UserError

# The server's messages that the official package leaves out: field, number, type.
WRAPPED = ".google.protobuf.Int64Value"
BATCHING = [
    ("max_batch_size", 1, WRAPPED),
    ("batch_timeout_micros", 2, WRAPPED),
    ("max_enqueued_batches", 3, WRAPPED),
    ("num_batch_threads", 4, WRAPPED),
    ("allowed_batch_sizes", 6, "int64"),
]
PROMETHEUS = [("enable", 1, "bool"), ("path", 2, "string")]
MONITORING = [("prometheus_config", 1, ".test.PrometheusConfig")]


def message(name: str) -> Any:
    """The class of one of those messages."""
    file = descriptor_pb2.FileDescriptorProto(name="test.proto", package="test")
    file.syntax = "proto3"
    file.dependency.append("google/protobuf/wrappers.proto")
    for described, fields in (
        ("BatchingParameters", BATCHING),
        ("PrometheusConfig", PROMETHEUS),
        ("MonitoringConfig", MONITORING),
    ):
        made = file.message_type.add(name=described)
        for field, number, kind in fields:
            added = made.field.add(name=field, number=number)
            added.label = 3 if field.startswith("allowed") else 1
            if kind.startswith("."):
                added.type, added.type_name = added.TYPE_MESSAGE, kind
            else:
                added.type = getattr(added, f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    wrappers = descriptor_pb2.FileDescriptorProto()
    from google.protobuf import wrappers_pb2

    wrappers_pb2.DESCRIPTOR.CopyToProto(wrappers)
    pool.Add(wrappers)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"test.{name}"))


def parsed(text: str) -> list[Any]:
    """The models of a `models.config`."""
    server = model_server_config_pb2.ModelServerConfig()
    text_format.Parse(text, server)
    return list(server.model_config_list.config)


def test_models_config_keeps_two_versions() -> None:
    newest, pinned = parsed(
        models_config(
            [
                ServedModel("two_step_lstm", Path("/zoo/two_step/lstm")),
                ServedModel("mine", Path("/mine"), versions=(3, 5)),
            ]
        )
    )
    assert newest.name == "two_step_lstm"
    assert newest.base_path == "/models/two_step_lstm"
    assert newest.model_platform == "tensorflow"
    assert newest.model_version_policy.latest.num_versions == 2
    assert list(pinned.model_version_policy.specific.versions) == [3, 5]
    assert dict(pinned.version_labels) == {"stable": 5, "previous": 3}


def test_batching_and_monitoring_parse() -> None:
    batching = message("BatchingParameters")()
    text_format.Parse(batching_config(threads=3), batching)
    assert tuple(batching.allowed_batch_sizes) == ALLOWED_BATCH_SIZES
    # The server asks for this.
    assert batching.max_batch_size.value == ALLOWED_BATCH_SIZES[-1]
    assert batching.num_batch_threads.value == 3
    monitoring = message("MonitoringConfig")()
    text_format.Parse(monitoring_config(), monitoring)
    assert monitoring.prometheus_config.enable
    assert monitoring.prometheus_config.path.startswith("/")
    with pytest.raises(text_format.ParseError):
        text_format.Parse("max_batch: 1", batching)


def test_compose_mounts_what_the_arguments_name() -> None:
    model = ServedModel("mine", Path("/data/$HOME/a:b"))
    files = server_files([model], image="example/serving:1")
    [service] = yaml.safe_load(files.manifests["compose.yaml"])["services"].values()
    assert service["image"] == "example/serving:1"
    mounted = {mount["target"]: mount["source"] for mount in service["volumes"]}
    assert mounted["/models/mine"] == "/data/$$HOME/a:b"
    assert all(mount["read_only"] for mount in service["volumes"])
    named = [value for a in service["command"] if (value := a.split("=")[1])[:1] == "/"]
    assert len(named) == 3
    for path in named:
        assert mounted[path] == f"./{Path(path).name}"
        assert Path(path).name in files.config


def test_kubernetes_fits_together() -> None:
    files = server_files([ServedModel("mine", Path("/data/mine"))], threads=4)
    text = files.manifests["kubernetes.yaml"]
    settings, deployment, service = yaml.safe_load_all(text)
    assert settings["data"] == files.config
    pod = deployment["spec"]["template"]
    labels = pod["metadata"]["labels"]
    assert labels == deployment["spec"]["selector"]["matchLabels"]
    assert labels == service["spec"]["selector"]
    [container] = pod["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {p["targetPort"]: p["port"] for p in service["spec"]["ports"]}
    assert container["readinessProbe"]["grpc"]["port"] == ports["grpc"]
    volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == set(volumes)
    assert volumes["config"]["configMap"]["name"] == settings["metadata"]["name"]
    assert container["resources"]["requests"]["cpu"] == "4"
    assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_an_agent_is_served_once() -> None:
    model = ServedModel("mine", Path("/data/mine"))
    with pytest.raises(UserError, match="twice"):
        server_files([model, model])


def run(capfd: pytest.CaptureFixture[str], *arguments: object) -> Answer:
    capfd.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["serve-config", *map(str, arguments)])
    assert isinstance(ended.value.code, int)
    return Answer(ended.value.code, *capfd.readouterr())


def test_the_command_serves_every_zoo_agent(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KERASMETA_REGISTRY", raising=False)
    registry = zoo.default_registry()
    agents = sorted(registry.index().agents)
    pinned = f"{agents[0]}@{registry.versions(agents[0])[0]}"
    out = tmp_path / "new" / "served"
    answer = run(capfd, pinned, *agents[1:], "--out", out, "--json")
    assert answer.status == 0, answer.stderr
    rows = answer.json["agents"]
    models = parsed((out / "models.config").read_text())
    assert [model.name for model in models] == [served_name(a) for a in agents]
    assert [row["name"] for row in rows] == [model.name for model in models]
    assert list(models[0].model_version_policy.specific.versions) == [1]
    for row, agent in zip(rows, agents, strict=True):
        newest = registry.directory(agent)
        assert Path(row["directory"]) == newest.parent
        assert (newest / "saved_model.pb").exists()
    assert sorted(path.name for path in out.iterdir()) == [
        *("batching.config", "compose.yaml", "kubernetes.yaml"),
        *("models.config", "monitoring.config"),
    ]


def test_the_command_refuses(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    agent = sorted(zoo.default_registry().index().agents)[0]
    (tmp_path / "key.pem").write_text("any")
    for arguments, word in (
        ([agent, "--require-signature", tmp_path / "key.pem"], "is not signed"),
        (
            [tmp_path / "empty", "--require-signature", tmp_path / "key.pem"],
            "nobody has signed",
        ),
        ([tmp_path / "empty"], "holds no exported version"),
        ([agent, agent], "twice"),
        ([f"{agent}@999"], "999"),
        (["no/such"], "no/such"),
        ([agent, "--threads", 0], "threads"),
    ):
        answer = run(capfd, *arguments, "--out", tmp_path / "out")
        assert answer.status == 2
        assert word in answer.stderr
        assert answer.stderr.count("\n") == 1
        assert not (tmp_path / "out").exists()
    assert run(capfd, agent, "--out", tmp_path / "empty").status == 2


def test_an_exported_folder_is_served(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "mine" / "1").mkdir(parents=True)
    (tmp_path / "mine" / "1" / "saved_model.pb").touch()
    answer = run(capfd, tmp_path / "mine", "--out", tmp_path / "out")
    assert answer.status == 0, answer.stderr
    [model] = parsed((tmp_path / "out" / "models.config").read_text())
    assert (model.name, model.base_path) == ("mine", "/models/mine")
