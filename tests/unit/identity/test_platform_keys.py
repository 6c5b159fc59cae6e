from __future__ import annotations

import pytest

from huitong.errors import Conflict
from huitong.identity.platform_keys import PlatformKeys
from huitong.local.messages import PlainSecrets
from huitong.local.register import MemoryRegister
from huitong.ports import Item


def test_a_key_is_made_once_and_is_the_same_for_every_function() -> None:
    register = MemoryRegister()
    first = PlatformKeys(register, PlainSecrets()).get("blind")
    assert len(first) > 40
    assert PlatformKeys(register, PlainSecrets()).get("blind") == first
    assert PlatformKeys(register, PlainSecrets()).get("other") != first


def test_the_function_that_comes_second_takes_the_key_of_the_first() -> None:
    class Raced(MemoryRegister):
        def create(self, item: Item) -> Item:
            super().create(Item(item.pk, item.sk, {"sealed": "platform:blind|of the first"}))
            raise Conflict("先有", "first")

    assert PlatformKeys(Raced(), PlainSecrets()).get("blind") == "of the first"


def test_the_register_never_holds_a_key_plain() -> None:
    class Counting(PlainSecrets):
        def seal(self, plain: str, context: str) -> str:
            return super().seal(plain[::-1], context)

        def unseal(self, sealed: str, context: str) -> str:
            return super().unseal(sealed, context)[::-1]

    register = MemoryRegister()
    key = PlatformKeys(register, Counting()).get("blind")
    item = register.get("PLATFORM", "KEY#blind")
    assert item is not None
    assert key not in str(item.body)


@pytest.mark.parametrize("name", ["blind", "链"])
def test_any_name_will_do(name: str) -> None:
    keys = PlatformKeys(MemoryRegister(), PlainSecrets())
    assert keys.get(name) == keys.get(name)
