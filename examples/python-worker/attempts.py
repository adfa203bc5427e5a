"""The attempts that run here: their leases, their cancellation, their outcomes."""

import json
import logging
import threading
import time
from typing import Any

import grpc
from jobber.jobs.v1 import jobs_pb2 as pb
from jobs_client import AWAY, REFUSALS, Backoff, JobsClient, Stream, describe
from read_items import DamagedInput, read_items
from word_count import INPUT_SCHEMA, OFFER, count_words

log = logging.getLogger("attempts")

RETRY_SECONDS = 0.5
# How long after the end of its lease an outcome is still reported: until somebody else has the task, it counts.
PATIENCE_SECONDS = 60
LAST_REPORTS_SECONDS = 5
# A stream of cancellations that was silent for so long is dead: three of the signs of life that Jobs sends.
SILENCE_SECONDS = 30


class Attempt:
    """One execution of a task by this process."""

    def __init__(self, task: pb.LeasedTask, leased_at: float) -> None:
        self.task = task
        self.ref = task.ref
        self.lease = task.lease_ms / 1_000
        self.lease_until = leased_at + self.lease
        self.items_done = 0
        self.items_told = 0
        self.aborted = threading.Event()
        # lost, cancelled, lease over, timeout or stopping
        self.cause: str | None = None

    def abort(self, cause: str) -> None:
        """The first cause counts."""
        if not self.aborted.is_set():
            self.cause = cause
            self.aborted.set()

    @property
    def beat_due_at(self) -> float:
        return self.lease_until - self.lease * 2 / 3

    @property
    def holds_lease(self) -> bool:
        return self.cause not in ("lost", "cancelled", "lease over")

    def __str__(self) -> str:
        return f"attempt {self.ref.attempt} of task {self.ref.seq} of job {self.ref.job_id}"


class Attempts:
    """Runs tasks, and keeps their leases while it does."""

    def __init__(self, client: JobsClient, pause_seconds: float) -> None:
        self._client = client
        self._pause = pause_seconds
        self._running: set[Attempt] = set()
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._stopping_since: float | None = None

    def start(self) -> None:
        threading.Thread(target=self._keep_leases, name="heartbeats", daemon=True).start()
        threading.Thread(target=self._watch_cancellations, name="cancellations", daemon=True).start()

    def stop(self) -> None:
        """Whatever runs, or comes late, is reported as interrupted."""
        with self._changed:
            self._stopping_since = time.monotonic()
            for attempt in self._running:
                attempt.abort("stopping")

    def close(self) -> None:
        self._closed.set()

    def run(self, task: pb.LeasedTask, leased_at: float) -> None:
        """Returns when the outcome is stored, or nobody waits for one any more. Never raises."""
        attempt = Attempt(task, leased_at)
        with self._changed:
            self._running.add(attempt)
            if self._stopping_since is not None:
                attempt.abort("stopping")
            self._changed.notify()
        log.info("%s has begun", attempt)
        try:
            outcome = self._execute(attempt)
            answer = self._report(attempt, outcome) if outcome else f"nobody waits for it: {attempt.cause}"
            log.info("%s has ended: %s", attempt, answer)
        except Exception:
            log.exception("%s has no outcome; Jobs runs the task again after its lease", attempt)
        finally:
            with self._changed:
                self._running.discard(attempt)

    def _execute(self, attempt: Attempt) -> pb.AttemptOutcome | None:
        task = attempt.task
        began_at = time.monotonic()
        timer = threading.Timer(task.timeout_ms / 1_000, attempt.abort, ["timeout"])
        timer.daemon = True
        timer.start()
        outcome = pb.AttemptOutcome(ref=attempt.ref)
        offsets = list(task.offsets or range(task.item_count))
        try:
            if task.slug != OFFER.slug:
                raise LookupError(f"This worker does not know the job type {task.slug}")
            for offset, item in read_items(self._client, task, INPUT_SCHEMA).items():
                if attempt.aborted.wait(self._pause):
                    break
                outcome.items.append(_run_item(offset, item))
                attempt.items_done += 1
        except DamagedInput as error:
            _decide_the_rest(outcome, offsets, pb.ITEM_STATUS_FAILED, "InputDamaged", str(error))
        except grpc.RpcError as error:
            outcome.deferred = error.code() in AWAY
            _decide_the_rest(outcome, offsets, pb.ITEM_STATUS_RETRY, "InputUnreadable", describe(error))
        except LookupError as error:
            _decide_the_rest(outcome, offsets, pb.ITEM_STATUS_RETRY, "UnknownJobType", str(error))
        finally:
            timer.cancel()
        if not attempt.holds_lease and attempt.cause != "lease over":
            return None
        if attempt.cause == "timeout":
            limit = f"The attempt took longer than {task.timeout_ms / 1_000:g} s"
            _decide_the_rest(outcome, offsets, pb.ITEM_STATUS_RETRY, "Timeout", limit)
        # What is decided is kept; the rest is ready again at once, and the attempt does not count.
        outcome.interrupted = attempt.cause in ("stopping", "lease over")
        outcome.duration_ms = round((time.monotonic() - began_at) * 1_000)
        return outcome

    def _report(self, attempt: Attempt, outcome: pb.AttemptOutcome) -> str:
        backoff = Backoff(self._closed, longest=2)
        refused = False
        while not self._is_in_vain(attempt):
            try:
                status = self._client.acknowledge(outcome)
                return "recorded" if status == pb.ACK_STATUS_RECORDED else "superseded"
            except grpc.RpcError as error:
                log.warning("the outcome of %s is not stored: %s", attempt, describe(error))
                if error.code() in REFUSALS:
                    if refused:
                        return "refused"
                    refused = True
                    outcome = _refused_outcome(attempt, outcome, describe(error))
            backoff.wait()
        return "unanswered"

    def _is_in_vain(self, attempt: Attempt) -> bool:
        now = time.monotonic()
        stopped_long = self._stopping_since is not None and now > self._stopping_since + LAST_REPORTS_SECONDS
        return stopped_long or now > attempt.lease_until + PATIENCE_SECONDS

    def _keep_leases(self) -> None:
        while not self._closed.is_set():
            with self._changed:
                held = [attempt for attempt in self._running if attempt.holds_lease]
                wait = min((a.beat_due_at for a in held), default=float("inf")) - time.monotonic()
                if wait > 0:
                    self._changed.wait(min(wait, threading.TIMEOUT_MAX))
                    continue
            self._renew(held)
            if any(attempt.holds_lease and attempt.beat_due_at <= time.monotonic() for attempt in held):
                self._closed.wait(RETRY_SECONDS)

    def _renew(self, attempts: list[Attempt]) -> None:
        sent_at = time.monotonic()
        try:
            third = min(attempt.lease for attempt in attempts) / 3
            done = {attempt: attempt.items_done for attempt in attempts}
            progress = [_progress_of(attempt, items) for attempt, items in done.items() if items > attempt.items_told]
            statuses = self._client.heartbeat([attempt.ref for attempt in attempts], progress, third)
            for attempt, items in done.items():
                attempt.items_told = items
        except grpc.RpcError as error:
            log.warning("heartbeat failed: %s", describe(error))
            statuses = []
        for attempt, status in zip(attempts, statuses):
            if status == pb.LEASE_STATUS_RENEWED:
                attempt.lease_until = sent_at + attempt.lease
            elif status == pb.LEASE_STATUS_LOST:
                attempt.abort("lost")
            elif status == pb.LEASE_STATUS_CANCELLED:
                attempt.abort("cancelled")
        for attempt in attempts:
            if attempt.lease_until < time.monotonic():
                attempt.abort("lease over")

    def _watch_cancellations(self) -> None:
        backoff = Backoff(self._closed)
        while not self._closed.is_set():
            stream = self._client.watch_cancellations()
            silence = _Silence(stream)
            try:
                for message in stream:
                    silence.broken()
                    backoff.reset()
                    with self._changed:
                        for attempt in self._running:
                            if attempt.ref.job_id in message.job_ids:
                                attempt.abort("cancelled")
            except grpc.RpcError:
                pass  # The intake says it when Jobs is away; what is missed, the next heartbeat tells.
            silence.over()
            backoff.wait()


class _Silence:
    """Breaks off a stream that says nothing for too long."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._timer = self._begin()

    def _begin(self) -> threading.Timer:
        timer = threading.Timer(SILENCE_SECONDS, self._stream.cancel)
        timer.daemon = True
        timer.start()
        return timer

    def broken(self) -> None:
        self._timer.cancel()
        self._timer = self._begin()

    def over(self) -> None:
        self._timer.cancel()


def _progress_of(attempt: Attempt, done: int) -> pb.AttemptProgress:
    total = len(attempt.task.offsets) or attempt.task.item_count
    return pb.AttemptProgress(ref=attempt.ref, done=done, total=total, note="counting words")


def _run_item(offset: int, item: Any) -> pb.ItemOutcome:
    try:
        result = json.dumps(count_words(item))
        return pb.ItemOutcome(offset=offset, status=pb.ITEM_STATUS_SUCCEEDED, result_json=result)
    except Exception as error:
        reason = pb.ItemError(reason=type(error).__name__, message=str(error))
        return pb.ItemOutcome(offset=offset, status=pb.ITEM_STATUS_RETRY, error=reason)


def _decide_the_rest(
    outcome: pb.AttemptOutcome, offsets: list[int], status: "pb.ItemStatus", reason: str, message: str
) -> None:
    tried = {item.offset for item in outcome.items}
    error = pb.ItemError(reason=reason, message=message)
    outcome.items.extend(
        pb.ItemOutcome(offset=offset, status=status, error=error) for offset in offsets if offset not in tried
    )


def _refused_outcome(attempt: Attempt, outcome: pb.AttemptOutcome, problem: str) -> pb.AttemptOutcome:
    """In place of one that Jobs does not take: it would not take it next time either."""
    refused = pb.AttemptOutcome(ref=attempt.ref, duration_ms=outcome.duration_ms)
    offsets = list(attempt.task.offsets or range(attempt.task.item_count))
    _decide_the_rest(refused, offsets, pb.ITEM_STATUS_FAILED, "OutcomeRefused", problem)
    return refused
