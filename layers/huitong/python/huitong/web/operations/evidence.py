"""Operations of evidence: search, recipients, verification, export, heads, suspensions."""

from __future__ import annotations

from typing import Final

from huitong.web.operations.model import AFTER, FROM, OF_RESOURCE, OF_UNIT, PAGED, TO, Operation, o
from huitong.web.schemas import number, one_of, text

_PATHS: Final = one_of("sql", "read", "pull", "push", "snapshot", "export", "comparison", "request")

EVIDENCE: Final[tuple[Operation, ...]] = (
    o("search_evidence", "GET /v1/evidence", "查询留痕", "Search the evidence", "EvidenceRecords",
       "evidence.read", app="query_data",
       query={"unit": OF_UNIT, "resource": OF_RESOURCE, "actor": text(most=128), "act": text(most=20),
       "path": _PATHS, "grant": text(most=200), "case_no": text(most=120), "batch": text(most=128),
       "from": FROM, "to": TO, **PAGED}),
    o("find_recipients", "POST /v1/evidence/recipients", "谁收到过此人或此记录",
       "Who received the data of a person or a record", "Receipts", "evidence.recipients",
       body="RecipientsBody", app="query_data"),
    o("verify_evidence", "GET /v1/evidence/verification", "核验留痕链",
       "Verify a chain of evidence, page by page", "ChainVerification", "evidence.verify", app="query_data",
       query={"shard": number("0 to 15", high=15), "after": AFTER, "limit": number(low=1, high=5_000)}),
    o("export_evidence", "GET /v1/evidence/entries", "导出留痕链",
       "Entries of a chain as they are stored, for verification elsewhere", "EvidenceEntries",
       "evidence.verify", app="query_data",
       query={"shard": number("0 to 15", high=15), "after": AFTER, "limit": number(low=1, high=2_000)}),
    o("list_heads", "GET /v1/evidence/heads", "签名链头", "Signed heads, in order", "EvidenceHeads",
       "evidence.verify", app="query_data", query={"from": FROM, **PAGED}),
    o("list_suspensions", "GET /v1/suspensions", "暂停名单", "Whose use of data was suspended",
       "Suspensions", "suspension.read"),
    o("suspend_use", "POST /v1/suspensions", "暂停数据使用", "Suspend somebody's use of data", "Suspension",
       "suspension.put", body="SuspendBody", status=201),
    o("lift_suspension", "POST /v1/suspensions/{id}/lift", "恢复数据使用", "Let somebody use data again",
       "Suspension", "suspension.put", body="ReasonBody"),
)  # fmt: skip
