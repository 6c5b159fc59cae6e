"""Decimals leave as the exact number, in one form on every path."""

from decimal import Decimal

import pytest

from huitong.contracts.numbers import decimal_text


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("750000.00", "750000.00"),
        ("0.00", "0.00"),
        ("1.500000000", "1.5"),
        ("2.000000000", "2"),
        ("-0.000000001", "-0.000000001"),
        ("1200.000000000", "1200"),
        ("12345678901234567890123456789.000000001", "12345678901234567890123456789.000000001"),
        ("100", "100"),
    ],
)
def test_a_declared_scale_is_kept_and_a_plain_number_has_no_zeros_of_ours(stored: str, shown: str) -> None:
    assert decimal_text(Decimal(stored)) == shown
