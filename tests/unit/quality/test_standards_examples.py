"""The checked examples of the national standards, valid and invalid with the reason (spec standards.md, section 2).

Q-21, C-12: a value that breaks a standard is found, each reason under its own rule.
"""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from huitong.contracts.model import KNOWN_SEMANTICS
from huitong.quality.semantics import NAMES, semantic
from huitong.quality.semantics.base import Context

TODAY = Context(date(2026, 1, 5))


def errors_and_warnings(name: str, value: str, context: Context = TODAY) -> tuple[set[str], set[str]]:
    kind = semantic(name)
    # an array of three with the value in the middle: a check must not depend on where a value stands
    masks = kind.check(pa.array([None, value, "?"], pa.string()), context)
    broken = [rule for rule, mask in zip(kind.rules, masks, strict=True) if mask[1]]
    assert not any(mask[0] for mask in masks), "a null breaks no rule"
    errors = {rule.code for rule in broken if rule.severity == "error"}
    return errors, {rule.code for rule in broken} - errors


VALID = {
    "citizen-id": [  # GB 11643-1999, 2.1
        "440304190002280012",
        "440305190106150024",
        "44030619030503003X",
        "11010519491231002X",  # the standard's own
        "440524188001010014",  # the standard's own: an abolished county, born in 1880
    ],
    "uscc": [  # GB 32100-2015, 2.2
        "91350100M000100Y43",  # the standard's own
        "1144030000AA000162",
        "91440300MA00XX0154",
        "31440000MD00TT021Q",
    ],
    "division": [  # GB/T 2260-2007, 2.3
        "440300",
        "440304",
        "440000",
        "440524",  # abolished
        "110105",
        *(str(code) for code in range(440303, 440312)),
    ],
    "sex": ["0", "1", "2", "9"],  # GB/T 2261.1, 2.4
    "date": ["2021-03-01", "20240229", "2000-02-29"],  # GB/T 7408.1, 2.5
    "timestamp": ["2021-03-01T09:00:00+08:00", "2024-02-29T23:59:59Z", "2021-07-19T15:30:00.250+08:00"],
    "case-number": ["(2021)粤03破230号(个1)", "(2022)粤03破申9001号(个901)"],  # 2.6
    "mobile": ["15400000001", "15400000020", "15400000333"],  # 2.7
    "amount": ["0", "750000.00", "1234567890.1"],  # 2.8
    "marital": ["10", "20", "21", "22", "23", "30", "40", "90"],  # GB/T 2261.2, 2.9
    "vin": ["1M8GDM9AXKP042788", "11111111111111111"],
    "sm3-hex": ["66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"],
    "licence17": ["14403201710012345"],
    "unit28": ["440304001001GB00001F00010001"],
    "month": ["2021-03", "1999-12"],
    "year": ["2021", "2026"],
    "phone": ["15400000001", "0755-88123456", "0755-88123456-801", "88123456", "12368", "400-123-4567"],
    "employment": ["11", "90"],
    "document-number": ["(2021)粤03破230号(个1)之一", "(2021)粤03破230号(个1)"],
}

INVALID = {
    "citizen-id": {
        "440304190002280013": {"citizen-id.checksum"},
        "440304190002290013": {"citizen-id.birth-date", "citizen-id.checksum"},  # 1900 was no leap year
        "44030619030503003x": {"citizen-id.form"},
        "44030419000228001": {"citizen-id.form"},
        "4403041900022800１２": {"citizen-id.form"},  # full-width digits
        "440399190002280014": {"citizen-id.region", "citizen-id.checksum"},
        "440304302602280014": {"citizen-id.birth-date", "citizen-id.checksum"},  # not born yet
    },
    "uscc": {
        "91440300MA00XX0155": {"uscc.checksum"},
        "91440300OA00XX0154": {"uscc.form"},
        "91440300MA00XX015": {"uscc.form"},
        "9144030AMA00XX0154": {"uscc.form"},
    },
    "division": {
        "44030": {"division.form"},
        "003044": {"division.province"},
        "440399": {"division.unknown"},
        "44030A": {"division.form"},
    },
    "sex": {"3": {"sex.code"}, "M": {"sex.code"}, "男": {"sex.code"}},
    "date": {"2023-02-29": {"date.form"}, "2021/3/1": {"date.form"}, "2021-13-01": {"date.form"}},
    "timestamp": {
        "2021-03-01 09:00:00": {"timestamp.form"},
        "2021-03-01T24:00:00+08:00": {"timestamp.form"},
        "2021-03-01T09:00:00": {"timestamp.form"},
        "2021-03-01T09:00:60Z": {"timestamp.form"},
        "2021-03-01T09:00:00+15:00": {"timestamp.form"},
        "2021-02-29T09:00:00Z": {"timestamp.form"},
        "2021-03-01T09:00:00.Z": {"timestamp.form"},
    },
    "case-number": {
        "2021粤03破230号": {"case-number.form"},
        "(2099)粤03破1号": {"case-number.year"},
        "(2021)粤03民初230号": {"case-number.type"},
        "(2021)粤03破0230号": {"case-number.form"},
    },
    "mobile": {
        "12345678901": {"mobile.form"},
        "1540000000": {"mobile.form"},
        "+86 15400000001": {"mobile.form"},
        "15400000001\n": {"mobile.form"},
    },
    "amount": {
        "1,234.00": {"amount.form"},
        "12.345": {"amount.form"},
        "-5.00": {"amount.negative"},
        "007": {"amount.form"},
        "1e3": {"amount.form"},
    },
    "marital": {"11": {"marital.code"}},
    "vin": {"1M8GDM9AXKP04278O": {"vin.form"}, "1M8GDM9AXKP04278": {"vin.form"}},
    "sm3-hex": {"66c7": {"sm3-hex.form"}},
    "licence17": {"1440320171001234X": {"licence17.form"}},
    "unit28": {"440304001001GB00001F0001000": {"unit28.form"}},
    "month": {"2021-13": {"month.form"}, "2021-3": {"month.form"}},
    "year": {"21": {"year.form"}, "2027": {"year.future"}},
    "phone": {"88": {"phone.form"}, "0755 88123456": {"phone.form"}},
    "employment": {"99": {"employment.code"}},
    "document-number": {"判决书": {"document-number.form"}},
}

WARNINGS = {
    ("case-number", "(2024)粤03破9002号"): {"case-number.personal-count"},
    ("case-number", "(2021)粤03破230号(个1)之一"): {"case-number.suffix"},
    ("case-number", "(2014)深中法破字第12号"): {"case-number.before-2016"},
    ("vin", "1M8GDM9A1KP042788"): {"vin.checksum"},
    ("uscc", "91440300MA00XX0154"): set(),
    ("unit28", "0123456789012345678901234567"): {"unit28.structure"},
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in VALID.items() for v in values])
def test_a_valid_example_of_a_standard_passes(name: str, value: str) -> None:
    assert errors_and_warnings(name, value)[0] == set()


@pytest.mark.parametrize(
    ("name", "value", "rules"), [(n, v, r) for n, values in INVALID.items() for v, r in values.items()]
)
def test_an_invalid_example_breaks_just_the_rules_that_name_its_fault(
    name: str, value: str, rules: set[str]
) -> None:
    assert errors_and_warnings(name, value)[0] == rules


@pytest.mark.parametrize(("name", "value", "rules"), [(*k, r) for k, r in WARNINGS.items()])
def test_a_doubtful_value_is_accepted_with_a_warning(name: str, value: str, rules: set[str]) -> None:
    assert errors_and_warnings(name, value) == (set(), rules)


def test_every_semantic_type_of_contracts_has_a_check_and_examples() -> None:
    assert frozenset(KNOWN_SEMANTICS) == NAMES == set(VALID) == set(INVALID)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_rule_says_in_both_languages_what_is_wrong_and_what_to_do(name: str) -> None:
    for rule in semantic(name).rules:
        assert rule.code.startswith(f"{name}.")
        assert all((rule.zh, rule.en, rule.advice_zh, rule.advice_en))


@pytest.mark.parametrize("region", ["810000", "820000", "830000"])
def test_residence_permits_of_hong_kong_macao_and_taiwan_residents_pass(region: str) -> None:
    number = with_check_character(f"{region}19900101001")
    assert errors_and_warnings("citizen-id", number)[0] == set()


def test_a_permanent_residence_card_of_a_foreigner_is_not_asked_for_a_region() -> None:
    assert errors_and_warnings("citizen-id", with_check_character("91112319900101001"))[0] == set()


def test_taiwan_has_a_division_code_but_its_residence_permit_prefix_is_none() -> None:
    assert errors_and_warnings("division", "710000")[0] == set()
    assert errors_and_warnings("division", "830000")[0] == {"division.province"}


def test_every_wrong_digit_and_every_swap_of_neighbours_in_an_identity_number_is_found() -> None:
    """GB 11643: the check finds all 153 single substitutions and all swaps of unlike neighbours."""
    number = "440304190002280012"
    wrong = [number[:i] + d + number[i + 1 :] for i in range(17) for d in "0123456789" if d != number[i]]
    swapped = [number[:i] + number[i + 1] + number[i] + number[i + 2 :] for i in range(17)]
    variants = [*wrong, *(s for s in swapped if s != number)]
    masks = semantic("citizen-id").check(pa.array(variants), TODAY)
    assert len(wrong) == 153
    assert masks[3].all()


def test_every_wrong_character_and_swap_in_a_credit_code_is_found() -> None:
    """GB 32100: 510 substitutions of the first 17 characters, and swaps of unlike neighbours."""
    code = "91350100M000100Y43"
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    wrong = [code[:i] + c + code[i + 1 :] for i in range(17) for c in alphabet if c != code[i]]
    swapped = [code[:i] + code[i + 1] + code[i] + code[i + 2 :] for i in range(17)]
    masks = semantic("uscc").check(pa.array([*wrong, *(s for s in swapped if s != code)]), TODAY)
    assert len(wrong) == 510
    assert (masks[0] | masks[1]).all()


def test_the_organisation_code_inside_a_credit_code_gives_a_warning_only() -> None:
    """GB 11714 inside GB 32100: 91350100M000100Y43 holds M000100Y4; another inner check character warns."""
    errors, warnings = errors_and_warnings("uscc", with_credit_check("91350100M000100Y5"))
    assert (errors, warnings) == (set(), {"uscc.inner"})


def test_negative_amounts_pass_where_the_item_allows_corrections() -> None:
    assert errors_and_warnings("amount", "-5.00", Context(TODAY.today, negative=True))[0] == set()
    assert errors_and_warnings("amount", "-0.00")[0] == set()


@pytest.mark.parametrize(
    ("delivered", "published"),
    [
        ("（2021）粤03破230号（个1）", "(2021)粤03破230号(个1)"),
        ("(2021) 粤03破 230号 (个1)", "(2021)粤03破230号(个1)"),
        ("(2021)粤03破230号(个1)之二", "(2021)粤03破230号(个1)"),
        ("之江路1号", "之江路1号"),
    ],
)
def test_a_case_number_has_one_canonical_spelling(delivered: str, published: str) -> None:
    kind = semantic("case-number")
    assert kind.canonical is not None
    assert kind.canonical(pa.array([delivered, None])).to_pylist() == [published, None]


def test_a_document_number_keeps_its_suffix() -> None:
    kind = semantic("document-number")
    assert kind.canonical is not None
    assert kind.canonical(pa.array(["（2021）粤03破230号之一"])).to_pylist() == ["(2021)粤03破230号之一"]


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_check_gives_the_same_for_a_slice_for_nulls_and_for_an_empty_array(name: str) -> None:
    kind = semantic(name)
    values = [*VALID[name], *INVALID[name], None, ""]
    whole = [mask.tolist() for mask in kind.check(pa.array(values, pa.string()), TODAY)]
    padded = pa.array(["x", None, *values, "y"], pa.string()).slice(2, len(values))
    assert [mask.tolist() for mask in kind.check(padded, TODAY)] == whole
    assert all(len(mask) == 0 for mask in kind.check(pa.array([], pa.string()), TODAY))
    assert not any(mask.any() for mask in kind.check(pa.nulls(3, pa.string()), TODAY))


def with_check_character(body: str) -> str:
    total = sum(int(d) * pow(2, 17 - i, 11) for i, d in enumerate(body))
    return body + "10X98765432"[total % 11]


def with_credit_check(body: str) -> str:
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    total = sum(alphabet.index(c) * pow(3, i, 31) for i, c in enumerate(body))
    return body + alphabet[(31 - total % 31) % 31]
