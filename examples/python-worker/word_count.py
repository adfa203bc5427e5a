"""The job type: what Jobs is told of it, and what is done with one item."""

import json
import re
from typing import Any

from jobber.jobs.v1 import jobs_pb2 as pb

INPUT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "maxLength": 100_000, "description": "The text whose words are counted"},
        "minLength": {
            "type": "integer",
            "minimum": 1,
            "maximum": 1_000,
            "description": "Shorter words are not counted",
        },
    },
    "required": ["text"],
    "additionalProperties": False,
}

OFFER = pb.JobTypeOffer(
    name="WordCount",
    slug="word-count",
    version=1,
    description="Counts the words of a text.",
    input_schema_json=json.dumps(INPUT_SCHEMA),
    default_item_json=json.dumps({"text": "the row is the truth; the message is a hint"}),
    items_per_task=10,
    retry=pb.RetryPolicy(max_attempts=3, backoff_ms=1_000, max_backoff_ms=60_000),
    limits=pb.TypeLimits(timeout_ms=60_000, max_items=100_000),
)


def count_words(item: dict[str, Any]) -> dict[str, int]:
    """Has no effects; with any, they would have to be idempotent by (job id, index of the item)."""
    words = [word.lower() for word in re.findall(r"\w+", item["text"]) if len(word) >= item.get("minLength", 1)]
    return {"words": len(words), "distinct": len(set(words))}
