"""Small tables, scanned."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dlc


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with `orders.parquet`, `customers.parquet` and `types.parquet`."""
    folder = tmp_path_factory.mktemp("tables")
    orders = pa.table(
        {
            "id": [1, 2, 3],
            "customer": ["ada", "bob", "ada"],
            "amount": [10, 20, None],
            "day": [date(2024, 1, 1)] * 3,
        },
        schema=pa.schema(
            [
                pa.field("id", pa.int64(), nullable=False),
                pa.field("customer", pa.string(), nullable=False),
                pa.field("amount", pa.int32()),
                pa.field("day", pa.date32(), nullable=False),
            ]
        ),
    )
    pq.write_table(orders, folder / "orders.parquet")
    customers = pa.table({"customer": ["ada"], "city": ["Oslo"], "id": [7]})
    pq.write_table(customers, folder / "customers.parquet")
    every = {
        "flag": (pa.bool_(), True),
        **{f"i{bits}": (getattr(pa, f"int{bits}")(), 1) for bits in (8, 16, 32, 64)},
        **{f"u{bits}": (getattr(pa, f"uint{bits}")(), 1) for bits in (8, 16, 32, 64)},
        "f32": (pa.float32(), 1.0),
        "f64": (pa.float64(), 1.0),
        "price": (pa.decimal128(15, 2), Decimal("1.25")),
        "rate": (pa.decimal128(4, 4), Decimal("0.0500")),
        "wide": (pa.decimal128(38, 30), Decimal(1)),
        "s": (pa.string(), "x"),
        "d": (pa.date32(), date(2024, 1, 1)),
        "t": (pa.timestamp("us"), datetime(2024, 1, 1)),
        "tz": (pa.timestamp("ms", "UTC"), datetime(2024, 1, 1, tzinfo=UTC)),
        "dur": (pa.duration("us"), timedelta(1)),
    }
    fields = [pa.field(name, type_, nullable=False) for name, (type_, _) in every.items()]
    fields.append(pa.field("n", pa.int64()))
    columns = [pa.array([value], type_) for type_, value in every.values()] + [pa.array([None], pa.int64())]
    pq.write_table(pa.table(columns, schema=pa.schema(fields)), folder / "types.parquet")
    return folder


@pytest.fixture
def orders(tables: Path) -> dlc.Frame:
    """`id: i64, customer: string, amount: i32?, day: date`."""
    return dlc.scan_parquet(tables / "orders.parquet")


@pytest.fixture
def customers(tables: Path) -> dlc.Frame:
    """`customer: string?, city: string?, id: i64?`."""
    return dlc.scan_parquet(tables / "customers.parquet")


@pytest.fixture
def types(tables: Path) -> dlc.Frame:
    """One column of every type, named after it, and a nullable integer `n`."""
    return dlc.scan_parquet(tables / "types.parquet")
