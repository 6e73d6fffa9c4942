"""The benchmark's own sums: medians, ratios, the table and the file. Nothing here is timed."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path

import pytest

from bench import __main__ as command
from bench import libraries, train, truth
from bench.__main__ import DESKDROP, TRUTH
from bench.catalogue import BENCHES
from bench.figures import Figure, from_child, middle, ratios, table, write
from bench.installation import Installation
from bench.sizes import LONG, SHORT
from include.core.settings import PROJECT, Settings
from include.models.kinds.two_stage import ranker
from include.operations.launcher import files

FIGURES = [
    Figure("extract", "pandas", 1_000, 8.0, 7.0, 1_000.0),
    Figure("extract", "daybreak", 1_000, 2.0, 3.0, 250.0),
    Figure("extract", "copy", 1_000, 1.0, 0.5, 125.0),
    Figure("loop.train", "daybreak", 1_000, 30.0, 40.0, 500.0),
]


def test_a_ratio_says_how_many_times_ours_a_variant_takes() -> None:
    found = ratios(FIGURES)
    assert found["extract", "pandas"] == (4.0, 4.0)
    assert found["extract", "copy"] == (0.5, 0.5)
    assert found["extract", "daybreak"] == (1.0, 1.0)


def test_a_ratio_never_mixes_two_benches() -> None:
    assert ratios([Figure("a", "daybreak", 1, 1.0, 1.0, 1.0), Figure("b", "pandas", 1, 4.0, 4.0, 4.0)]) == {
        ("a", "daybreak"): (1.0, 1.0)
    }


def test_time_too_short_to_measure_does_not_divide_by_zero() -> None:
    assert ratios([Figure("a", "daybreak", 1, 0.0, 0.0, 1.0), Figure("a", "copy", 1, 1.0, 1.0, 2.0)])["a", "copy"] == (
        float("inf"),
        2.0,
    )


def test_the_middle_run_counts_in_time_and_in_memory_each_for_itself() -> None:
    runs = [Figure("extract", "copy", 7, *one) for one in ((9.0, 0.5, 1.0), (1.0, 0.7, 3.0), (2.0, 0.6, 2.0))]
    assert middle("extract", "copy", runs) == Figure("extract", "copy", 7, 2.0, 0.6, 2.0)


def test_the_peak_is_that_of_the_process_or_of_its_whole_tree_whichever_is_larger() -> None:
    told = {"rows": 5, "seconds": 1.5, "cpu_seconds": 2.5, "peak_mb": 100.0}
    assert from_child("extract", "copy", told, 0.0) == Figure("extract", "copy", 5, 1.5, 2.5, 100.0)
    assert from_child("extract", "copy", told, 300.0).peak_mb == 300.0


def test_the_table_has_ours_first_and_ratios_for_the_others() -> None:
    assert table(FIGURES).splitlines() == [
        "bench       variant    rows  seconds  CPU s  peak MB  time : ours  memory : ours  size",
        "extract     daybreak  1,000     2.00   3.00      250",
        "extract     pandas    1,000     8.00   7.00     1000         4.00           4.00",
        "extract     copy      1,000     1.00   0.50      125         0.50           0.50",
        "loop.train  daybreak  1,000    30.00  40.00      500",
    ]


def test_the_table_says_once_per_bench_what_size_was_run() -> None:
    lines = table([replace(figure, size=f"{figure.bench} of 9") for figure in FIGURES]).splitlines()
    assert [line.partition("of 9")[1] for line in lines] == ["", "of 9", "", "", "of 9"]
    assert lines[1].endswith(" extract of 9")


def test_the_file_is_a_list_with_seven_fields_each(tmp_path: Path) -> None:
    path = tmp_path / "state" / "bench.json"
    write(path, FIGURES)
    found = json.loads(path.read_text())
    assert found[1] == {
        "bench": "extract",
        "variant": "daybreak",
        "rows": 1000,
        "seconds": 2.0,
        "cpu_seconds": 3.0,
        "peak_mb": 250.0,
        "size": "",
    }
    assert len(found) == len(FIGURES)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("bench", [*BENCHES, DESKDROP, TRUTH])
def test_every_bench_is_explained(bench: str) -> None:
    assert f"## `{bench}`" in (PROJECT / "docs" / "bench.md").read_text()


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, str]]:
    """What each benchmark that the command runs is given, and needs; none of them is really run."""
    found: list[tuple[str, str]] = []
    settings = Settings(home=tmp_path)

    @contextmanager
    def prepared(home, sizes, needs, say, *, keep):
        yield Installation(settings, sizes)

    def stub(name):
        def measure(installation, repeat, say):
            found.append((name, installation.sizes))
            return [Figure(name, "daybreak", 1, 1.0, 1.0, 1.0)]

        return replace(BENCHES[name], measure=measure)

    monkeypatch.setattr(command, "prepared", prepared)
    monkeypatch.setattr(command, "load_settings", lambda: settings)
    monkeypatch.setattr(command, "BENCHES", {name: stub(name) for name in BENCHES})
    monkeypatch.setattr(truth, "compare", lambda settings, say, sizes: found.append((TRUTH, sizes)))
    monkeypatch.setattr(command.signal, "signal", lambda *_: None)
    return found


@pytest.mark.parametrize("bench", [*BENCHES, TRUTH])
def test_every_bench_is_short_by_default_and_takes_the_switch_for_the_long_form(ran, bench: str) -> None:
    command.main(["--only", bench])
    command.main(["--only", bench, "--long"])
    assert ran == [(bench, SHORT), (bench, LONG)]


def test_the_short_form_asks_for_less_of_everything_that_takes_time() -> None:
    sizes = {field.name: (getattr(SHORT, field.name), getattr(LONG, field.name)) for field in fields(SHORT)}
    assert [name for name, (short, long) in sizes.items() if short >= long] == []


@pytest.mark.parametrize("bench", BENCHES)
def test_what_the_table_says_of_a_size_tells_the_forms_apart(ran, capsys, bench: str) -> None:
    for words, sizes in (([], SHORT), (["--long"], LONG)):
        command.main(["--only", bench, *words])
        assert BENCHES[bench].describe_size(sizes) in capsys.readouterr().out
    assert BENCHES[bench].describe_size(SHORT) != BENCHES[bench].describe_size(LONG)


def test_all_benches_are_those_that_need_not_be_asked_for(ran) -> None:
    command.main(["--rows", "5_000"])
    assert [name for name, _ in ran] == [name for name, bench in BENCHES.items() if not bench.is_on_request]
    assert {sizes for _, sizes in ran} == {replace(SHORT, rows=5_000)}


def test_a_bench_works_on_the_sizes_of_its_ground(tmp_path: Path) -> None:
    installation = Installation(Settings(home=tmp_path), replace(SHORT, examples=1_100, fitted_on=1_000, pairs=700))
    assert train.daybreak(installation)() == 1_100
    assert train.score(installation)() == 700


def test_what_makes_no_use_of_a_service_or_of_the_newsroom_starts_and_plays_none() -> None:
    assert {name for name, bench in BENCHES.items() if not bench.needs} == {"train", "candidates"}
    assert {name for name, bench in BENCHES.items() if "mlflow" in bench.needs} == {"loop"}


def test_made_up_examples_have_every_column_that_the_ranker_asks_for() -> None:
    parts = ranker.fit_ranker(train.make_examples(2_000, 1), 1)
    seconds = ranker.expect_seconds(parts, train.make_examples(500, 2))
    assert len(seconds) == 500
    assert seconds.std() > 0


def test_every_bound_on_trees_has_its_name_in_lightgbm() -> None:
    assert {*ranker.TREES, "monotonic_cst", "random_state"} == set(train.SAME_IN_LIGHTGBM)


def test_what_benchmarks_compare_with_is_locked_and_lies_where_state_may_lie(tmp_path: Path) -> None:
    locked = libraries.LOCK.read_text()
    assert all(f"\n{name}==" in f"\n{locked}" for name in ("implicit", "lightgbm"))
    assert "\nnumpy==" not in locked, "the environment's own must be taken"
    libraries.folder_in(tmp_path).mkdir(parents=True)
    assert files.is_state_folder(tmp_path)
