"""The twelve rules, once, for all peers; standard library only: peers run in an environment of their own.

1 claim_id given, 2 claim_id pattern, 3 claim_id unique, 4 case_no given, 5 creditor at most 12 characters,
6 phone pattern, 7 principal 0 to 999999.99, 8 interest not negative, 9 file_date not before 2020,
10 claim_type in a set, 11 state in a set, 12 due_date not before file_date.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

CLAIM_ID = r"^C[0-9]{17}$"
PHONE = r"^154[0-9]{8}$"
CREDITOR = 12
PRINCIPAL = (0, 999_999.99)
SINCE = "2020-01-01"
TYPES = ["01", "02", "03", "04", "05"]
STATES = ["01", "02", "03"]


def measured(check: Callable[[str, str], dict[str, int]]) -> None:
    """Run ``check(Parquet file of the rows, Parquet file to write)`` and tell seconds and violations by rule.

    What is written is what the platform writes: a row for each violation, with the row's number, the rule and
    the value.
    """
    began, used = time.perf_counter(), time.process_time()
    found = check(sys.argv[1], sys.argv[2])
    took, used = time.perf_counter() - began, time.process_time() - used
    print(json.dumps({"seconds": took, "cpu": used, "found": found}))
