"""Tasks by way of Apache Pulsar: each message is a hint, which Jobs turns into a task or calls superseded."""

import json
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from enum import Enum

import grpc
import pulsar
from attempts import Attempts
from config import Broker
from jobber.jobs.v1 import jobs_pb2 as pb
from jobs_client import FATAL, Backoff, JobsClient, describe
from word_count import OFFER

log = logging.getLogger("intake")

SUBSCRIPTION = "jobber-executors"
HINT_VERSION = 1
MAX_HINT_BYTES = 1_024
RECEIVE_MS = 500
NACK_MS = 200
# Meanwhile an executor that understands it may have come.
FUTURE_SECONDS = 2


class Foreign(Enum):
    """A message that is no hint for us."""

    FUTURE = "a later release wrote it"
    NOBODYS = "it is no hint"


def read_hint(body: bytes) -> pb.AttemptRef | Foreign:
    """Of bytes that anybody may have written. Never raises."""
    try:
        message = json.loads(body.decode()) if len(body) <= MAX_HINT_BYTES else None
    except (ValueError, RecursionError):
        return Foreign.NOBODYS
    if not isinstance(message, dict) or not _is_whole(message.get("v"), 1, 2**31 - 1):
        return Foreign.NOBODYS
    if message["v"] > HINT_VERSION:
        return Foreign.FUTURE
    job, task, attempt = (message.get(name) for name in ("job", "task", "attempt"))
    if _is_whole(job, 1, 2**53 - 1) and _is_whole(task, 0, 2**31 - 1) and _is_whole(attempt, 1, 2**31 - 1):
        return pb.AttemptRef(job_id=job, seq=task, attempt=attempt)
    return Foreign.NOBODYS


def _is_whole(value: object, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


class PulsarIntake:
    def __init__(
        self, client: JobsClient, attempts: Attempts, pool: ThreadPoolExecutor, slots: int, broker: Broker
    ) -> None:
        self._client = client
        self._attempts = attempts
        self._pool = pool
        self._slots = threading.Semaphore(slots)
        self._broker = broker
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._connection = pulsar.Client(
            broker.service_url,
            authentication=pulsar.AuthenticationToken(broker.token) if broker.token else None,
            tls_trust_certs_file_path=broker.ca_file,
            tls_validate_hostname=True,
            operation_timeout_seconds=5,
            logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error),
        )

    def run(self) -> None:
        """Until it is stopped. Raises grpc.RpcError when trying again would not help."""
        backoff = Backoff(self._stopping)
        try:
            while not self._stopping.is_set():
                try:
                    self._client.register(OFFER)
                    self._follow(self._subscribe(), backoff)
                except grpc.RpcError as error:
                    if error.code() in FATAL:
                        raise
                    log.warning("Jobs starts no tasks, trying again: %s", describe(error))
                except pulsar.PulsarException as error:
                    log.warning("no messages from the broker, trying again: %s", error)
                backoff.wait()
        finally:
            self._ended.set()

    def stop(self) -> None:
        """Returns when no further task will arrive."""
        self._stopping.set()
        self._ended.wait()

    def close(self) -> None:
        """After the last outcome is stored and its message acknowledged. Others get what was not acknowledged."""
        try:
            self._connection.close()
        except pulsar.PulsarException as error:
            log.warning("the connection to the broker did not end in order: %s", error)

    def _subscribe(self) -> pulsar.Consumer:
        consumer = self._connection.subscribe(
            self._broker.topic(OFFER.slug),
            SUBSCRIPTION,
            consumer_type=pulsar.ConsumerType.Shared,
            initial_position=pulsar.InitialPosition.Earliest,
            # What waits in our queue is kept from others.
            receiver_queue_size=1,
            negative_ack_redelivery_delay_ms=NACK_MS,
        )
        log.info("following hints of the broker")
        return consumer

    def _follow(self, consumer: pulsar.Consumer, backoff: Backoff) -> None:
        try:
            self._receive(consumer, backoff)
        except Exception:
            # Another one takes its place, and others get what it holds.
            consumer.close()
            raise

    def _receive(self, consumer: pulsar.Consumer, backoff: Backoff) -> None:
        while not self._stopping.is_set():
            if not self._slots.acquire(timeout=RECEIVE_MS / 1_000):
                continue
            begun = False
            try:
                message = consumer.receive(timeout_millis=RECEIVE_MS)
                begun = self._begin(consumer, message, backoff)
            except pulsar.Timeout:
                pass
            finally:
                if not begun:
                    self._slots.release()

    def _begin(self, consumer: pulsar.Consumer, message: pulsar.Message, backoff: Backoff) -> bool:
        hint = read_hint(message.data())
        if hint is Foreign.FUTURE:
            timer = threading.Timer(FUTURE_SECONDS, consumer.negative_acknowledge, [message])
            timer.daemon = True
            timer.start()
            return False
        if hint is Foreign.NOBODYS:
            log.warning("a message on the topic was dropped: %s", hint.value)
            consumer.acknowledge(message)
            return False
        if self._stopping.is_set():
            consumer.negative_acknowledge(message)
            return False
        leased_at = time.monotonic()
        try:
            task = self._client.start_task(hint)
        except grpc.RpcError as error:
            consumer.negative_acknowledge(message)
            if error.code() in FATAL:
                raise
            log.warning("Jobs does not start a task: %s", describe(error))
            backoff.wait()
            return False
        backoff.reset()
        if task is None:
            consumer.acknowledge(message)
            return False
        self._pool.submit(self._work, consumer, message, task, leased_at)
        return True

    def _work(
        self, consumer: pulsar.Consumer, message: pulsar.Message, task: pb.LeasedTask, leased_at: float
    ) -> None:
        self._attempts.run(task, leased_at)
        self._slots.release()
        try:
            consumer.acknowledge(message)
        except pulsar.PulsarException as error:
            log.warning("a message was not acknowledged; it comes again, and is superseded: %s", error)
