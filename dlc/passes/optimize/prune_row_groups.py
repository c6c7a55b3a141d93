"""`prune-row-groups`: row groups in which the predicate of a scan can be true for no row are not read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.passes import ModulePass

from dlc.dialects.table import ScanOp, yielded

from .expressions import columns_read
from .load_statistics import Piece, columns_of, footers_of, groups_of, set_pieces, set_statistics
from .outcomes import Predicate


def prune(scan: ScanOp) -> None:
    """Drop pieces; says in the attribute `kept` how many remain, and narrows the statistics to them."""
    assert scan.predicate is not None
    pieces = scan.piece_list
    # Pieces may be stated where the files are not.
    if pieces is None or not all(Path(path.data).exists() for path in scan.paths):
        return
    root = yielded(scan.predicate)[0]
    predicate, types = Predicate(root), columns_of(scan)
    read = {column: types[column] for column in columns_read([root])}
    groups = {piece: (file, group) for piece, file, group in groups_of(footers_of(scan))}
    if not groups.keys() >= set(pieces):  # cut in another way than the files are
        return

    def can_match(piece: Piece) -> bool:
        file, group = groups[piece]
        bounds = {column: file.bounds(column, type_)[group] for column, type_ in read.items()}
        return predicate.outcomes(bounds).true

    kept = [piece for piece in pieces if can_match(piece)]
    scan.attributes["kept"] = StringAttr(f"{len(kept)} of {len(pieces)} row groups")
    if len(kept) < len(pieces):
        set_pieces(scan, kept)
        set_statistics(scan, [groups[piece] for piece in kept])


@dataclass(frozen=True)
class PruneRowGroupsPass(ModulePass):
    """Compares the predicates of Parquet scans with the bounds that the footers give for each row group."""

    name = "prune-row-groups"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for scan in op.walk():
            if isinstance(scan, ScanOp) and scan.format.data == "parquet" and scan.predicate is not None:
                prune(scan)
