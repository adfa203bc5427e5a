"""What the worker needs to know, from the environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from jobs_client import Tls


class ConfigError(Exception):
    """Somebody has to change a setting."""


@dataclass(frozen=True)
class Broker:
    service_url: str
    tenant: str
    namespace: str
    topic_prefix: str
    token: str | None
    # A PEM file with the authorities that are trusted in place of the system's.
    ca_file: str | None

    def topic(self, slug: str) -> str:
        return f"persistent://{self.tenant}/{self.namespace}/{self.topic_prefix}{slug}-jobs"


@dataclass(frozen=True)
class Config:
    jobs_grpc_url: str
    service_secret: str
    # Tasks that run at the same time.
    slots: int
    # A pause before each item, to have time to watch, cancel and kill.
    pause_seconds: float
    tls: Tls | None
    # None: Jobs itself sends the tasks.
    broker: Broker | None


def load_config(environment: Mapping[str, str] = os.environ) -> Config:
    """Raises ConfigError with all problems; no secret is part of it."""
    problems: list[str] = []
    secret = environment.get("SERVICE_SECRET", "")
    if len(secret) < 32:
        problems.append("SERVICE_SECRET must be that of the platform, of at least 32 characters")
    config = Config(
        jobs_grpc_url=environment.get("JOBS_GRPC_URL") or "localhost:5002",
        service_secret=secret,
        slots=_whole(environment, "WORKER_SLOTS", 4, 1, 1_000, problems),
        pause_seconds=_whole(environment, "WORKER_PAUSE_MS", 0, 0, 86_400_000, problems) / 1_000,
        tls=_tls(environment, problems),
        broker=_broker(environment, problems),
    )
    if problems:
        raise ConfigError("\n".join(problems))
    return config


def _whole(
    environment: Mapping[str, str], name: str, default: int, least: int, most: int, problems: list[str]
) -> int:
    text = environment.get(name) or str(default)
    if re.fullmatch(r"\d{1,9}", text) and least <= int(text) <= most:
        return int(text)
    problems.append(f"{name} must be a whole number from {least} to {most}")
    return default


def _broker(environment: Mapping[str, str], problems: list[str]) -> Broker | None:
    service_url = environment.get("PULSAR_SERVICE_URL")
    if not service_url:
        return None
    if not re.fullmatch(r"pulsar(\+ssl)?://[^@\s]+", service_url):
        problems.append(
            "PULSAR_SERVICE_URL must begin with pulsar:// or pulsar+ssl:// and name no user: "
            "the Python client speaks the binary protocol only"
        )
    return Broker(
        service_url=service_url,
        tenant=environment.get("PULSAR_TENANT") or "public",
        namespace=environment.get("PULSAR_NAMESPACE") or "default",
        topic_prefix=environment.get("PULSAR_TOPIC_PREFIX") or "",
        token=environment.get("PULSAR_TOKEN") or None,
        ca_file=environment.get("PULSAR_TLS_CA_FILE") or None,
    )


def _tls(environment: Mapping[str, str], problems: list[str]) -> Tls | None:
    names = ("GRPC_TLS_CA_FILE", "GRPC_TLS_CERT_FILE", "GRPC_TLS_KEY_FILE")
    paths = [environment.get(name) for name in names]
    if not any(paths):
        return None
    texts: list[bytes] = []
    for name, path in zip(names, paths):
        try:
            with open(path or "", "rb") as file:
                texts.append(file.read())
        except OSError as error:
            problems.append(f"{name} must name a readable file: {error.strerror}")
    return Tls(*texts) if len(texts) == len(names) else None
