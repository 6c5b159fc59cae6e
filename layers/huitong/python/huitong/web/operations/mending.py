"""Operations of returned files and of quarantine."""

from __future__ import annotations

from typing import Final

from huitong.web.operations.model import OF_RESOURCE, OF_UNIT, PAGED, Operation, o
from huitong.web.schemas import one_of

_ALL: Final = {"all": one_of("true", "false", about="all rows, not only the bad ones")}

MENDING: Final[tuple[Operation, ...]] = (
    o("make_returned_file", "POST /v1/batches/{id}/returned", "生成退回文件:逐行注明问题",
      "Have the sender's own file made, with what is wrong beside each row", "ReturnedAsked",
      "batch.returned", body="ReturnedBody", status=202),
    o("get_returned_file", "GET /v1/batches/{id}/returned", "取得退回文件",
      "That file, once it is made (404 until then)", "Returned", "batch.returned", query=_ALL,
      app="query_data"),
    o("list_quarantine", "GET /v1/quarantine", "隔离区", "What is in quarantine, by rule, unit, age or batch",
      "Quarantine", "batch.read", query={"group": one_of("rule", "unit", "age", "batch"),
      "resource": OF_RESOURCE, "unit": OF_UNIT, **PAGED}),
    o("get_batch_quarantine", "GET /v1/batches/{id}/quarantine", "一个批次的隔离行",
      "What quarantine holds of a batch", "Holding", "batch.read"),
    o("preview_quarantine_replay", "GET /v1/batches/{id}/quarantine/preview", "预览重新校验隔离行",
      "How many rows in quarantine would pass by now", "ReplayPreview", "batch.read", app="query_data"),
    o("replay_quarantine", "POST /v1/batches/{id}/quarantine/replay", "重新校验隔离行",
      "Bring rows in quarantine again, under the rules as they are now", "Batch", "quarantine.replay",
      status=202),
)  # fmt: skip
