"""Keys that the platform gave itself: which versions there are, and a new one (S-24)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from huitong.audit.trace import Trace, Traces
from huitong.errors import BadRequest, NotFound
from huitong.identity.platform_keys import PlatformKeys

#: What a key is for, and whether it has versions: under an index by which persons are found there is one key.
KEYS: Final = {
    "evidence": (True, "证据链的消息认证码", "Message codes of the chains of evidence"),
    "subjects": (False, "留痕中自然人的盲索引", "Blind indexes of persons in the evidence"),
    "blind": (False, "推送中的不可逆代号", "Pseudonyms that receivers are given"),
    "marks": (False, "导出文件的标识", "Marks in exported files"),
}


@dataclass(frozen=True, slots=True)
class KeyRotation:
    keys: PlatformKeys
    traces: Traces

    def list(self) -> list[dict[str, Any]]:
        """Names, versions and times; never a key."""
        return [
            {
                "name": name,
                "zh": zh,
                "en": en,
                "rotates": rotates,
                "versions": self.keys.history(name),
            }
            for name, (rotates, zh, en) in KEYS.items()
        ]

    def rotate(self, name: str, reason: str, *, by: str) -> dict[str, Any]:
        """A new version; what was made under others stays good. Raises NotFound, BadRequest, Conflict."""
        if name not in KEYS:
            raise NotFound(f"没有密钥 {name}", f"There is no key {name}", key=name)
        if not reason.strip():
            raise BadRequest("请给出理由", "Give a reason")
        rotates, zh, _ = KEYS[name]
        if not rotates:
            raise BadRequest(
                f"{zh}不能换钥:换钥后无法再按人查找。其密文由密钥服务保护,可更换主密钥",
                f"The key {name} has no versions: under another one nobody would be found any more. "
                "It lies sealed; rotate the master key instead (docs/operate/rotate-keys.md)",
                key=name,
            )
        made = self.keys.next_version(name)
        trace = Trace("configure", by, "", detail=f"key:{made.sk.removeprefix('KEY#')}:rotated")
        self.traces.commit(trace, creates=[made.with_body(reason=reason, by=by)])
        return next(one for one in self.list() if one["name"] == name)
