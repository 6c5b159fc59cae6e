"""Accounts and credentials that nobody uses are disabled, and the administrator is told (S-06)."""

from __future__ import annotations

from dataclasses import dataclass

from huitong.identity.accounts import Accounts
from huitong.identity.credentials import Credentials
from huitong.identity.model import OPERATOR
from huitong.notices.notices import Notice, Notices


@dataclass(frozen=True, slots=True)
class Unused:
    accounts: Accounts
    credentials: Credentials
    notices: Notices
    days: int = 90

    def run(self) -> int:
        """How many were disabled. Repeating it disables nothing twice."""
        accounts = self.accounts.disable_unused(self.days)
        credentials = self.credentials.disable_unused(self.days)
        if accounts or credentials:
            ids = "、".join([*accounts, *credentials][:50])
            self.notices.send(
                Notice(
                    to=OPERATOR,
                    kind="accounts.unused",
                    about="accounts",
                    zh=f"{self.days} 天未使用,已停用:账户 {len(accounts)}、凭证 {len(credentials)}:{ids}",
                    en=f"Unused for {self.days} days and disabled: {len(accounts)} accounts, "
                    f"{len(credentials)} credentials",
                )
            )
        return len(accounts) + len(credentials)
