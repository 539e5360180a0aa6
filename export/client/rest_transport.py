"""TensorFlow Serving over REST: for agents with a small state, or where gRPC is shut.

A state with a memory is some 5 times as long in JSON, and takes as much longer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import requests

from ..errors import ServerRefusedError
from ..wire.signatures import contract_of, from_json
from .refusing import NOT_FOUND, OTHER, TIMEOUT, UNAVAILABLE, Asked, refusal
from .transport import Tensors, Version

KINDS = {404: NOT_FOUND, 408: TIMEOUT, 504: TIMEOUT}
KINDS.update(dict.fromkeys((429, 502, 503), UNAVAILABLE))


class RestTransport:
    """One model over HTTP.

    Args:
        address: `http://host:8501` or `https://...`; a path goes before `/v1`.
        agent: The model's name on the server.
        certificates: A file of root certificates (PEM), where the usual will not do.
        headers: Sent with every request (`{"authorization": "Bearer ..."}`).
    """

    def __init__(
        self,
        address: str,
        agent: str,
        certificates: Path | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.agent = agent
        self.address = f"{address}/v1/models/{quote(agent, safe='')}"
        self.session = requests.Session()
        self.session.headers.update(headers or {})
        if certificates:
            self.session.verify = str(certificates)
        self._dtypes: dict[tuple[int, str], dict[str, str]] = {}  # of outputs

    def describe(self, version: int | str | None, timeout: float) -> Version:
        """See `Transport`."""
        answer = self._ask("GET", "/metadata", version, timeout)
        try:
            number = int(answer["model_spec"]["version"])
            definitions = answer["metadata"]["signature_def"]["signature_def"]
            signatures = from_json(definitions)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise self._broken("metadata") from None
        contract = contract_of(signatures, self.agent)
        for name, signature in contract.signatures.items():
            dtypes = {key: tensor.dtype for key, tensor in signature.outputs.items()}
            self._dtypes[number, name] = dtypes
        return Version(number, contract)

    def predict(
        self,
        signature: str,
        version: int,
        inputs: Mapping[str, np.ndarray],
        timeout: float,
    ) -> Tensors:
        """See `Transport`. JSON knows no types, so `describe` comes before."""
        body = {
            "signature_name": signature,
            "inputs": {name: array.tolist() for name, array in inputs.items()},
        }
        answer = self._ask("POST", ":predict", version, timeout, body)
        dtypes = self._dtypes[version, signature]
        try:
            outputs: Any = answer["outputs"]
            if len(dtypes) == 1:  # the server leaves out the name of an only output
                outputs = dict.fromkeys(dtypes, outputs)
            return {
                name: np.asarray(outputs[name], dtype=dtype)
                for name, dtype in dtypes.items()
            }
        except (KeyError, TypeError, ValueError, OverflowError):
            raise self._broken("outputs") from None

    def close(self) -> None:
        """See `Transport`."""
        self.session.close()

    def _ask(
        self,
        method: str,
        what: str,
        version: int | str | None,
        timeout: float,
        body: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        asked = Asked(self.agent, version)
        url = f"{self.address}{_path(version)}{what}"
        data = None if body is None else json.dumps(body, separators=(",", ":"))
        try:
            answer = self.session.request(
                method, url, data=data, timeout=timeout, allow_redirects=False
            )
        except requests.Timeout:
            raise refusal(TIMEOUT, asked, "") from None
        except requests.RequestException as error:
            kind = UNAVAILABLE
            raise refusal(kind, asked, type(error).__name__) from None
        if answer.status_code != 200:
            said = f"{answer.status_code}: {_error(answer)}"
            raise refusal(KINDS.get(answer.status_code, OTHER), asked, said)
        try:
            content = answer.json()
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise self._broken("answer")
        return content

    def _broken(self, what: str) -> ServerRefusedError:
        problem = f"gave an answer without the {what} of TensorFlow Serving"
        fix = "give the address of its REST port, http://host:8501"
        return ServerRefusedError("server", self.agent, problem, fix)


def _path(version: int | str | None) -> str:
    if version is None:
        return ""
    if isinstance(version, str):
        return f"/labels/{quote(version, safe='')}"
    return f"/versions/{version}"


def _error(answer: Any) -> str:
    """What the server says is wrong: the JSON's `error`, or the beginning of a page."""
    try:
        return str(answer.json()["error"])
    except (ValueError, KeyError, TypeError):
        return str(answer.text[:200])
