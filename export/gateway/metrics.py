"""What Prometheus may know of a gateway."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

from .errors import reason
from .stores import Store

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class Metrics:
    """The metrics of one gateway.

    `kerasmeta_gateway_requests_total` by method, protocol and outcome (`ok` or a reason
    of `errors.REASONS`), `kerasmeta_gateway_request_seconds` by method and protocol,
    `kerasmeta_gateway_sessions` and `kerasmeta_gateway_session_bytes` of the store in
    the process.
    """

    def __init__(self, store: Store) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "kerasmeta_gateway_requests",
            "Requests that were answered.",
            ("method", "protocol", "outcome"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "kerasmeta_gateway_request_seconds",
            "From a request to its answer.",
            ("method", "protocol"),
            buckets=SECONDS,
            registry=self.registry,
        )
        sessions = Gauge(
            "kerasmeta_gateway_sessions",
            "Sessions in this process (0 where Redis has them).",
            registry=self.registry,
        )
        size = Gauge(
            "kerasmeta_gateway_session_bytes",
            "Bytes that they take.",
            registry=self.registry,
        )
        sessions.set_function(lambda: store.usage().sessions)
        size.set_function(lambda: store.usage().size)

    @contextlib.contextmanager
    def measured(self, method: str, protocol: str) -> Iterator[None]:
        """Counts and times a request; an error passes through."""
        start, outcome = time.perf_counter(), "ok"
        try:
            yield
        except asyncio.CancelledError:
            outcome = "cancelled"  # by the client, who went away
            raise
        except Exception as error:
            outcome = reason(error).name
            raise
        finally:
            taken = time.perf_counter() - start
            self.requests.labels(method, protocol, outcome).inc()
            self.seconds.labels(method, protocol).observe(taken)

    def page(self) -> bytes:
        """The metrics in Prometheus' text format."""
        return generate_latest(self.registry)
