"""Endpoints never lead inside, and never in clear."""

from __future__ import annotations

import pytest

from huitong.delivery.endpoints import EndpointRules, checked
from huitong.errors import BadRequest

PUBLIC = EndpointRules()
LOCAL = EndpointRules(allow_local=True)

REFUSED = [
    "http://receiver.example.cn/in",
    "ftp://receiver.example.cn/",
    "receiver.example.cn/in",
    "https://",
    "https:///in",
    "https://user@receiver.example.cn/",
    "https://user:pass@receiver.example.cn/",
    "https://@receiver.example.cn/",
    "https://receiver.example.cn/#part",
    "https://receiver.example.cn:0/",
    "https://receiver.example.cn:99999/",
    "https://receiver.example.cn\\@169.254.169.254/",
    "https://receiver.example.cn/in put",
    "https://receiver.example.cn/\r\nx: y",
    "https://接收.example.cn/",
    "https://-bad.example.cn/",
    "https://under_score.example.cn/",
    "https://localhost/",
    "https://localhost./",
    "https://LOCALHOST/",
    "https://db/",
    "https://metadata.google.internal/",
    "https://printer.local/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://0.0.0.0/",
    "https://10.1.2.3/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://100.100.100.200/",
    "https://169.254.169.254/latest/meta-data",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://[::1]/",
    "https://[::]/",
    "https://[fe80::1]/",
    "https://[fc00::1]/",
    "https://[fd00:ec2::254]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:169.254.169.254]/",
    "https://[2002:7f00:1::]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[::1/",
    "https://receiver.example.cn/" + "x" * 2_100,
]


@pytest.mark.parametrize("url", REFUSED)
def test_an_endpoint_that_is_not_public_https_is_refused_in_both_languages(url: str) -> None:
    with pytest.raises(BadRequest) as refused:
        checked(url, PUBLIC)
    (problem,) = refused.value.problems
    assert problem.zh
    assert problem.en
    assert problem.where == {"field": "endpoint"}


@pytest.mark.parametrize(
    ("url", "host", "port", "target", "authority"),
    [
        ("https://receiver.example.cn", "receiver.example.cn", 443, "/", "receiver.example.cn"),
        (
            "https://receiver.example.cn:8443/a?b=c",
            "receiver.example.cn",
            8443,
            "/a?b=c",
            "receiver.example.cn:8443",
        ),
        ("https://xn--vhquv.example.cn/", "xn--vhquv.example.cn", 443, "/", "xn--vhquv.example.cn"),
        ("https://8.8.8.8/", "8.8.8.8", 443, "/", "8.8.8.8"),
        ("https://[2400:3200::1]:444/", "2400:3200::1", 444, "/", "[2400:3200::1]:444"),
    ],
)
def test_a_public_https_endpoint_is_taken_apart(
    url: str, host: str, port: int, target: str, authority: str
) -> None:
    found = checked(url, PUBLIC)
    assert (found.host, found.port, found.target, found.authority) == (host, port, target, authority)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9099/", "http://localhost:9099/", "https://10.0.0.1/"])
def test_the_local_stack_may_push_to_this_machine(url: str) -> None:
    assert checked(url, LOCAL).scheme in ("http", "https")


@pytest.mark.parametrize("url", ["http://169.254.169.254/", "http://[fe80::1]/", "http://0.0.0.0/"])
def test_even_the_local_stack_never_reaches_the_clouds_credentials(url: str) -> None:
    with pytest.raises(BadRequest):
        checked(url, LOCAL)


def test_networks_of_the_government_extranet_can_be_allowed() -> None:
    rules = EndpointRules(networks=("10.20.0.0/16", "fd12::/32"))
    assert rules.permits("10.20.3.4")
    assert rules.permits("fd12::7")
    assert not rules.permits("10.21.0.1")
    assert not rules.permits("169.254.169.254")
