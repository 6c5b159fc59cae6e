"""Operations of standing: registrations, agreements, lists, docking, joint tests, gates."""

from __future__ import annotations

from typing import Final

from huitong.web.operations.model import OF_RESOURCE, OF_UNIT, PAGED, Operation, o
from huitong.web.schemas import CODE, UNIT, one_of, text

STATE: Final = text("only in this state", most=40, pattern="^[a-z_]+$")


def matters(
    one: str, many: str, path: str, zh: str, en: str, body: str, opening: str, rules: str
) -> tuple[Operation, ...]:
    """The four operations of a procedure: open, list, read, take a step."""
    base = f"/v1/{path}"
    return (
        o(f"{opening}_{one}", f"POST {base}", f"{zh}:提出", f"Open: {en}", "Matter", f"{rules}.open",
          body=body, status=201),
        o(f"list_{many}", f"GET {base}", f"{zh}列表", f"List: {en}", "Matters", f"{rules}.read",
          query={"unit": OF_UNIT, "state": STATE, **PAGED}),
        o(f"get_{one}", f"GET {base}/{{id}}", zh, f"One: {en}", "Matter", f"{rules}.read"),
        o(f"step_{one}", f"POST {base}/{{id}}/steps", f"{zh}:办理", f"Take a step: {en}", "Matter",
          f"{rules}.step", body="MatterStepBody"),
    )  # fmt: skip


STANDING: Final[tuple[Operation, ...]] = (
    o("get_registration", "GET /v1/units/{unit}/standing", "单位登记信息", "What is registered of a unit",
      "Registration", "standing.read"),
    o("put_registration", "PUT /v1/units/{unit}/standing", "登记单位信息与职责人员",
      "Register a unit's address and officers", "Registration", "registration.put", body="RegistrationBody"),
    o("move_registration", "POST /v1/units/{unit}/standing/state", "单位停用、恢复、注销",
      "Suspend a unit, close it, set it active", "Registration", "registration.move",
      body="RegistrationStateBody"),
    o("list_registration_changes", "GET /v1/units/{unit}/standing/changes", "单位登记变更记录",
      "Changes of a unit's registration", "RegistrationChanges", "standing.read"),
    *matters("agreement", "agreements", "agreements", "协议", "agreements", "AgreementBody", "draft",
             "standing"),
    *matters("share_list", "share_lists", "share-lists", "共享清单", "lists of resources to share",
             "ShareListBody", "propose", "standing"),
    *matters("docking", "dockings", "dockings", "对接记录", "docking records", "DockingBody", "propose",
             "standing"),
    *matters("joint_test", "joint_tests", "joint-tests", "联调测试", "joint tests", "JointTestBody", "record",
             "standing"),
    *matters("outside_exchange", "outside_exchanges", "outside-exchanges", "平台外共享",
             "sharing outside the platform", "OutsideBody", "file", "standing"),
    o("list_docking_log", "GET /v1/dockings/{id}/log", "沟通记录", "Communications", "DockingLog",
      "standing.read"),
    o("add_docking_log", "POST /v1/dockings/{id}/log", "登记沟通", "Add a communication", "DockingLogEntry",
      "standing.step", body="DockingLogBody", status=201),
    o("list_docking_work", "GET /v1/dockings/{id}/work", "对接工作项", "Work items of a docking",
      "DockingWork", "standing.read"),
    o("add_docking_work", "POST /v1/dockings/{id}/work", "新增工作项", "Add a work item", "DockingWorkItem",
      "standing.step", body="DockingWorkBody", status=201),
    o("move_docking_work", "PUT /v1/dockings/{id}/work", "更新工作项", "Set a work item's state",
      "DockingWorkItem", "standing.step", body="DockingWorkStateBody"),
    o("get_gate", "GET /v1/gates", "开通条件核对", "What lacks before something is enabled", "Gate",
      "standing.read",
      query={"unit": OF_UNIT, "resource": OF_RESOURCE,
             "interface": one_of("share", "sql", "read", "export", "request", "pull", "push", "snapshot",
                                 "comparison"),
             "version": text("of the interface", most=40)}),
    o("open_document", "POST /v1/documents", "上传文件", "An address to put one document to",
      "DocumentTicket", "standing.open", body="DocumentBody", status=201),
    o("get_document", "GET /v1/documents/{id}", "文件与摘要", "A document's digests, and where to read it",
      "Document", "standing.open"),
    o("list_interfaces", "GET /v1/interfaces", "接口登记簿", "The registry of interfaces (S-37)",
      "Interfaces", "interface.read",
      query={"unit": text(most=40, pattern=UNIT), "resource": text(most=64, pattern=CODE)}),
    o("switch_interface", "POST /v1/interfaces/{unit}/{code}/{name}", "关闭或重新开放接口",
      "Close a way out, or open it again: at once, on every grant of the unit, also those to come; what a "
      "higher level closed is opened there (S-37)", "Interfaces",
      "interface.switch", body="InterfaceSwitchBody"),
    o("get_controls", "GET /v1/sharings/{unit}/{code}/controls", "一项共享的事前事中事后控制",
      "Controls before, during and after one sharing (L-44)", "Controls", "standing.read"),
)  # fmt: skip
