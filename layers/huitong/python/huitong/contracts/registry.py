"""The register of contracts: every version of every resource's format and rules (Q-18, Q-20).

Entries: ``CONTRACT#{id}`` holds ``V#{n}`` (never changed once written) and ``LATEST`` (the same body as the
newest version); ``CONTRACTS/{id}`` lists them; ``CONTRACT-TABLE#{table}`` and ``CONTRACT-ALIAS#{name}`` lead
from a table or another name to the id. Reading needs neither YAML nor SQL libraries.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any, Final

from huitong.audit.trace import Trace, Traces, commit_with
from huitong.contracts.model import Contract
from huitong.errors import Conflict, InvalidContract, NotFound, Problem
from huitong.ports import Clock, Item, ObjectStore, Register, timestamp

_LATEST: Final = "LATEST"
_LISTED: Final = "CONTRACTS"
_MAX_BODY: Final = 350_000  # bytes; a register entry holds at most 400 KB
_CACHED: Final = 1_000


class Contracts:
    """``documents`` keeps the YAML texts as registered, under ``contracts/{id}/``."""

    def __init__(
        self, register: Register, documents: ObjectStore, clock: Clock, traces: Traces | None = None
    ) -> None:
        self._register = register
        self._traces = traces
        self._documents = documents
        self._clock = clock
        self._versions: dict[tuple[str, int], Contract] = {}
        self._begun: dict[str, str] = {}  # never changes once it is there

    def put(self, document: str, *, by: str, provider: str = "") -> Contract:
        """Register a document and return its contract: version 1, the next one, or the present one if the
        text is the same.

        ``provider`` is taken where neither the document nor the version before names one. Raises
        InvalidContract with every problem (of the text, or against the version before) and Conflict when
        the id or the table belongs to another, or when somebody else registered at the same moment.
        """
        from huitong.contracts import evolution, odcs

        parsed = odcs.read(document)
        contract, digest = parsed.contract, hashlib.sha256(document.encode()).hexdigest()
        latest = self._register.get(_pk(contract.id), _LATEST)
        before = _contract(latest) if latest else None
        contract = _owned(contract, before, provider)
        if latest is not None and before is not None and latest.body["sha256"] == digest:
            return before
        columns = latest.body["columns"] if latest else {}
        if before is not None:
            _refuse(contract.id, evolution.incompatible(before, contract, columns))
        contract, columns = evolution.numbered(contract, columns)
        version = before.version + 1 if before else 1
        key = f"contracts/{contract.id}/v{version}-{digest[:12]}.yaml"
        contract = contract.at_version(version, contract.fields, key)
        self._documents.put(key, document.encode(), content_type="application/yaml")
        body = {
            "contract": contract.as_record(),
            "columns": columns,
            "sha256": digest,
            "by": by,
            "at": timestamp(self._clock.now()),
        }
        _refuse(contract.id, _too_large(body))
        try:
            self._store(contract, body, latest, parsed.aliases)
        except Conflict:
            winner = self._register.get(_pk(contract.id), _LATEST)
            if winner is None or winner.body["sha256"] != digest:
                raise
            return _contract(winner)
        return contract

    def get(self, id: str, version: int = 0) -> Contract:
        """One version (0 = the latest), also by the name of its schema or table. Raises NotFound."""
        found = self.find(id, version)
        if found is None:
            which = f" v{version}" if version else ""
            raise NotFound(f"没有资源 {id}{which}", f"There is no resource {id}{which}", resource=id)
        return found

    def find(self, id: str, version: int = 0) -> Contract | None:
        """As :meth:`get`, or None."""
        found = self._of_id(id, version)
        if found is None and id:
            alias = self._register.get(_alias(id), "ALIAS")
            found = self._of_id(str(alias.body["id"]), version) if alias else None
        return found

    def all(self) -> list[Contract]:
        """The latest version of every resource, by id."""
        listed = self._register.query(_LISTED)
        found = (self._of_id(item.sk, int(item.body["version"])) for item in listed)
        return [contract for contract in found if contract is not None]

    def versions(self, id: str) -> list[Contract]:
        """Every version of one resource, oldest first; empty when there is none."""
        return [self._kept(_contract(item)) for item in self._register.query(_pk(id), prefix="V#")]

    def registered(self, id: str) -> str:
        """When its first version was registered (ports.timestamp); empty for an unknown resource."""
        if id not in self._begun and (first := self._register.get(_pk(id), _version(1))) is not None:
            self._begun[id] = str(first.body["at"])
        return self._begun.get(id, "")

    def document(self, contract: Contract) -> str:
        """The YAML text as it was registered. Raises NotFound."""
        return self._documents.read(contract.document).decode()

    def _of_id(self, id: str, version: int) -> Contract | None:
        if version and (known := self._versions.get((id, version))):
            return known
        item = self._register.get(_pk(id), _version(version) if version else _LATEST)
        if item is None:
            return None
        known = self._versions.get((id, int(item.body["contract"]["version"])))
        return known or self._kept(_contract(item))

    def _kept(self, contract: Contract) -> Contract:
        """Versions never change, so one object of each is enough."""
        if len(self._versions) >= _CACHED:
            self._versions.clear()
        return self._versions.setdefault((contract.id, contract.version), contract)

    def _store(
        self, contract: Contract, body: dict[str, Any], latest: Item | None, aliases: tuple[str, ...]
    ) -> None:
        pk = _pk(contract.id)
        creates = [Item(pk, _version(contract.version), body)]
        replaces = []
        listed = {"version": contract.version, "title": contract.title, "provider": contract.provider}
        entry = self._register.get(_LISTED, contract.id)
        if latest is None:
            creates += [Item(pk, _LATEST, body), Item(_table(contract.table), "TABLE", {"id": contract.id})]
            self._refuse_taken_table(contract)
        else:
            replaces.append(replace(latest, body=body))
        if entry is None:
            creates.append(Item(_LISTED, contract.id, listed))
        else:
            replaces.append(replace(entry, body=listed))
        creates += [
            Item(_alias(name), "ALIAS", {"id": contract.id})
            for name in aliases
            if self._register.get(_alias(name), "ALIAS") is None  # who was first keeps a name
        ]
        told = Trace(
            "configure",
            str(body["by"]),
            contract.provider,
            contract.id,
            detail=f"contract:v{contract.version}",
        )
        commit_with(self._traces, told, self._register, creates=creates, replaces=replaces)

    def _refuse_taken_table(self, contract: Contract) -> None:
        holder = self._register.get(_table(contract.table), "TABLE")
        if holder is not None and holder.body["id"] != contract.id:
            raise Conflict(
                f"表名 {contract.table} 已被资源 {holder.body['id']} 使用",
                f"The table name {contract.table} belongs to the resource {holder.body['id']}",
                table=contract.table,
            )


def _owned(contract: Contract, before: Contract | None, provider: str) -> Contract:
    """With its provider: the document's, else the one before, else the registering unit."""
    owner = before.provider if before else ""
    named = contract.provider or (provider if not owner else "") or owner
    claimed = contract.provider or provider
    if owner and claimed and claimed != owner:
        raise Conflict(
            f"资源 {contract.id} 属于 {owner},不能由 {claimed} 登记",
            f"The resource {contract.id} belongs to {owner}; {claimed} cannot register it",
            resource=contract.id,
        )
    return replace(contract, provider=named)


def _refuse(id: str, problems: list[Problem]) -> None:
    if problems:
        raise InvalidContract(
            f"资源 {id} 的新版本有 {len(problems)} 处问题",
            f"The new version of {id} has {len(problems)} problem(s)",
            problems=problems,
        )


def _too_large(body: dict[str, Any]) -> list[Problem]:
    size = len(json.dumps(body, ensure_ascii=False).encode())
    if size <= _MAX_BODY:
        return []
    zh = f"合同内容 {size} 字节,上限 {_MAX_BODY};请减少代码或说明"
    en = f"the contract's content has {size} bytes, the limit is {_MAX_BODY}: fewer codes or rules"
    return [Problem("contract.too-large", zh, en)]


def _contract(item: Item) -> Contract:
    return Contract.from_record(item.body["contract"])


def _pk(id: str) -> str:
    return f"CONTRACT#{id}"


def _version(version: int) -> str:
    return f"V#{version:06}"


def _table(table: str) -> str:
    return f"CONTRACT-TABLE#{table}"


def _alias(name: str) -> str:
    return f"CONTRACT-ALIAS#{name.casefold()}"
