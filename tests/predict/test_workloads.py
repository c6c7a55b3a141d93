"""Published jobs, claims and campaigns, as the examples describe them, against figures known otherwise."""

from pathlib import Path

import pytest

from dlc import hwspec
from dlc.diagnostics import DlcError
from dlc.predict import workloads
from dlc.predict.workloads import Report

EXAMPLES = Path(__file__).parents[2] / "examples" / "workloads"


def predict(name: str) -> Report:
    return workloads.run(EXAMPLES / f"{name}.toml", None, hwspec.load)


def test_training_costs_agree_with_the_published_table() -> None:
    rows = {str(row["job"]): row for row in predict("training-costs").rows}
    assert len(rows) == 12
    exact = [
        name
        for name, row in rows.items()
        if abs(float(row["price"] or 0) - float(row["published"] or 0)) <= 1
    ]
    assert sorted(set(rows) - set(exact)) == ["Bloom"]
    assert rows["Bloom"]["off by"] == pytest.approx(-0.0014, abs=1e-4)


@pytest.mark.parametrize(("name", "last"), [("mlperf-resnet", 4216), ("mlperf-bert", 4096)])
def test_data_parallel_training_bends_where_it_was_measured_to(name: str, last: int) -> None:
    found = predict(name)
    unseen = [row for row in found.rows if not row["used for the fit"]]
    assert [row["devices"] for row in unseen] == [8, last]
    assert all(abs(float(row["difference"] or 0)) <= 0.1 for row in found.rows)
    assert "fitted to the points at 64, 1024 devices" in found.notes[0]


def test_without_a_calibration_the_knee_is_missed() -> None:
    """The fit is what brings the knee: the machine alone would promise far more."""
    table = workloads.grammar.parse(EXAMPLES / "mlperf-resnet.toml")
    kept = {key: value for key, value in table.items() if key not in ("kind", "machine", "calibrate")}
    loc = hwspec.load("laptop").loc
    free = workloads.grammar.build(workloads.KINDS["data-parallel"], kept, loc)
    rows = free.predict(hwspec.load(EXAMPLES / "a100-sxm.hw")).rows
    assert float(rows[-1]["predicted"]) > 0.5


def test_a_claim_of_more_than_linear_speed_up_is_flagged() -> None:
    found = predict("hal-claims")
    sound, flagged = found.rows
    assert sound["speed-up"] == pytest.approx(9.9, abs=0.05)
    assert sound["efficiency"] == pytest.approx(0.22, abs=0.005)
    assert sound["more than linear"] is False
    assert flagged["speed-up"] == pytest.approx(200)
    assert flagged["more than linear"] is True
    assert len(found.warnings) == 1


def test_an_all_to_all_on_a_star_takes_what_its_ports_allow() -> None:
    found = predict("star-all-to-all")
    assert found.figures["time"] == pytest.approx(5285.82e-6, rel=1e-3)
    assert "time: 5.2858" in found.text(), "with digits enough to check it"


def effective_speed_up(
    sequential: float, train: float, learn: float, lookup: float, trained: int, asked: int
) -> float:
    """Fox and Jha, "Learning everywhere" (2019)."""
    return sequential * (asked + trained) / (lookup * asked + (train + learn) * trained)


def test_a_campaign_has_the_effective_speed_up_of_its_surrogate() -> None:
    expected = effective_speed_up(3600, 900, 60, 0.01, 1000, 1_000_000)
    assert predict("surrogate").figures["effective speed-up"] == pytest.approx(expected)


def test_a_campaign_that_its_machine_has_no_room_for_is_flagged() -> None:
    assert predict("surrogate").warnings == []
    found = workloads.run(EXAMPLES / "surrogate.toml", "laptop", hwspec.load)
    (warning,) = found.warnings
    assert "wants 44 cores" in warning


def test_the_limits_of_the_effective_speed_up(tmp_path: Path) -> None:
    def campaign(*stages: str) -> float:
        file = tmp_path / "campaign.toml"
        task = 'task = [{ name = "run", seconds = 3600.0 }]'
        file.write_text(f'kind = "campaign"\nname = "c"\n{task}\nstage = [{", ".join(stages)}]\n')
        return workloads.run(file, None, hwspec.load).figures["effective speed-up"]

    # The third limit is that of many look-ups.
    train = '{ name = "t", count = 10, seconds = 900.0, replaces = "run" }'
    assert campaign(train) == pytest.approx(3600 / 900)  # no learning
    lookups = '{ name = "l", count = 1000000000, seconds = 0.01, replaces = "run" }'
    assert campaign(train, lookups) == pytest.approx(3600 / 0.01, rel=1e-2)


def test_a_pipeline_idles_as_gpipe_says() -> None:
    """On links that take next to nothing of the time of a stage."""
    for row in predict("gpipe").rows:
        stages, batches = int(row["stages"] or 0), int(row["micro-batches"] or 0)
        bubble = (stages - 1) / (batches + stages - 1)
        assert row["idle"] == pytest.approx(bubble, abs=3e-3)
        assert float(row["idle"] or 0) >= bubble - 1e-9


def test_a_pipeline_on_slow_links_idles_longer(tmp_path: Path) -> None:
    text = (EXAMPLES / "gpipe.toml").read_text().replace("1 MB", "1 GB").replace("a100-sxm.hw", "hal")
    (tmp_path / "slow.toml").write_text(text)
    slow, fast = workloads.run(tmp_path / "slow.toml", None, hwspec.load).rows, predict("gpipe").rows
    pairs = [(a, b) for a, b in zip(slow, fast, strict=True) if a["stages"] != 1]
    assert all(float(a["idle"] or 0) > float(b["idle"] or 0) for a, b in pairs)


def test_spreading_the_state_of_an_optimizer_saves_what_zero_says() -> None:
    held = [float(row["bytes a device"] or 0) / 1e9 for row in predict("zero-memory").rows]
    assert held == pytest.approx([120, 31.4, 16.6, 1.9], abs=0.05)


CLAIM = """kind = "claims"
name = "x"
claim = [{{ name = "c", before = "{before}", after = "1 s", devices = {devices} }}]
"""
TRAINING = 'kind = "training"\nmachine = "hal"\nname = "x"\ndtype = "f64"\n'
JOB = "{ name = 'a', parameters = 1e9, tokens = 1e9, utilization = "
TRAFFIC = """kind = "traffic"
name = "x"
machine = "hal"
hosts = "{hosts}"
count = {count}
pattern = "all-to-all"
size = "1 B"
"""
PIPELINE = """kind = "pipeline"
name = "x"
stages = [{stages}]
micro_batches = [{stages}]
forward = "1 s"
backward = "1 s"
"""
MEMORY = 'kind = "model-memory"\nname = "x"\nparameters = 1e9\ndevices = 8\n'
KNEE = """kind = "data-parallel"
name = "x"
machine = "hal"
dtype = "f16"
flops = 1e9
utilization = 0.5
gradients = "1 MB"
samples = 1e6
device_batch = 10
largest_batch = 1000
baseline = 4
measured = [{ devices = 8, efficiency = 0.9, fit = true }]
"""


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('kind = "trainin"', 1, "did you mean `training`?"),
        ('kind = "claims"\nnam = "x"\nclaim = []', 2, "did you mean `name`?"),
        ('kind = "claims"\nname = "x"', 1, "add `claim = …`"),
        ('kind = "claims"\nname = "x"\nclaim = [{ name = "c", before = "1 parsec" }]', 3, "unit"),
        ('kind = "claims"\nname = 3\nclaim = []', 2, None),
        ('kind = "claims', 1, None),
        ("", 1, "`kind` is missing"),
        ('name = "x"\nkind = ["claims"]', 2, "no text"),
        ('kind = "claims"\nmachine = 3', 2, "no text"),
        ('kind = "claims"\nname = "x"\nclaim = []', 3, "at least one"),
        (CLAIM.format(before="0 s", devices=1), 3, "more than 0"),
        (CLAIM.format(before="-1 s", devices=1), 3, "more than 0"),
        (CLAIM.format(before="1e400 s", devices=1), 3, "more than 0"),
        (CLAIM.format(before="1 s", devices=0), 3, "at least 1"),
        (CLAIM.format(before="1 s", devices="true"), 3, "whole number"),
        (CLAIM.format(before="1 s", devices=1.5), 3, "whole number"),
        (CLAIM.format(before="1 s", devices="9" * 400), 3, "at most"),
        (f"{TRAINING}job = [\n{JOB}0.5 }},\n{JOB}nan }},\n]", 7, "at most 1"),
        (f"{TRAINING}[[job]]\nname = 'a'\n[[job]]\nname = 3", 5, "`job[0].parameters` is missing"),
        (f"{TRAINING.replace('f64', 'q8')}job = [{JOB}0.5 }}]", 1, "write one of f16_tensor, f32, f64"),
        (TRAFFIC.format(count=10**9, hosts="n[{}]"), 1, "more than 2,000,000 messages"),
        (TRAFFIC.format(count=4, hosts="n[{}].{x}"), 1, "names no hosts"),
        (PIPELINE.format(stages=10**5), 1, "at most 2,000,000"),
        (f"{MEMORY}state = [{{ name = 's', size = '2 B', stage = 1000000000 }}]", 5, "at most 9"),
        (f"{KNEE}calibrate = ['critical_batch', 'step_overhead']", 1, "cannot be fitted to 1 points"),
        (f"{KNEE}calibrate = ['critical_batch', 'critical_batch']", 1, "at most once"),
        (f"{KNEE}calibrate = ['price']", 1, "cannot calibrate `price`"),
    ],
)  # fmt: skip
def test_mistakes_in_a_description_are_told_with_their_line(
    tmp_path: Path, text: str, line: int, words: str | None
) -> None:
    file = tmp_path / "workload.toml"
    file.write_text(text)
    with pytest.raises(DlcError) as caught:
        workloads.run(file, None, hwspec.load)
    assert caught.value.code == "DLC524"
    assert caught.value.loc is not None and caught.value.loc.line == line
    assert words is None or words in f"{caught.value.message} {caught.value.help}"
