"""Calls to Jobs: the credential, the limits and the deadlines that ../../docs/protocol.md asks for."""

import hashlib
import hmac
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import grpc
from jobber.jobs.v1 import jobs_pb2 as pb
from jobber.jobs.v1.jobs_pb2_grpc import JobsServiceStub

MAX_MESSAGE_BYTES = 8 * 1024 * 1024
CALL_SECONDS = 5
REPORT_SECONDS = 10
UPLOAD_SECONDS = 30
# Trying again would not help: somebody has to change something.
FATAL = {
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.FAILED_PRECONDITION,
}
REFUSALS = {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.OUT_OF_RANGE}
AWAY = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.ABORTED,
}


@dataclass(frozen=True)
class Tls:
    """PEM texts for mutual TLS."""

    ca: bytes
    certificate: bytes
    key: bytes


class Stream(Protocol):
    """Messages from Jobs; iterating raises grpc.RpcError when it breaks."""

    def __iter__(self) -> Iterator[Any]: ...
    def cancel(self) -> bool: ...


def describe(error: grpc.RpcError) -> str:
    return f"{error.code().name}: {error.details()}"


class Backoff:
    """Waits that double, up to some seconds, with jitter; they end early when `over` is set."""

    def __init__(self, over: threading.Event, first: float = 0.1, longest: float = 5.0) -> None:
        self._over = over
        self._first = self._next = first
        self._longest = longest

    def wait(self) -> None:
        self._over.wait(self._next * random.uniform(0.75, 1.25))
        self._next = min(2 * self._next, self._longest)

    def reset(self) -> None:
        self._next = self._first


class JobsClient:
    def __init__(self, address: str, service_secret: str, executor_id: str, tls: Tls | None = None) -> None:
        options = [
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
            ("grpc.keepalive_time_ms", 30_000),
            ("grpc.keepalive_timeout_ms", 10_000),
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 1_000),
            # http_proxy is about the internet.
            ("grpc.enable_http_proxy", 0),
        ]
        if tls:
            credentials = grpc.ssl_channel_credentials(tls.ca, tls.key, tls.certificate)
            self._channel = grpc.secure_channel(address, credentials, options)
        else:
            self._channel = grpc.insecure_channel(address, options)
        self._stub = JobsServiceStub(self._channel)
        self.executor_id = executor_id
        credential = hmac.new(service_secret.encode(), b"jobber-service:executor", hashlib.sha256).hexdigest()
        self._metadata = (
            ("x-jobber-caller", "executor"),
            ("x-jobber-credential", credential),
            ("x-jobber-protocol", "1"),
        )

    def register(self, offer: pb.JobTypeOffer) -> None:
        request = pb.RegisterJobTypesRequest(executor_id=self.executor_id, types=[offer])
        self._stub.RegisterJobTypes(request, timeout=CALL_SECONDS, metadata=self._metadata)

    def receive_tasks(self, requests: Iterator[pb.ReceiveTasksRequest]) -> Stream:
        return self._stub.ReceiveTasks(requests, metadata=self._metadata)

    def start_task(self, ref: pb.AttemptRef) -> pb.LeasedTask | None:
        """None: superseded."""
        request = pb.StartTaskRequest(executor_id=self.executor_id, ref=ref)
        response = self._stub.StartTask(request, timeout=CALL_SECONDS, metadata=self._metadata)
        return response.task if response.WhichOneof("result") == "task" else None

    def heartbeat(
        self, refs: list[pb.AttemptRef], progress: list[pb.AttemptProgress], seconds: float
    ) -> list["pb.LeaseStatus"]:
        request = pb.HeartbeatRequest(executor_id=self.executor_id, refs=refs, progress=progress)
        return list(self._stub.Heartbeat(request, timeout=min(seconds, CALL_SECONDS), metadata=self._metadata).statuses)

    def watch_cancellations(self) -> Stream:
        request = pb.WatchCancellationsRequest(executor_id=self.executor_id)
        return self._stub.WatchCancellations(request, metadata=self._metadata)

    def acknowledge(self, outcome: pb.AttemptOutcome) -> "pb.AckStatus":
        request = pb.AcknowledgeJobRequest(executor_id=self.executor_id, outcomes=[outcome])
        response = self._stub.AcknowledgeJob(request, timeout=REPORT_SECONDS, metadata=self._metadata)
        return response.statuses[0]

    def read_upload(self, ref: pb.AttemptRef, byte_from: int, byte_to: int) -> bytes:
        request = pb.ReadUploadRequest(executor_id=self.executor_id, ref=ref, byte_from=byte_from, byte_to=byte_to)
        responses = self._stub.ReadUpload(request, timeout=UPLOAD_SECONDS, metadata=self._metadata)
        return b"".join(response.chunk for response in responses)

    def close(self) -> None:
        self._channel.close()
