"""A worker for the job type `word-count`: it follows ../../docs/protocol.md. Ends on SIGTERM or SIGINT, with exit code 0."""

import logging
import os
import secrets
import signal
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import grpc
from attempts import Attempts
from config import Config, ConfigError, load_config
from direct_intake import DirectIntake
from jobs_client import JobsClient, describe
from word_count import OFFER

log = logging.getLogger("worker")

SIGNALS = (signal.SIGTERM, signal.SIGINT)
# A type that nobody has offered for three minutes is shown as unavailable.
PRESENCE_SECONDS = 60
# EX_CONFIG: starting it again would not help.
EXIT_CONFIG = 78


class Intake(Protocol):
    """Where tasks come from; after that everything is the same."""

    def run(self) -> None: ...
    def stop(self) -> None: ...
    def close(self) -> None: ...


def main() -> int:
    # Before any thread begins: they inherit it, and the signals come to us alone.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        return work(load_config())
    except ConfigError as error:
        print(error, file=sys.stderr)
        return EXIT_CONFIG


def work(config: Config) -> int:
    client = JobsClient(config.jobs_grpc_url, config.service_secret, make_executor_id(), config.tls)
    attempts = Attempts(client, config.pause_seconds)
    pool = ThreadPoolExecutor(max_workers=config.slots, thread_name_prefix="task")
    intake = open_intake(config, client, attempts, pool)
    fatal: list[grpc.RpcError] = []
    stopped = threading.Event()

    def take_tasks() -> None:
        try:
            intake.run()
        except grpc.RpcError as error:
            fatal.append(error)
        except Exception:
            log.exception("the intake has failed")
            os._exit(1)
        if fatal and not stopped.is_set():
            os.kill(os.getpid(), signal.SIGTERM)

    attempts.start()
    threading.Thread(target=take_tasks, name="intake", daemon=True).start()
    threading.Thread(target=keep_offering, args=[client, stopped], name="presence", daemon=True).start()

    signal.sigwait(SIGNALS)
    # A second one ends the process at once.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    log.info("stopping")
    stopped.set()
    attempts.stop()
    intake.stop()
    pool.shutdown()
    attempts.close()
    intake.close()
    client.close()
    if fatal:
        print(f"Jobs refuses this worker: {describe(fatal[0])}", file=sys.stderr)
        return EXIT_CONFIG
    log.info("stopped")
    return 0


def make_executor_id() -> str:
    host = "".join(char if char.isascii() and char.isalnum() else "-" for char in socket.gethostname())
    return f"python-{host[:100]}-{os.getpid()}-{secrets.token_hex(4)}"


def open_intake(config: Config, client: JobsClient, attempts: Attempts, pool: ThreadPoolExecutor) -> Intake:
    if config.broker is None:
        return DirectIntake(client, attempts, pool, config.slots)
    try:
        from pulsar_intake import PulsarIntake
    except ImportError as error:
        raise ConfigError(
            f"PULSAR_SERVICE_URL needs the package pulsar-client: pip install -r requirements-pulsar.txt ({error})"
        ) from error
    return PulsarIntake(client, attempts, pool, config.slots, config.broker)


def keep_offering(client: JobsClient, stopped: threading.Event) -> None:
    while not stopped.wait(PRESENCE_SECONDS):
        try:
            client.register(OFFER)
        except grpc.RpcError as error:
            log.warning("offering the job type failed: %s", describe(error))


if __name__ == "__main__":
    sys.exit(main())
