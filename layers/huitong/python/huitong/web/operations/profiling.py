"""Operations of profiling and cleansing (C-12, Q-17)."""

from __future__ import annotations

from typing import Final

from huitong.web.operations.model import PAGED, Operation, o
from huitong.web.schemas import text

_AS_OF: Final = text("number of a publication, or the id of its batch; empty = the last", most=128)

PROFILING: Final[tuple[Operation, ...]] = (
    o("get_cleansed", "GET /v1/batches/{id}/cleansed", "清洗记录", "What cleansing changed in a batch",
      "CleansedValues", "batch.read", app="query_data", query=PAGED),
    o("process_again", "POST /v1/batches/{id}/again", "按现行契约重新处理",
      "Take a delivery in again by the present contract: undoes or redoes its cleansing", "Batch",
      "batch.replay", status=202),
    o("get_batch_profile", "GET /v1/batches/{id}/profile", "批次数据剖析", "What a delivery looks like",
      "DataProfile", "batch.read", app="query_data"),
    o("get_resource_profile", "GET /v1/resources/{code}/profile", "资源数据剖析",
      "What a published table looks like", "DataProfile", "data.read", app="query_data",
      query={"as_of": _AS_OF}),
)  # fmt: skip
