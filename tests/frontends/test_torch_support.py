"""The reference of tensor operations tells all of them."""

from dlc.dialects.chlo import Chlo
from dlc.dialects.stablehlo import Stablehlo
from dlc.frontends.tensor.support import page


def test_the_page_lists_every_operation_and_whether_it_runs_by_rows() -> None:
    text = page("<!-- note -->", {"stablehlo.add"}.__contains__)
    assert "| `stablehlo.add` | xdsl-jax | yes |" in text
    assert "| `stablehlo.fft` | dlc | no |" in text
    assert "| `stablehlo.custom_call` | xdsl-jax | a routine of a library: refused [DLC115] |" in text
    assert all(f"| `{op.name}` |" in text for op in (*Stablehlo.operations, *Chlo.operations))
    assert "`scaled_dot_product_attention`" in text
