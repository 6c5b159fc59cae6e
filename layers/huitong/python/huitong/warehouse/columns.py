"""The columns that the platform adds to every row (Q-01, L-34).

Current table: :data:`CURRENT` first, then the contract's fields; field ids of
the former are 1 to 6, the contract's follow from :data:`FIRST_FIELD_ID` in order of first appearance
(that is how PyIceberg numbers them at creation and when a column is added).
Change log: :data:`CHANGES`, the same six, the contract's fields (the row after
the change; for a deletion the last row), and ``_before``, a struct of the
contract's fields (null for an insertion).
"""

from __future__ import annotations

from typing import Final

#: name, type (as contracts.model.FieldType)
CURRENT: Final = (
    ("_resource", "string"),  # contract id
    ("_unit", "string"),  # source unit (数源单位)
    ("_batch_id", "string"),  # the batch that delivered this row last
    ("_source_row", "integer"),  # row number in the source file; the header row is 1
    ("_received_at", "timestamp"),  # when that batch landed
    ("_case_no", "string"),  # the case the row belongs to or was obtained for
)
FIRST_FIELD_ID: Final = 7

CHANGES: Final = (
    ("_seq", "integer"),  # publication number within the resource: 1, 2, 3 …
    ("_ordinal", "integer"),  # position within the publication, from 1
    ("_op", "string"),  # insert | update | delete
    ("_changed_columns", "list<string>"),  # of an update; empty otherwise
    ("_changed_at", "timestamp"),  # when the comparison was made
)
BEFORE: Final = "_before"
