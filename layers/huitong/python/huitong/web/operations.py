"""Every operation of the API in one table: routes, checks, OpenAPI and the template's events follow it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from huitong.web.schemas import CODE, ID, NAME, STATUSES, UNIT, Schema, number, one_of, text

Method = Literal["GET", "POST", "PUT", "DELETE"]
AppName = Literal["api", "query_data"]
ARROW: Final = "application/vnd.apache.arrow.stream"

PATHS: Final[Mapping[str, Schema]] = {
    "code": text("contract id, table name or schema name", most=64, pattern=CODE),
    "id": text(most=128, pattern=ID),
    "unit": text("统一社会信用代码", most=40, pattern=UNIT),
    "name": text(most=64, pattern=NAME),
    "version": text(most=6, pattern=r"^[1-9][0-9]*$"),
}

_LIMIT: Final = number("most items of the answer", low=1, high=1_000)
_AFTER: Final = text("token `next` of the answer before", most=512)
_RESOURCE: Final = text("only of this resource", most=64, pattern=CODE)
_UNIT: Final = text("only of this unit", most=40, pattern=UNIT)
_FROM: Final = text("from this day or moment on", most=30, pattern=r"^\d{4}-\d\d-\d\d")
_TO: Final = text("to this day or moment, included", most=30, pattern=r"^\d{4}-\d\d-\d\d")
_PAGED: Final = {"after": _AFTER, "limit": _LIMIT}
_PAGED_DATA: Final = {"after": _AFTER, "limit": number("most items of the answer", low=1, high=10_000)}
_FORMAT: Final = one_of("json", "csv", "arrow")


@dataclass(frozen=True, slots=True)
class Operation:
    """``rule`` names the row of :data:`huitong.identity.authorize.RULES` that decides."""

    id: str
    method: Method
    path: str
    zh: str
    en: str
    answer: str
    rule: str = ""
    body: str = ""
    query: Mapping[str, Schema] | None = None
    app: AppName = "api"
    status: int = 200
    public: bool = False
    most_body: int = 262_144
    media: tuple[str, ...] = ("application/json",)
    idempotent_by: str = ""  # a header


def _o(id: str, route: str, zh: str, en: str, answer: str, rule: str = "", **more: object) -> Operation:
    method, _, path = route.partition(" ")
    return Operation(id, method, path, zh, en, answer, rule, **more)  # type: ignore[arg-type]


OPERATIONS: Final[tuple[Operation, ...]] = (
    _o("get_health", "GET /v1/health", "是否可用", "Whether the API answers", "Health", public=True),
    _o("get_openapi", "GET /v1/openapi.json", "接口说明", "This description", "OpenApi", public=True),
    _o("get_me", "GET /v1/me", "我是谁", "Who is asking", "Me", "data.read"),
    # contracts
    _o("put_contract", "POST /v1/contracts", "登记数据模型", "Register a contract, or its next version",
       "Contract", "contract.put", body="ContractBody", status=201, most_body=2_000_000),
    _o("list_contracts", "GET /v1/contracts", "数据模型列表", "Contracts", "Contracts", "contract.read"),
    _o("get_contract", "GET /v1/contracts/{code}", "数据模型最新版本", "The latest version of a contract",
       "Contract", "contract.read"),
    _o("get_contract_version", "GET /v1/contracts/{code}/versions/{version}", "数据模型某一版本",
       "One version of a contract", "Contract", "contract.read"),
    # resources
    _o("list_resources", "GET /v1/resources", "可用资源",
       "Resources that the asker may use, with their columns", "Resources", "data.read"),
    _o("get_resource", "GET /v1/resources/{code}", "一个资源",
       "One resource and its last publication", "Resource", "data.read"),
    # delivering
    _o("open_upload", "POST /v1/uploads", "申请上传文件", "An address to put one file to", "UploadTicket",
       "upload", body="UploadBody", status=201),
    _o("get_upload", "GET /v1/uploads/{id}", "上传的结果", "What became of an upload", "Upload",
       "upload.read"),
    _o("put_records", "POST /v1/resources/{code}/records", "以接口报送记录", "Deliver rows", "RecordsTaken",
       "upload", body="RecordsBody", status=202, most_body=6_000_000, idempotent_by="Idempotency-Key"),
    _o("list_profiles", "GET /v1/profiles", "导入方案列表", "Import profiles", "Profiles", "profile.read",
       query={"unit": _UNIT, "resource": _RESOURCE}),
    _o("put_profile", "PUT /v1/profiles/{unit}/{code}/{name}", "保存导入方案", "Save an import profile",
       "Profile", "profile.put", body="ProfileBody"),
    _o("get_profile", "GET /v1/profiles/{unit}/{code}/{name}", "导入方案", "An import profile", "Profile",
       "profile.read"),
    # batches
    _o("list_batches", "GET /v1/batches", "批次列表", "Batches, newest first", "Batches", "batch.read",
       query={"resource": _RESOURCE, "unit": _UNIT, "from": _FROM, "to": _TO, "status": one_of(*STATUSES),
       **_PAGED}),
    _o("get_batch", "GET /v1/batches/{id}", "一个批次", "One batch", "Batch", "batch.read"),
    _o("release_batch", "POST /v1/batches/{id}/release", "放行", "Release a held batch", "Batch",
       "batch.decide"),
    _o("reject_batch", "POST /v1/batches/{id}/reject", "驳回", "Reject a held batch", "Batch", "batch.decide",
       body="ReasonBody"),
    _o("replay_batch", "POST /v1/batches/{id}/replay", "重放", "Set a failed batch moving again", "Batch",
       "batch.replay", status=202),
    # units, credentials, grants
    _o("put_unit", "POST /v1/units", "登记单位", "Register a unit", "Unit", "unit.put", body="UnitBody",
       status=201),
    _o("list_units", "GET /v1/units", "单位列表", "Units", "Units", "unit.read"),
    _o("get_unit", "GET /v1/units/{unit}", "一个单位", "One unit", "Unit", "unit.read"),
    _o("issue_credential", "POST /v1/credentials", "发放凭证", "Issue a credential", "IssuedCredential",
       "credential.issue", body="CredentialBody", status=201),
    _o("list_credentials", "GET /v1/credentials", "凭证列表", "Credentials", "Credentials", "credential.read",
       query={"unit": _UNIT}),
    _o("disable_credential", "DELETE /v1/credentials/{id}", "停用凭证", "End a credential at once",
       "Credential", "credential.disable"),
    _o("list_grants", "GET /v1/grants", "授权列表", "Grants", "Grants", "grant.read",
       query={"unit": _UNIT, "resource": _RESOURCE}),
    _o("put_grant", "PUT /v1/grants/{unit}/{code}", "授权", "Grant a unit the use of a resource", "Grant",
       "grant.put", body="GrantBody"),
    _o("get_grant", "GET /v1/grants/{unit}/{code}", "一项授权", "One grant", "Grant", "grant.read"),
    _o("revoke_grant", "DELETE /v1/grants/{unit}/{code}", "收回授权", "End a grant at once", "Grant",
       "grant.put"),
    # subscriptions
    _o("subscribe", "POST /v1/subscriptions", "订阅", "Subscribe to the changes of a resource",
       "NewSubscription", "subscription.put", body="SubscriptionBody", status=201),
    _o("list_subscriptions", "GET /v1/subscriptions", "订阅列表", "Subscriptions", "Subscriptions",
       "subscription.read", query={"unit": _UNIT, "resource": _RESOURCE}),
    _o("get_subscription", "GET /v1/subscriptions/{id}", "一项订阅", "One subscription", "Subscription",
       "subscription.read"),
    _o("cancel_subscription", "DELETE /v1/subscriptions/{id}", "退订", "End a subscription", "Subscription",
       "subscription.put"),
    _o("pause_subscription", "POST /v1/subscriptions/{id}/pause", "暂停推送", "Pause pushes", "Subscription",
       "subscription.put"),
    _o("resume_subscription", "POST /v1/subscriptions/{id}/resume", "恢复推送", "Resume pushes",
       "Subscription", "subscription.put"),
    _o("replay_subscription", "POST /v1/subscriptions/{id}/replay", "重推失败",
       "Send failed deliveries again", "Subscription", "subscription.put", status=202),
    _o("list_deliveries", "GET /v1/subscriptions/{id}/deliveries", "推送记录", "Deliveries of a subscription",
       "Deliveries", "subscription.read", query=_PAGED),
    # accounts
    _o("get_ledger", "GET /v1/ledger", "对账", "The ledger, and whether it balances", "Ledger", "ledger.read",
       query={"batch": text(most=128, pattern=ID), "resource": _RESOURCE, "unit": _UNIT, "from": _FROM,
       "to": _TO}),
    _o("list_traces", "GET /v1/traces", "使用留痕", "Records of use", "Traces", "trace.read",
       query={"resource": _RESOURCE, "unit": _UNIT, "from": _FROM, "to": _TO, **_PAGED}),
    # data
    _o("run_query", "POST /v1/queries", "查询", "Run one SELECT", "Query", "data.read", body="QueryBody",
       app="query_data", media=("application/json", "text/csv", ARROW)),
    _o("get_query", "GET /v1/queries/{id}", "查询结果的下一页", "A page of a query's result", "Query",
       "data.read",
       app="query_data", query={"after": _AFTER, "limit": number(low=1, high=10_000), "format": _FORMAT,
       "safe": one_of("true", "false")},
       media=("application/json", "text/csv", ARROW)),
    _o("get_changes", "GET /v1/resources/{code}/changes", "变更", "Changes as CloudEvents, by cursor",
       "Changes", "data.read", app="query_data", query=_PAGED_DATA),
    _o("get_snapshot", "GET /v1/resources/{code}/snapshot", "当前数据",
       "Current rows, and the cursor to continue from", "Snapshot", "data.read",
       app="query_data", query=_PAGED_DATA),
    _o("get_findings", "GET /v1/batches/{id}/findings", "质量问题清单", "Findings of a batch", "Findings",
       "batch.read", app="query_data", query=_PAGED),
)  # fmt: skip

BY_ID: Final[Mapping[str, Operation]] = {operation.id: operation for operation in OPERATIONS}
