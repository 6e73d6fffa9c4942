"""On what a training stands, and how that differs from what it stood on."""

from __future__ import annotations

from include.models.provenance import code_files, find_grounds, tell_differences

THEN = {
    "code": {"include/a.py": "1" * 64, "include/b.py": "2" * 64},
    "commit": "c0ffee",
    "lock": "3" * 64,
    "libraries": {"numpy": "2.0", "duckdb": "1.5"},
    "python": "3.11.9",
    "machine": "Linux x86_64",
    "threads": {"openmp": 2},
}


def test_what_is_the_same_is_not_told():
    assert tell_differences(THEN, {**THEN, "commit": "another name for the same code"}) == []


def test_code_that_changed_is_told_by_its_files():
    now = {**THEN, "code": {"include/a.py": "9" * 64, "include/c.py": "2" * 64}}
    assert tell_differences(THEN, now) == [
        "3 files of the code differ: include/a.py, include/b.py (gone), include/c.py (new)."
    ]


def test_of_many_files_the_first_are_named_and_the_rest_counted():
    now = {**THEN, "code": {**THEN["code"], **{f"include/{n}.py": "1" * 64 for n in range(7)}}}
    (told,) = tell_differences(THEN, now)
    assert told.startswith("7 files of the code differ: include/0.py (new), ")
    assert told.endswith("include/4.py (new) and 2 more.")


def test_libraries_lock_python_machine_and_threads_are_told_with_both_values():
    now = {
        **THEN,
        "lock": "4" * 64,
        "libraries": {"numpy": "2.1", "duckdb": "1.5"},
        "python": "3.12.1",
        "machine": "Linux aarch64",
        "threads": {"openmp": 1},
    }
    assert tell_differences(THEN, now) == [
        "1 installed library differs: numpy (2.0 then, 2.1 now).",
        "requirements.txt differs: 333333333333 then, 444444444444 now.",
        "Python differs: 3.11.9 then, 3.12.1 now.",
        "Machine differs: Linux x86_64 then, Linux aarch64 now.",
        "Thread counts differ: openmp (2 then, 1 now).",
    ]


def test_the_declarations_of_features_are_code_that_can_change_a_model():
    assert {
        "include/models/training.py",
        "include/features/sql/duckdb/reads.sql",
        "feature_repo/definitions.py",
    } <= set(code_files())


def test_a_word_in_a_page_a_mail_or_a_help_text_is_no_code_that_can_change_a_model():
    rooms = ("core", "adapters", "alerts", "lists", "judging", "monitoring", "pipeline", "operations")
    assert [path for path in code_files() if path.split("/")[1] in rooms] == ["include/core/contract.py"]
    assert not {"include/validation/page.py", "include/data/loading/mapping.py"} & set(code_files())


def test_what_lists_and_metrics_have_a_part_in_follows_from_their_code_too():
    assert {"include/lists/arrange.py", "include/judging/metrics.py"} <= set(
        code_files("include/lists", "include/judging")
    )


def test_the_grounds_of_this_process_do_not_differ_from_themselves():
    found = find_grounds()
    assert set(found) == set(THEN)
    assert tell_differences(found, find_grounds()) == []
