"""Great Expectations, called directly: one ephemeral context, frames in parts, one Data Docs page per table.

Belongs here: turning rules into expectations, and results into numbers and pages. Does not belong here: the rules
(`core/contract.py`) and the judgement of a run (`include/validation/`).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from include.core.contract import Rule

SEVERITY = {"block": "critical", "warn": "warning", "info": "info"}
MOST_EXAMPLES = 5
UNSHOWN = ("title", "summary")  # free text may name a person


@dataclass(frozen=True)
class Answer:
    """Great Expectations' counts for one rule; `examples` are values that break it."""

    rows: int
    missing: int
    broken: int
    examples: tuple[str, ...] = ()

    @property
    def counts(self) -> tuple[int, int, int]:
        """Return the counts of rows, missing values and broken values."""
        return self.rows, self.missing, self.broken

    @property
    def judged(self) -> int:
        """Return the number of values that the rule applies to."""
        return self.rows - self.missing

    @property
    def share(self) -> float:
        """Return the share of judged values that break the rule."""
        return self.broken / self.judged if self.judged else 0.0

    def __add__(self, other: Answer) -> Answer:
        return Answer(
            self.rows + other.rows,
            self.missing + other.missing,
            self.broken + other.broken,
            (self.examples + other.examples)[:MOST_EXAMPLES],
        )


def installed_version() -> str:
    """Return the version of Great Expectations; another version may answer differently."""
    return version("great-expectations")


def is_shown(rule: Rule) -> bool:
    """Return whether people may see the values that break a rule."""
    return not (rule.private or rule.column in UNSHOWN)


class Judge:
    """A Great Expectations context that answers rules. Only the pages it writes outlive the process."""

    def __init__(self) -> None:
        os.environ["GX_ANALYTICS_ENABLED"] = "false"
        logging.getLogger("great_expectations").setLevel(logging.WARNING)
        import great_expectations as gx

        self._gx = gx
        self._context = gx.get_context(mode="ephemeral")
        self._context.variables.progress_bars = {"globally": False}
        asset = self._context.data_sources.add_pandas("snapshot").add_dataframe_asset("rows")
        self._batch = asset.add_batch_definition_whole_dataframe("all")

    def ask(self, frames: Iterable[pd.DataFrame], rules: Sequence[Rule]) -> dict[str, Answer]:
        """Return the answer to every rule, by its code, summed over the parts of a table.

        An expectation that raises is an exception here, never a verdict on the data.
        """
        answers = {rule.code: Answer(0, 0, 0) for rule in rules}
        if not rules:
            return answers
        suite = self._gx.ExpectationSuite(name="rules", expectations=[_expectation(rule) for rule in rules])
        by_code = {rule.code: rule for rule in rules}
        for frame in frames:
            batch = self._batch.get_batch(batch_parameters={"dataframe": frame})
            for result in batch.validate(suite, result_format="BASIC").results:
                rule = by_code[result.expectation_config.meta["code"]]
                answers[rule.code] += _answer(rule, result)
        return answers

    def document(self, suites: Mapping[str, Sequence[tuple[Rule, Answer, float]]], moment: str, docs: Path) -> None:
        """Write Data Docs to `docs`: one page per table with each rule, its counts and its cap."""
        from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResult
        from great_expectations.core.run_identifier import RunIdentifier
        from great_expectations.data_context.types.resource_identifiers import (
            ExpectationSuiteIdentifier,
            ValidationResultIdentifier,
        )

        self._context.add_data_docs_site(
            site_name="daybreak",
            site_config={
                "class_name": "SiteBuilder",
                "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
                "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(docs)},
            },
        )
        run = RunIdentifier(run_name="validation", run_time=moment)
        for table, asked in suites.items():
            expectations = [_expectation(rule, cap) for rule, _, cap in asked]
            self._context.suites.add(self._gx.ExpectationSuite(name=table, expectations=expectations))
            results = [_result(one, *answer) for one, answer in zip(expectations, asked, strict=True)]
            passed = sum(bool(result.success) for result in results)
            found = ExpectationSuiteValidationResult(
                success=passed == len(results),
                results=results,
                suite_name=table,
                statistics={
                    "evaluated_expectations": len(results),
                    "successful_expectations": passed,
                    "unsuccessful_expectations": len(results) - passed,
                    "success_percent": 100 * passed / len(results) if results else None,
                },
                meta={"great_expectations_version": installed_version(), "run_id": run},
            )
            key = ValidationResultIdentifier(ExpectationSuiteIdentifier(table), run, "window")
            self._context.validation_results_store.set(key, found)
        self._context.build_data_docs(["daybreak"])  # unnamed, it also builds a site in the temporary folder


def _expectation(rule: Rule, cap_share: float = 0.0) -> Any:
    import great_expectations.expectations as gxe

    common = {
        "column": rule.column,
        "mostly": 1 - cap_share,
        "severity": SEVERITY[rule.severity],
        "meta": {"code": rule.code},
        "notes": f"{rule.code}: {rule.title}",
    }
    match rule.holds:
        case "not_null":
            return gxe.ExpectColumnValuesToNotBeNull(**common)
        case "between":
            return gxe.ExpectColumnValuesToBeBetween(**common, min_value=rule.limits[0], max_value=rule.limits[1])
        case "one_of":
            return gxe.ExpectColumnValuesToBeInSet(**common, value_set=list(rule.limits))
        case "is_true":
            return gxe.ExpectColumnValuesToBeInSet(**common, value_set=[True])
        case "matches":
            return gxe.ExpectColumnValuesToMatchRegex(**common, regex=rf"(?a)\A(?:{rule.limits[0]})\Z")
        case "lacks":
            return gxe.ExpectColumnValuesToNotMatchRegex(**common, regex=f"(?a){rule.pattern_in_python}")
        case "no_longer_than":
            return gxe.ExpectColumnValueLengthsToBeBetween(**common, max_value=rule.limits[0])


def _answer(rule: Rule, result: Any) -> Answer:
    if result.exception_info.get("raised_exception") or "unexpected_count" not in result.result:
        raise RuntimeError(f"{rule.code} on {rule.column} could not be checked: {result.exception_info}")
    numbers = result.result
    shown = (numbers.get("partial_unexpected_list") or ()) if is_shown(rule) else ()
    return Answer(
        int(numbers["element_count"]),
        int(numbers.get("missing_count") or 0),
        int(numbers["unexpected_count"]),
        tuple(str(value)[:80] for value in shown[:MOST_EXAMPLES]),
    )


def _result(expectation: Any, rule: Rule, answer: Answer, cap_share: float) -> Any:
    """Return the answer for the whole table as Great Expectations' own result type."""
    from great_expectations.core.expectation_validation_result import ExpectationValidationResult

    return ExpectationValidationResult(
        success=answer.share <= cap_share,
        expectation_config=expectation.configuration,
        result={
            "element_count": answer.rows,
            "missing_count": answer.missing,
            "missing_percent": 100 * answer.missing / answer.rows if answer.rows else 0.0,
            "unexpected_count": answer.broken,
            "unexpected_percent": 100 * answer.share,
            "unexpected_percent_total": 100 * answer.broken / answer.rows if answer.rows else 0.0,
            "unexpected_percent_nonmissing": 100 * answer.share,
            "partial_unexpected_list": list(answer.examples),
        },
        meta={},
        exception_info={"raised_exception": False, "exception_message": None, "exception_traceback": None},
    )
