"""Which versions are served: version directories, policies and labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from .refusals import Code, RefusedError, not_found

AVAILABLE, END = 30, 50  # ModelVersionStatus.State
V1 = tf.compat.v1


class Servable:
    """One loaded version: a session and the signatures that name its tensors.

    Args:
        name: The model's.
        version: Its number.
        path: The directory with saved_model.pb.
    """

    def __init__(self, name: str, version: int, path: Path) -> None:
        self.name, self.version = name, version
        config = V1.ConfigProto(
            intra_op_parallelism_threads=1, inter_op_parallelism_threads=1
        )
        self.session = V1.Session(graph=tf.Graph(), config=config)
        with self.session.graph.as_default():
            loaded = V1.saved_model.load(self.session, ["serve"], str(path))
        self.signatures = dict(loaded.signature_def)
        self._callables: dict[Any, Any] = {}

    def run(self, feeds: tuple[str, ...], fetches: tuple[str, ...], arrays: Any) -> Any:
        """`Session::Run`: arrays of the fetched tensors, by tensor names.

        The callable skips the conversions of Python's `Session.run`, so that a wrong
        type or shape is refused by the runtime, as in a server.
        """
        key = (feeds, fetches)
        if key not in self._callables:
            self._callables[key] = self.session.make_callable(
                list(fetches), list(feeds)
            )
        return self._callables[key](*arrays)


class Models:
    """Every model of a configuration, and the versions of it that are loaded."""

    def __init__(self, config: str) -> None:
        self.loaded: dict[str, dict[int, Servable]] = {}
        self.ended: dict[str, set[int]] = {}
        parsed = model_server_config_pb2.ModelServerConfig()
        self.reload(text_format.Parse(config, parsed))

    def reload(self, config: Any) -> None:
        """Serves what a `ModelServerConfig` says, and nothing else."""
        self.configs = {c.name: c for c in config.model_config_list.config}
        self.poll()
        for name, model in self.configs.items():
            for version in model.version_labels.values():
                if version not in self.loaded[name]:
                    raise RefusedError(
                        Code.FAILED_PRECONDITION,
                        f"Request to assign label to version {version} of model {name},"
                        " which is not currently available for inference",
                    )

    def poll(self) -> None:
        """Loads versions that appeared and unloads those no longer aspired."""
        for name in set(self.loaded) - set(self.configs):
            self._keep(name, set())
        for name, config in self.configs.items():
            aspired = _aspired(config)
            loaded = self.loaded.setdefault(name, {})
            for version in sorted(aspired.keys() - loaded.keys()):
                loaded[version] = Servable(name, version, aspired[version])
                self.ended.get(name, set()).discard(version)
            self._keep(name, set(aspired))

    def _keep(self, name: str, versions: set[int]) -> None:
        for version in set(self.loaded[name]) - versions:
            del self.loaded[name][version]
            self.ended.setdefault(name, set()).add(version)

    def find(self, spec: Any) -> Servable:
        """The version that a `ModelSpec` asks for: that one, a label's, or the latest.

        Raises:
            RefusedError: It is not served.
        """
        versions = self.loaded.get(spec.name, {})
        if spec.version_label:
            labels = self.configs[spec.name].version_labels if versions else {}
            if spec.version_label not in labels:
                text = f"Unrecognized servable version label: {spec.version_label}"
                raise RefusedError(Code.INVALID_ARGUMENT, text)
            return self._version(spec.name, labels[spec.version_label])
        if spec.HasField("version"):
            return self._version(spec.name, spec.version.value)
        if not versions:
            raise not_found(f"Servable not found for request: Latest({spec.name})")
        return versions[max(versions)]

    def _version(self, name: str, version: int) -> Servable:
        found = self.loaded.get(name, {}).get(version)
        if found is None:
            asked = f"Specific({name}, {version})"
            raise not_found(f"Servable not found for request: {asked}")
        return found

    def states(self, spec: Any) -> list[tuple[int, int]]:
        """(version, state) of the versions that a status was asked of."""
        known = dict.fromkeys(self.ended.get(spec.name, ()), END)
        known |= dict.fromkeys(self.loaded.get(spec.name, ()), AVAILABLE)
        if not spec.HasField("version"):
            if not known:
                raise not_found(f"Could not find any versions of model {spec.name}")
            return sorted(known.items(), reverse=True)
        version = spec.version.value
        if version not in known:
            raise not_found(f"Could not find version {version} of model {spec.name}")
        return [(version, known[version])]


def _aspired(config: Any) -> dict[int, Path]:
    """The version directories that a model's policy wants: by default the latest."""
    base = Path(config.base_path)
    found = base.iterdir() if base.is_dir() else ()
    there = {int(path.name): path for path in found if path.name.isdecimal()}
    policy = config.model_version_policy
    if policy.HasField("all"):
        return there
    if policy.HasField("specific"):
        return {v: path for v, path in there.items() if v in policy.specific.versions}
    latest = policy.latest.num_versions if policy.HasField("latest") else 1
    return {version: there[version] for version in sorted(there)[-max(latest, 1) :]}
