"""Tables of data: which types are kept, how they are hashed, written as parquet, compared row by row, shown as text.

Nothing here knows of projects, versions in git or storage; bytes and tables come in, and go out.
"""

from typing import TYPE_CHECKING

from datom_core.lazy import lazy

if TYPE_CHECKING:
    from datom_core.tables.background_encode import Encoding
    from datom_core.tables.cell_text import MISSING, alone, as_text, as_text_column, as_text_columns, in_a_line
    from datom_core.tables.compression import Compression, check_compression
    from datom_core.tables.content_hash import LARGE, ContentHash
    from datom_core.tables.hash_cache import HashCache
    from datom_core.tables.hashing import HASH_ALGO, ColumnHash, TableHash, canonical_values, column_digest
    from datom_core.tables.parquet import (
        check_columns,
        decode_beside,
        decode_parquet,
        first_rows,
        same_columns,
    )
    from datom_core.tables.proof import judge_payload, judge_table
    from datom_core.tables.row_change import CellChange, ChangedRow, Retyped, RowChange
    from datom_core.tables.row_diff import diff, repeated
    from datom_core.tables.tabular import check_hashable, hash_table, normalise, normalised, to_pandas
    from datom_core.tables.two_tables import Numbers, Positions, TableSide, TwoTables, encode, join_numbers, ranks
    from datom_core.tables.verdict import Verdict, Verification, check_verification, insist, judge_document, signed
else:
    __getattr__, __dir__ = lazy(
        __name__,
        {
            "background_encode": "Encoding",
            "cell_text": "MISSING alone as_text as_text_column as_text_columns in_a_line",
            "compression": "Compression check_compression",
            "content_hash": "ContentHash LARGE",
            "hash_cache": "HashCache",
            "hashing": "ColumnHash HASH_ALGO TableHash canonical_values column_digest",
            "parquet": ("check_columns decode_beside decode_parquet first_rows same_columns"),
            "proof": "judge_payload judge_table",
            "row_change": "CellChange ChangedRow Retyped RowChange",
            "row_diff": "diff repeated",
            "tabular": "check_hashable hash_table normalise normalised to_pandas",
            "two_tables": "Numbers Positions TableSide TwoTables encode join_numbers ranks",
            "verdict": "Verdict Verification check_verification insist judge_document signed",
        },
    )

__all__ = [
    "HASH_ALGO",
    "LARGE",
    "MISSING",
    "CellChange",
    "ChangedRow",
    "ColumnHash",
    "Compression",
    "ContentHash",
    "Encoding",
    "HashCache",
    "Numbers",
    "Positions",
    "Retyped",
    "RowChange",
    "TableHash",
    "TableSide",
    "TwoTables",
    "Verdict",
    "Verification",
    "alone",
    "as_text",
    "as_text_column",
    "as_text_columns",
    "canonical_values",
    "check_columns",
    "check_compression",
    "check_hashable",
    "check_verification",
    "column_digest",
    "decode_beside",
    "decode_parquet",
    "diff",
    "encode",
    "first_rows",
    "hash_table",
    "in_a_line",
    "insist",
    "join_numbers",
    "judge_document",
    "judge_payload",
    "judge_table",
    "normalise",
    "normalised",
    "ranks",
    "repeated",
    "same_columns",
    "signed",
    "to_pandas",
]
