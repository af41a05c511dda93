"""The names that a run has on a NATS server, in one place: stream, subjects, bucket, keys."""

from __future__ import annotations

from typing import Annotated

import msgspec

Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
"""Of a run, a robot, a boot: one token of a NATS subject, so it has no dots."""

WEIGHTS = "weights"
"""Key of the newest weights, or of the name of the object that holds them."""
SCHEMA = "schema"
"""Key of the schema that the learner expects; ``schema.ROBOT`` is that of a robot."""
PROGRESS = "progress"
"""Key of the learner's figures."""


def stream_name(run: str) -> str:
    """Return the name of the stream of samples."""
    return f"samples-{run}"


def sample_subject(run: str, robot: str) -> str:
    """Return the subject on which one robot publishes; ``"*"`` stands for all of them."""
    return f"samples.{run}.{robot}"


def robot_of(subject: str) -> str:
    """Return whose subject it is."""
    return subject.rpartition(".")[2]


def bucket_name(run: str) -> str:
    """Return the name of the key-value bucket."""
    return f"run-{run}"


def bucket_stream(run: str) -> str:
    """Return the name of the stream behind the bucket (NATS ADR-8)."""
    return f"KV_{bucket_name(run)}"


def key_subject(run: str, key: str) -> str:
    """Return the subject behind a key of the bucket (NATS ADR-8)."""
    return f"$KV.{bucket_name(run)}.{key}"


def direct_get_subject(stream: str, subject: str = "") -> str:
    """Return where the last message of ``subject`` is asked for, or any message of the stream (NATS ADR-31)."""
    return f"$JS.API.DIRECT.GET.{stream}.{subject}" if subject else f"$JS.API.DIRECT.GET.{stream}"


def object_bucket_name(run: str) -> str:
    """Return the name of the object store for weights that are too large for one message."""
    return f"weights-{run}"


def inbox_prefix(identity: str) -> str:
    """Return the prefix of the subjects on which one identity gets its replies; nobody else may subscribe to them."""
    return f"_INBOX_{identity}"
