"""Cases and duties as a test says they are."""

from __future__ import annotations

from dataclasses import dataclass, field

from huitong.errors import NotPermitted
from huitong.identity.model import Principal
from huitong.sharing.decide import plain_case_no
from huitong.sharing.grounds import Binding, Grounds

#: A duty that every unit of these tests holds.
DUTY = "债权核查"


@dataclass(frozen=True)
class Bound:
    case_no: str
    subjects: frozenset[str] = frozenset()
    since: str = ""


@dataclass
class KnownGrounds:
    """``cases`` by number, ``members`` = units bound to a case (none named = all), ``duties`` held by all;
    what is not here is asked of ``registers``, when there are some."""

    cases: dict[str, Bound] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=dict)
    duties: set[str] = field(default_factory=lambda: {DUTY})
    registers: Grounds | None = None

    def case(self, case_no: str, principal: Principal, unit: str, grant: str) -> Binding:
        found = self.cases.get(plain_case_no(case_no))
        if found is None and self.registers is not None:
            return self.registers.case(case_no, principal, unit, grant)
        if found is None or unit not in self.members.get(found.case_no, {unit}):
            raise NotPermitted("不在该案件内", "The asker is not bound to this case", case_no=case_no)
        return found

    def duty(self, principal: Principal, unit: str, duty: str) -> bool:
        if duty in self.duties:
            return True
        return self.registers is not None and self.registers.duty(principal, unit, duty)
