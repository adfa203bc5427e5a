"""Tasks from Jobs itself: a stream on which it sends as many as we grant credit for."""

import logging
import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
from attempts import Attempts
from jobber.jobs.v1 import jobs_pb2 as pb
from jobs_client import FATAL, Backoff, JobsClient, Stream, describe
from word_count import OFFER

log = logging.getLogger("intake")

# A stream that stood so long was no failure: the next try comes soon again.
STOOD_SECONDS = 5
# What Jobs had claimed already may still arrive after we have ended our side.
LAST_TASKS_SECONDS = 2

Requests = queue.SimpleQueue[pb.ReceiveTasksRequest | None]


class DirectIntake:
    def __init__(self, client: JobsClient, attempts: Attempts, pool: ThreadPoolExecutor, slots: int) -> None:
        self._client = client
        self._attempts = attempts
        self._pool = pool
        self._free = slots
        self._lock = threading.Lock()
        self._requests: Requests | None = None
        self._stream: Stream | None = None
        self._stopping = threading.Event()
        self._ended = threading.Event()

    def run(self) -> None:
        """Until it is stopped. Raises grpc.RpcError when trying again would not help."""
        backoff = Backoff(self._stopping)
        try:
            while not self._stopping.is_set():
                began_at = time.monotonic()
                try:
                    self._client.register(OFFER)
                    self._receive()
                    problem = "Jobs ended the stream"
                except grpc.RpcError as error:
                    if error.code() in FATAL:
                        raise
                    problem = describe(error)
                if self._stopping.is_set():
                    return
                log.warning("no tasks from Jobs, trying again: %s", problem)
                if time.monotonic() - began_at > STOOD_SECONDS:
                    backoff.reset()
                backoff.wait()
        finally:
            self._ended.set()

    def stop(self) -> None:
        """Returns when no further task will arrive."""
        self._stopping.set()
        with self._lock:
            requests, stream = self._requests, self._stream
        if requests:
            requests.put(None)
        if not self._ended.wait(LAST_TASKS_SECONDS) and stream:
            stream.cancel()
        self._ended.wait()

    def close(self) -> None:
        """Nothing is left open: the stream has ended."""

    def _receive(self) -> None:
        requests: Requests = queue.SimpleQueue()
        subscription = pb.Subscribe(executor_id=self._client.executor_id, slugs=[OFFER.slug])
        requests.put(pb.ReceiveTasksRequest(subscribe=subscription))
        stream = self._client.receive_tasks(iter(requests.get, None))
        with self._lock:
            # Credit of an earlier stream is void; what runs still has its slots.
            self._requests, self._stream = requests, stream
            if self._free > 0:
                requests.put(pb.ReceiveTasksRequest(credit=self._free))
        if self._stopping.is_set():
            requests.put(None)
        try:
            for message in stream:
                leased_at = time.monotonic()
                if not message.tasks:
                    log.info("receiving tasks from Jobs")
                for task in message.tasks:
                    with self._lock:
                        self._free -= 1
                    self._pool.submit(self._work, task, leased_at)
        finally:
            with self._lock:
                self._requests = self._stream = None
            requests.put(None)

    def _work(self, task: pb.LeasedTask, leased_at: float) -> None:
        self._attempts.run(task, leased_at)
        with self._lock:
            self._free += 1
            if self._requests and not self._stopping.is_set():
                self._requests.put(pb.ReceiveTasksRequest(credit=1))
