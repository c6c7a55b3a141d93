"""What each verb records, and the schema it leaves."""

from datetime import date
from pathlib import Path

import pytest

import dlc
from dlc import col
from tests.frontends.specs import schema, steps


def test_a_scan_knows_its_columns_and_their_types(orders: dlc.Frame) -> None:
    assert orders.columns == ["id", "customer", "amount", "day"]
    assert schema(orders) == {"id": "i64", "customer": "string", "amount": "i32?", "day": "date"}
    assert orders.schema["amount"] == dlc.Int32
    assert orders.schema["amount"].nullable


def test_filter_joins_its_predicates_by_and(orders: dlc.Frame) -> None:
    frame = orders.filter(col("amount") > 5, col("customer") == "ada")
    assert steps(frame) == ["filter and(gt(amount, 5:i32), eq(customer, ada:string))"]
    assert frame.schema == orders.schema


def test_select_computes_exactly_the_named_columns(orders: dlc.Frame) -> None:
    frame = orders.select("id", col("amount") * 2, [col("day").alias("on")], twice=col("id") + col("id"))
    assert steps(frame) == ["project id, amount=mul(amount, 2:i32), on=day, twice=add(id, id)"]
    assert schema(frame) == {"id": "i64", "amount": "i32?", "on": "date", "twice": "i64"}


def test_with_columns_replaces_in_place_and_appends(orders: dlc.Frame) -> None:
    frame = orders.with_columns(col("amount") + 1, double=col("amount") * 2)
    assert steps(frame) == ["project id, customer, amount=add(amount, 1:i32), day, double=mul(amount, 2:i32)"]


def test_rename_and_drop_are_projections(orders: dlc.Frame) -> None:
    assert steps(orders.rename({"id": "key"})) == ["project key=id, customer, amount, day"]
    assert steps(orders.drop("day", "amount")) == ["project id, customer"]
    assert orders.rename({"id": "customer", "customer": "id"}).columns == ["customer", "id", "amount", "day"]


def test_aggregates_of_plain_columns_need_no_projection(orders: dlc.Frame) -> None:
    frame = orders.group_by("customer").agg(col("amount").sum(), dlc.len(), last=col("day").max())
    assert steps(frame) == ["aggregate [customer] amount=sum(amount), len=len(), last=max(day)"]
    assert schema(frame) == {"customer": "string", "amount": "i64?", "len": "i64", "last": "date?"}


def test_expressions_over_aggregates_are_split_into_before_and_after(orders: dlc.Frame) -> None:
    frame = orders.group_by("customer").agg(((col("amount") * 2).sum() / dlc.len()).alias("mean"))
    assert steps(frame) == [
        "project customer, _0=mul(amount, 2:i32)",
        "aggregate [customer] _1=sum(_0), _2=len()",
        "project customer, mean=div(_1, _2)",
    ]


def test_the_same_aggregate_is_computed_once(orders: dlc.Frame) -> None:
    total = col("amount").sum()
    frame = orders.group_by("customer").agg(
        (total + total).alias("a"), (total - col("amount").sum()).alias("b")
    )
    assert steps(frame)[0] == "aggregate [customer] _0=sum(amount)"


def test_keys_may_be_expressions_and_stand_in_the_result(orders: dlc.Frame) -> None:
    frame = orders.group_by(col("day").dt.year().alias("year")).agg(
        (col("amount").sum() + col("year")).alias("x")
    )
    assert steps(frame) == [
        "project year=year(day), amount",
        "aggregate [year] _0=sum(amount)",
        "project year, x=add(_0, year)",
    ]


def test_a_key_that_takes_the_name_of_a_column_does_not_hide_it(orders: dlc.Frame) -> None:
    frame = orders.group_by(col("day").dt.year().alias("day")).agg(col("day").max().alias("last"))
    assert steps(frame) == ["project day=year(day), _0=day", "aggregate [day] last=max(_0)"]


def test_groups_without_aggregates_are_the_distinct_keys(orders: dlc.Frame) -> None:
    assert steps(orders.group_by("customer").agg()) == ["aggregate [customer] "]


def test_a_select_of_aggregates_is_one_row(orders: dlc.Frame) -> None:
    frame = orders.select(col("amount").mean(), rows=dlc.len(), one=dlc.lit(1))
    assert steps(frame) == ["aggregate [] amount=mean(amount), rows=len()", "project amount, rows, one=1:i64"]
    assert schema(frame) == {"amount": "f64?", "rows": "i64", "one": "i64"}


def test_join_keeps_the_left_and_leaves_out_the_right_keys(orders: dlc.Frame, customers: dlc.Frame) -> None:
    frame = orders.join(customers.drop("id"), on="customer")
    assert steps(frame) == ["project customer, city", "join inner customer = customer"]
    assert schema(frame)["city"] == "string?"


def test_clashing_columns_of_the_right_get_a_suffix(orders: dlc.Frame, customers: dlc.Frame) -> None:
    assert steps(orders.join(customers, on="customer"))[0] == "project customer, city, id_right=id"
    assert "id_of_customer" in orders.join(customers, on="customer", suffix="_of_customer").columns


def test_a_left_join_makes_the_right_nullable(orders: dlc.Frame) -> None:
    frame = orders.join(orders.select("id", "day"), on="id", how="left")
    assert schema(frame)["day_right"] == "date?"


@pytest.mark.parametrize("how", ["semi", "anti"])
def test_semi_and_anti_joins_keep_the_left_alone(orders: dlc.Frame, customers: dlc.Frame, how: str) -> None:
    frame = orders.join(customers, on="customer", how=how)
    assert steps(frame) == [f"join {how} customer = customer"]
    assert frame.schema == orders.schema


def test_join_keys_may_be_expressions(orders: dlc.Frame, customers: dlc.Frame) -> None:
    upper = col("customer").str.to_uppercase()
    frame = orders.join(customers.select("city"), left_on=[upper], right_on=["city"])
    assert steps(frame) == [
        "project id, customer, amount, day, _0=str_upper(customer)",
        "project city",
        "join inner _0 = city",
        "project id, customer, amount, day",
    ]


def test_sort_takes_one_direction_or_one_for_each_key(orders: dlc.Frame) -> None:
    assert steps(orders.sort("customer", "id")) == ["sort customer, id"]
    assert steps(orders.sort("customer", "id", descending=[True, False], nulls_last=True)) == [
        "sort customer desc last, id last"
    ]


def test_sort_by_an_expression_leaves_no_trace_of_it(orders: dlc.Frame) -> None:
    assert steps(orders.sort(-col("id"))) == [
        "project id, customer, amount, day, _0=neg(id)",
        "sort _0",
        "project id, customer, amount, day",
    ]


def test_unique_and_head(orders: dlc.Frame) -> None:
    assert steps(orders.unique()) == ["unique"]
    assert steps(orders.unique("customer", "day")) == ["unique customer day"]
    assert steps(orders.head(3)) == ["head 3"]
    assert steps(orders.limit(3)) == ["head 3"]


def test_concat_widens_to_nullable_where_a_frame_needs_it(orders: dlc.Frame) -> None:
    first, second = orders.select("id"), orders.select(id=dlc.lit(None).cast(dlc.Int64))
    assert steps(dlc.concat([first, second])) == [
        "project id",
        "project id=cast(id, i64?)",
        "project id=null:i64?",
        "concat 2",
    ]


def test_pipe_calls_a_function_with_the_frame(orders: dlc.Frame) -> None:
    def first(frame: dlc.Frame, count: int) -> dlc.Frame:
        return frame.head(count)

    assert steps(orders.pipe(first, 2)) == ["head 2"]


def test_a_frame_used_twice_is_recorded_once(orders: dlc.Frame) -> None:
    late = orders.filter(col("day") > date(2024, 1, 1))
    frame = late.join(late.select("id"), on="id", how="semi")
    assert [line.split()[0] for line in steps(frame)] == ["filter", "project", "join"]


def test_frames_outside_of_a_program_run_at_once(
    orders: dlc.Frame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    monkeypatch.setattr("dlc.frontends.recording.runner", lambda module: ran.append(str(module)))
    orders.head(1).collect()
    assert 'flow.return ["result"]' in ran[0]
    orders.sink_parquet(tmp_path / "out.parquet")
    assert "table.sink" in ran[1]
    assert "flow.return []" in ran[1]
