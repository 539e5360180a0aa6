"""What a client asks of a server, whatever the protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np

from kerasmeta.errors import UserError

from ..contracts import Contract

Tensors = dict[str, np.ndarray]


class Version(NamedTuple):
    """A version that a server serves, and what it takes and gives."""

    number: int
    contract: Contract


class Transport(Protocol):
    """A way to one served model. Every method gives up after `timeout` seconds."""

    def describe(self, version: int | str | None, timeout: float) -> Version:
        """A version by its number or its label; None: the newest one served."""

    def predict(
        self,
        signature: str,
        version: int,
        inputs: Mapping[str, np.ndarray],
        timeout: float,
    ) -> Tensors:
        """The outputs of a signature of that very version."""

    def close(self) -> None:
        """Lets go of the connections."""


class Address(NamedTuple):
    """Where a server is."""

    scheme: str  # grpc, grpcs, http or https
    place: str  # host:port, for http with a path that a proxy may put before /v1


SCHEMES = ("grpc", "grpcs", "http", "https")


def parse_address(url: str) -> Address:
    """Reads `grpc://host:8500`, `https://host/path`; `host:8500` means gRPC."""
    scheme, found, place = str(url).rpartition("://")
    address = Address(scheme if found else "grpc", place.rstrip("/"))
    host, _, port = address.place.partition("/")[0].rpartition(":")
    whole = bool(host) and port.isdecimal()
    if address.scheme.startswith("http"):  # which have ports of their own
        whole = whole or (bool(port) and not host and ":" not in address.place)
    if address.scheme not in SCHEMES or not whole:
        raise UserError(
            "url",
            url,
            "is no address of a server",
            "give grpc://host:8500 or http://host:8501 (grpcs, https: with TLS)",
        )
    return address
