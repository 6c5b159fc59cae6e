"""Who is asking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

#: The unit that runs the platform: 深圳市破产事务管理署 (domain.md 5.1; a synthetic code with valid checks).
OPERATOR: Final = "1144030000AA01123N"
#: The municipal data department: 深圳市政务服务和数据管理局 (a synthetic code, likewise).
DATA_DEPARTMENT: Final = "1144030000AA01131H"

Role = Literal[
    "admin",  # 系统管理员 system administrator
    "security",  # 安全管理员 security administrator
    "auditor",  # 审计员
    "officer",  # 平台管理岗 desk of the operator
    "editor",  # 目录编制员 catalogue editor
    "reviewer",  # 目录审核员 catalogue reviewer
    "resource_admin",  # 单位资源管理员 resource administrator of a unit
    "applicant",  # 申请人
    "approver",  # 审批人 approver of a unit
    "case_officer",  # 办案人员
    "engineer",  # 数据工程师
    "quality",  # 质量管理员
    "analyst",  # 分析人员
    "source",  # 数源系统 system of a source unit
    "consumer",  # 用数系统 system of a receiving unit
]


@dataclass(frozen=True, slots=True)
class Principal:
    """A person or system that proved who it is.

    ``id`` is the account of a person or the credential of a system. ``unit`` is
    the unified social credit code of its unit; ``acts_for`` lists further units
    it may act for ("*" = any).
    """

    id: str
    unit: str
    roles: frozenset[Role]  # those in force now
    acts_for: tuple[str, ...] = ()
    person: str = ""  # account id of the person who signed in, or who answers for the credential
    session: str = ""  # id of the session, when one was opened

    @property
    def who(self) -> str:
        """How histories name the asker: the person where one is known, so that nobody is two."""
        return self.person or self.id

    def may_act_for(self, unit: str) -> bool:
        return unit == self.unit or "*" in self.acts_for or unit in self.acts_for

    def has(self, *roles: Role) -> bool:
        return bool(self.roles.intersection(roles))
