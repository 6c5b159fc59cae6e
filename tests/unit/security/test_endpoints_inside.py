"""Every spelling of an address inside is refused, at creation and at sending."""

from __future__ import annotations

import pytest

from huitong.delivery.endpoints import EndpointRules, checked
from huitong.errors import BadRequest

RULES = EndpointRules()


@pytest.mark.parametrize(
    "host",
    ["192.0.0.192", "100.100.100.200", "169.254.170.2", "2130706433", "0x7f000001", "017700000001", "127.1", "0",
     "[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::a9fe:a9fe]", "[2002:a9fe:a9fe::]",
     "[fd00:ec2::254]", "[::169.254.169.254]", "[2001:0:a9fe:a9fe::1]", "[fe80::1%25eth0]", "[::]", "localhost.",
     "metadata.google.internal", "a@example.com"],
)  # fmt: skip
def test_an_address_inside_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises(BadRequest):
        checked(f"https://{host}/in", RULES)


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "::ffff:169.254.169.254", "192.0.0.192", "64:ff9b::a9fe:a9fe"]
)
def test_metadata_is_out_of_reach_even_on_the_local_stack(address: str) -> None:
    assert not EndpointRules(allow_local=True, networks=("0.0.0.0/0", "::/0")).permits(address)
