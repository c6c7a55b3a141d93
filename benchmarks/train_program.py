"""The training of a model of ``train_models.py`` in dlc; the environment says which one, and how long."""

import os

from train_models import MODELS, RATE

import dlc

NAME = os.environ["TRAIN_MODEL"]
MODEL = MODELS[NAME]


@dlc.program
def training() -> dict[str, dlc.Frame]:
    rows = dlc.scan_parquet(os.environ["TRAIN_DATA"])
    model = dlc.train(
        MODEL.loss,
        MODEL.initial(),
        rows,
        MODEL.columns,
        epochs=int(os.environ["TRAIN_EPOCHS"]),
        batch=MODEL.batch,
        micro_batches=int(os.environ.get("TRAIN_MICRO", "4")),
        dtype=MODEL.dtypes,
        optimizer=dlc.Adam(RATE),
        seed=1,
        keys=["id"],
    )
    return {"history": model.history}
