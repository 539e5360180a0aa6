"""What TensorFlow Serving answers when it does not answer."""

from __future__ import annotations

import grpc

Code = grpc.StatusCode

# http_server.cc: the status of HTTP for each of gRPC.
HTTP = {
    Code.INVALID_ARGUMENT: 400,
    Code.FAILED_PRECONDITION: 400,
    Code.UNAUTHENTICATED: 401,
    Code.NOT_FOUND: 404,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.INTERNAL: 500,
    Code.UNIMPLEMENTED: 501,
    Code.UNAVAILABLE: 503,
}
_BY_NUMBER = {code.value[0]: code for code in Code}


class RefusedError(Exception):
    """A request that gets a status and a line instead of an answer."""

    def __init__(self, code: grpc.StatusCode, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text

    @classmethod
    def of(cls, error: Exception) -> RefusedError:
        """What an error of TensorFlow's becomes."""
        if isinstance(error, RefusedError):
            return error
        number = getattr(error, "error_code", Code.INVALID_ARGUMENT.value[0])
        code = _BY_NUMBER.get(number, Code.INTERNAL)
        return cls(code, getattr(error, "message", None) or str(error))


def invalid(text: str) -> RefusedError:
    return RefusedError(Code.INVALID_ARGUMENT, text)


def not_found(text: str) -> RefusedError:
    return RefusedError(Code.NOT_FOUND, text)
