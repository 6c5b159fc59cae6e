"""Working on a batch under the id of its delivery (:mod:`huitong.correlation`). Light."""

from __future__ import annotations

from contextlib import AbstractContextManager

from huitong import correlation
from huitong.batches.model import Batch


def correlation_of(batch: Batch) -> str:
    """The delivery's id: always the same for a batch, whoever works on it."""
    return correlation.of_object(batch.landing_key, batch.landing_version)


def following(batch: Batch) -> AbstractContextManager[None]:
    """What is sent, told and logged inside belongs to the batch's delivery."""
    return correlation.following(correlation_of(batch))
