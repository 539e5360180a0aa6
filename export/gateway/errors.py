"""What a gateway refuses: every reason, with its status in gRPC and HTTP.

`REASONS` is the documentation's table too (docs/serving.md). Errors that are not listed
here are those of `export.errors`.
"""

from __future__ import annotations

from typing import NamedTuple

from ..errors import (
    NotFiniteError,
    ServerRefusedError,
    ServerTimeoutError,
    ServerUnavailableError,
    ServingError,
    TensorError,
    UnknownAgentError,
    WrongSchemaError,
    WrongVersionError,
)


class RequestError(ServingError):
    """A request that cannot be read, or with a value that no request may have."""


class TooLargeError(ServingError):
    """A request of more bytes than the gateway takes."""


class TokenError(ServingError):
    """The bearer token is missing, or not the gateway's."""


class UnknownSessionError(ServingError):
    """The session was never there, has ended, or was forgotten after its time."""


class WrongStepError(ServingError):
    """A step that is neither the session's next one nor a repetition of its last."""


class StoreFullError(ServingError):
    """There is no memory for one more session."""


class StoreUnavailableError(ServingError):
    """The store of the sessions cannot be reached."""


class Reason(NamedTuple):
    """How clients are told of an error."""

    name: str  # in the JSON, and in the trailing metadata of gRPC
    grpc: str
    http: int


REASONS: dict[type[ServingError], Reason] = {
    RequestError: Reason("bad_request", "INVALID_ARGUMENT", 400),
    TensorError: Reason("bad_tensor", "INVALID_ARGUMENT", 400),
    NotFiniteError: Reason("not_finite", "INVALID_ARGUMENT", 400),
    TokenError: Reason("bad_token", "UNAUTHENTICATED", 401),
    UnknownSessionError: Reason("unknown_session", "NOT_FOUND", 404),
    UnknownAgentError: Reason("unknown_agent", "NOT_FOUND", 404),
    WrongStepError: Reason("wrong_step", "ABORTED", 409),
    WrongVersionError: Reason("wrong_version", "FAILED_PRECONDITION", 412),
    WrongSchemaError: Reason("wrong_schema", "FAILED_PRECONDITION", 412),
    TooLargeError: Reason("too_large", "RESOURCE_EXHAUSTED", 413),
    StoreFullError: Reason("store_full", "RESOURCE_EXHAUSTED", 429),
    ServerRefusedError: Reason("serving_refused", "INTERNAL", 502),
    StoreUnavailableError: Reason("store_unavailable", "UNAVAILABLE", 503),
    ServerUnavailableError: Reason("serving_unavailable", "UNAVAILABLE", 503),
    ServerTimeoutError: Reason("serving_timeout", "DEADLINE_EXCEEDED", 504),
}
INTERNAL = Reason("internal", "INTERNAL", 500)


def reason(error: BaseException) -> Reason:
    """The reason that clients are told; `internal` for what is a defect of ours."""
    for kind in type(error).__mro__:
        if issubclass(kind, ServingError) and kind in REASONS:
            return REASONS[kind]
    return INTERNAL


def error_of(name: str, text: str) -> ServingError:
    """The error that a gateway's answer tells of, for a client to raise."""
    kinds = {reason.name: kind for kind, reason in REASONS.items()}
    kind = kinds.get(name, ServerRefusedError)
    error = ServingError.__new__(kind)
    ValueError.__init__(error, text)  # the gateway's own line, as it is
    return error
