"""Compare the network of ``flight_model.py`` with models of scikit-learn, on the same features and days.

Everything is read from ``predictions.parquet``. The loss is drawn as ``loss.svg``, and the record of the run
says what a step took and sent.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from loss_curve import draw
from sklearn.base import ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from threadpoolctl import threadpool_limits

NOT_FEATURES = ("month", "day", "scheduled", "carrier", "flight", "held_out", "late", "p")


def quality(late: np.ndarray, probability: np.ndarray) -> dict[str, float]:
    """How well probabilities foretell what is late."""
    return {
        "accuracy": float(accuracy_score(late, probability > 0.5)),
        "AUC": float(roc_auc_score(late, probability)),
        "log-loss": float(log_loss(late, probability.astype(float))),
    }


def compare(predictions: pl.DataFrame, *, trees: bool = True) -> dict[str, dict[str, float]]:
    """The quality on the held-out days: of the network, and of models fitted to the other days."""
    known = predictions.filter(~pl.col("held_out"))
    unseen = predictions.filter(pl.col("held_out"))
    features = [name for name in predictions.columns if name not in NOT_FEATURES]
    late = unseen["late"].to_numpy()
    peers: dict[str, ClassifierMixin] = {"logistic regression": LogisticRegression(max_iter=500)}
    if trees:
        peers["50 boosted trees"] = HistGradientBoostingClassifier(max_iter=50, random_state=0)
    found = {"network of dlc": quality(late, unseen["p"].to_numpy())}
    for name, peer in peers.items():
        with threadpool_limits(1):  # more threads than free cores would wait for each other
            peer.fit(known.select(features).to_numpy(), known["late"].to_numpy())
            found[name] = quality(late, peer.predict_proba(unseen.select(features).to_numpy())[:, 1])
    share = known["late"].mean()
    found["the same for all"] = quality(late, np.full(len(late), share))
    return found


def steps(record: dict[str, Any]) -> str:
    """What a step of training took and sent, from the record of a run."""
    ranks = [_innermost(rank["instructions"]) for rank in record["record"]["ranks"]]
    count = ranks[0]["body"][0]["count"]
    seconds = max(loop["seconds"] for loop in ranks) / count
    sent = [loop["sent_bytes"] / count for loop in ranks]
    return (
        f"{count:,} steps on {len(ranks)} ranks, {seconds * 1e3:.2f} ms each; "
        f"a rank sends {max(sent) / 1e3:.1f} kB a step, all of them {sum(sent) / 1e3:.1f} kB"
    )


def _innermost(instructions: list[dict[str, Any]]) -> dict[str, Any]:
    """The loop over the steps, which stands in the loop over the epochs."""
    loop = next(entry for entry in instructions if entry["op"] == "for")
    inner = [entry for entry in loop["body"] if entry["op"] == "for"]
    return _innermost(inner) if inner else loop


def main(output: Path) -> int:
    """Report on the model under `output`; 0 when it foretells better than a linear one, 1 otherwise."""
    found = compare(pl.read_parquet(output / "predictions.parquet"))
    print(f"{'held-out days':20} {'accuracy':>8} {'AUC':>8} {'log-loss':>8}")
    for name, values in found.items():
        print(f"{name:20} " + " ".join(f"{value:8.4f}" for value in values.values()))
    history, record = pl.read_parquet(output / "history.parquet"), output / "training.json"
    if history.is_empty():
        print("the training had ended before: the parameters come from the checkpoint")
    else:
        draw(history, output / "loss.svg")
        print(f"the loss of every step: {output / 'loss.svg'}")
        if record.exists():
            print(steps(json.loads(record.read_text())))
    better = found["network of dlc"]["log-loss"] < found["logistic regression"]["log-loss"]
    if not better:
        print("the network is NOT better than logistic regression", file=sys.stderr)
    return int(not better)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out")))
