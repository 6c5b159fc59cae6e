"""Operations of those who operate a deployment: status, dead letters, keys."""

from __future__ import annotations

from typing import Final

from huitong.web.operations.model import LIMIT, Operation, o

OPERATING: Final[tuple[Operation, ...]] = (
    o("get_status", "GET /v1/status", "运行状态", "The state of each part of the platform", "Status",
      "status.read"),
    o("list_dead_letters", "GET /v1/dead-letters", "死信队列", "Dead-letter queues and how much lies in each",
      "DeadLetterBoxes", "dead_letter.read"),
    o("get_dead_letters", "GET /v1/dead-letters/{name}", "一个死信队列的消息",
      "Messages that were given up: ids only", "DeadLetters", "dead_letter.read", query={"limit": LIMIT}),
    o("settle_dead_letters", "POST /v1/dead-letters/{name}/settle", "重放或清除死信",
      "Send messages again that were given up, or drop them", "SettledLetters", "dead_letter.settle",
      body="SettleLettersBody"),
    o("list_platform_keys", "GET /v1/platform-keys", "平台密钥", "Keys of the platform and their versions",
      "PlatformKeys", "key.read"),
    o("rotate_platform_key", "POST /v1/platform-keys/{name}/rotate", "更换平台密钥",
      "A new version of a key; what was made under former ones stays good", "PlatformKey", "key.rotate",
      body="ReasonBody"),
    o("rotate_subscription_secret", "POST /v1/subscriptions/{id}/secret", "更换订阅密钥",
      "A new signing secret; for a day messages are signed with the former one, too", "RotatedSecret",
      "subscription.put", body="SecretBody"),
)  # fmt: skip
