"""The items of a task, wherever they are."""

import csv
import io
import json
from typing import Any

from jobber.jobs.v1 import jobs_pb2 as pb
from jobs_client import JobsClient


# Around the objects that were cut out of an array.
WHITESPACE_AND_COMMAS = " \t\r\n,"


class DamagedInput(Exception):
    """The input is not what Jobs has accepted; reading it again would not help."""


def read_items(client: JobsClient, task: pb.LeasedTask, schema: dict[str, Any]) -> dict[int, Any]:
    """The items that are to be run, by their offset in the task."""
    try:
        items = _read_all(client, task, schema)
    except (ValueError, csv.Error) as error:
        raise DamagedInput(f"The input can't be read: {error}") from error
    if len(items) != task.item_count:
        raise DamagedInput(f"The task has {task.item_count} items, but its input has {len(items)}")
    return {offset: items[offset] for offset in task.offsets or range(task.item_count)}


def _read_all(client: JobsClient, task: pb.LeasedTask, schema: dict[str, Any]) -> list[Any]:
    if task.WhichOneof("input") != "upload":
        return json.loads(task.items_json)
    upload = task.upload
    text = client.read_upload(task.ref, upload.byte_from, upload.byte_to).decode()
    if upload.format == "json":
        return json.loads(f"[{text.strip(WHITESPACE_AND_COMMAS)}]")
    if upload.format == "ndjson":
        return [json.loads(line) for line in text.split("\n") if line.strip()]
    rows = csv.DictReader(io.StringIO(text, newline=""), fieldnames=list(upload.csv_header))
    return [_typed(row, schema) for row in rows]


def _typed(row: dict[str, str], schema: dict[str, Any]) -> dict[str, Any]:
    """CSV has text only. An empty field that is not required is left out."""
    item: dict[str, Any] = {}
    for field, text in row.items():
        kind = schema["properties"].get(field, {}).get("type")
        if text != "" or field in schema["required"]:
            item[field] = json.loads(text.lower()) if kind in ("integer", "number", "boolean") else text
    return item
