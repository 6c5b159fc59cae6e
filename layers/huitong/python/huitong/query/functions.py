"""What a query may consist of: an allow-list of syntax and of functions.

Everything not named here is refused, whatever it would do. So a function that
reads files, the network or settings is never a question of a list being
complete. docs/query.md shows each function with an example; a test runs them
all and compares that table with these names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final


def words(text: str) -> frozenset[str]:
    """Names, apart by blanks."""
    return frozenset(text.split())


#: Syntax nodes of sqlglot that are no functions.
STRUCTURE: Final = words(
    """
    Select Union Except Intersect Subquery With CTE From Join Where Group Rollup Cube GroupingSets Having
    Order Ordered Limit Fetch LimitOptions Offset Distinct Table TableAlias Alias Identifier Column Star
    Values Tuple Unnest Window WindowSpec Filter WithinGroup IgnoreNulls RespectNulls Version
    Literal Boolean Null HexString Paren Neg Not And Or EQ NEQ GT GTE LT LTE NullSafeEQ NullSafeNEQ Is In
    Between Like Escape Add Sub Mul Div Mod DPipe Interval Var Bracket Dot Lambda Any All
    AtTimeZone DataType DataTypeParam ColumnDef BitwiseAnd BitwiseOr BitwiseXor BitwiseNot
    JSONPath JSONPathRoot JSONPathKey JSONPathSubscript JSONPathWildcard
    """
)

#: Functions by sqlglot's class, the same for all spellings of one function.
FUNCTIONS: Final = words(
    """
    Abs Ceil Floor Round Trunc Sign Sqrt Cbrt Exp Ln Log Pow Pi Rand Greatest Least WidthBucket
    Degrees Radians Sin Cos Tan Asin Acos Atan Atan2 IsNan
    Length Upper Lower Trim Substring Concat ConcatWs Replace Reverse Pad StrPosition Split SplitPart
    StartsWith Translate Chr Levenshtein Normalize
    RegexpLike RegexpExtract RegexpExtractAll RegexpReplace RegexpSplit RegexpCount
    StrToTime TimeToStr ParseDatetime DateTrunc TimestampTrunc DateAdd DateDiff Year Quarter Month WeekOfYear
    Day DayOfWeekIso DayOfYear Hour Minute Second Extract LastDay UnixToTime TimeToUnix FromISO8601Date
    FromISO8601Timestamp CurrentDate CurrentTimestamp Localtimestamp Date
    Coalesce Nullif If Case Cast TryCast Try Exists
    Count CountIf Sum Avg Min Max ArgMin ArgMax AnyValue LogicalAnd LogicalOr Stddev StddevPop StddevSamp
    Variance VariancePop Corr CovarPop CovarSamp ApproxDistinct ApproxQuantile ArrayAgg GroupConcat Skewness
    RegrSlope RegrIntercept Grouping
    RowNumber Rank DenseRank PercentRank CumeDist Ntile Lag Lead FirstValue LastValue NthValue
    Array ArraySize ArrayContains ArrayToString ArrayDistinct ArraySort ArrayMax ArrayMin ArrayPosition
    ArrayIntersect ArrayExcept ArraySlice Flatten ArrayFilter Transform ArrayRemove GenerateSeries
    Struct Map MD5Digest SHA2Digest Encode Hex ToBase64 JSONExtract JSONExtractScalar ParseJSON JSONFormat
    And Or
    """
)

#: Functions that sqlglot has no class for, by Athena's name in lower case.
NAMED: Final = words(
    """
    format_datetime to_iso8601 at_timezone every hamming_distance codepoint geometric_mean array_union
    arrays_overlap any_match all_match none_match nan infinity e
    """
)

#: Types of casts.
TYPES: Final = words(
    """
    VARCHAR CHAR TEXT BOOLEAN TINYINT SMALLINT INT BIGINT DECIMAL DOUBLE FLOAT DATE TIME TIMESTAMP TIMESTAMPTZ
    VARBINARY JSON ARRAY STRUCT MAP
    """
)

#: Longest text that lpad and rpad may make: a padded text escapes DuckDB's memory limit.
LONGEST_PAD: Final = 10_000

#: Greatest product of lengths in bytes whose edit distance is computed: nothing interrupts it.
MOST_EDITS: Final = 1_000_000

#: DuckDB macros under the names that the transpiled text uses; only those needed are made.
MACROS: Final[Mapping[str, str]] = {
    "athena_date_trunc": (
        "(u, x DATE) AS CAST(date_trunc(u, x) AS DATE), (u, x TIMESTAMP) AS date_trunc(u, x),"
        " (u, x TIMESTAMPTZ) AS date_trunc(u, x)"
    ),
    "athena_add": (
        "(x DATE, i) AS CAST(x + i AS DATE), (x TIMESTAMP, i) AS x + i, (x TIMESTAMPTZ, i) AS x + i,"
        " (x TIME, i) AS x + i, (x INTERVAL, i) AS x + i"
    ),
    "to_iso8601": (
        "(x DATE) AS strftime(x, '%Y-%m-%d'), (x TIMESTAMP) AS strftime(x, '%Y-%m-%dT%H:%M:%S.%g'),"
        " (x TIMESTAMPTZ) AS strftime(x AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%gZ')"
    ),
    "at_timezone": "(x, z) AS timezone(z, x)",
    "every": "(x) AS bool_and(x)",
    "hamming_distance": "(a, b) AS hamming(a, b)",
    "codepoint": "(x) AS ord(x)",
    "athena_levenshtein": (
        f"(a, b) AS CASE WHEN strlen(a) * strlen(b) <= {MOST_EDITS} THEN levenshtein(a, b)"
        " ELSE error('too long') END"
    ),
    "array_union": "(a, b) AS list_sort(list_distinct(list_concat(a, b)))",
    "arrays_overlap": "(a, b) AS list_has_any(a, b)",
    "width_bucket": (
        "(x, low, high, n) AS CAST(CASE WHEN x < low THEN 0 WHEN x >= high THEN n + 1"
        " ELSE floor(CAST(x - low AS DOUBLE) * n / (high - low)) + 1 END AS BIGINT)"
    ),
    "nan": "() AS CAST('nan' AS DOUBLE)",
    "infinity": "() AS CAST('inf' AS DOUBLE)",
    "e": "() AS exp(1)",
}

#: Joda's pattern letters, as format_datetime and parse_datetime take them, in strftime's.
JODA: Final[Mapping[str, str]] = {
    "yyyy": "%Y", "y": "%Y", "yy": "%y", "MM": "%m", "M": "%-m", "MMM": "%b", "MMMM": "%B", "dd": "%d",
    "d": "%-d", "HH": "%H", "H": "%-H", "hh": "%I", "h": "%-I", "mm": "%M", "m": "%-M", "ss": "%S",
    "s": "%-S", "SSS": "%g", "a": "%p", "EEE": "%a", "EEEE": "%A", "DDD": "%j",
}  # fmt: skip
