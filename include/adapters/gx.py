"""Great Expectations over DuckDB: suites made of the contract's rules, a checkpoint that judges them, Data Docs.

Belongs here: turning rules into expectations, expectations into the SQL of the rows that break them, and a checkpoint's
results into plain values. Does not belong here: the rules (`core/contract.py`) and what follows from a verdict
(`include/validation/`). The context is ephemeral; its results and pages are stored in the folder of the report.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb

from include.adapters.duck_dialect import joined
from include.core.contract import Rule
from include.core.errors import SettingsError

SEVERITY = {"block": "critical", "warn": "warning", "info": "info"}
NO_EXAMPLES = {"result_format": "BASIC", "partial_unexpected_count": 0}  # a value may name a person
RESULTS, SITE = "results", "daybreak"
PAGES = "include.adapters.gx_pages"


@dataclass(frozen=True)
class Answer:
    """Great Expectations' result for one rule: its verdict, how many values it judged, and how many break it.

    An expectation about a table has no such counts, but something `observed`.
    """

    is_kept: bool
    judged: int = 0
    broken: int = 0
    observed: str = ""

    @property
    def share(self) -> float:
        """Return the share of judged values that break the rule."""
        return self.broken / self.judged if self.judged else 0.0


def installed_version() -> str:
    """Return the version of Great Expectations; another version may ask in other words."""
    return version("great-expectations")


def limit_name(is_private: bool) -> str:
    """Return the suite parameter with the least share of values that must keep a rule."""
    return "least_private_share" if is_private else "least_sound_share"


class Judge:
    """A Great Expectations context on the views of one DuckDB connection."""

    def __init__(self, address: str, stored_in: Path | None = None) -> None:
        os.environ["GX_ANALYTICS_ENABLED"] = "false"
        logging.getLogger("great_expectations").setLevel(logging.WARNING)
        import great_expectations as gx

        self._gx = gx
        self._is_stored = stored_in is not None
        self._context = gx.get_context(mode="ephemeral", project_config=_configure(stored_in))
        self._context.variables.progress_bars = {"globally": False}
        self._source = self._context.data_sources.add_sql(
            "snapshot", connection_string=address, create_temp_table=False
        )

    def conditions(self, view: str, rules: Sequence[Rule]) -> dict[str, str]:
        """Return, by code, the SQL condition by which Great Expectations counts the rows that break each rule.

        Expectations about a table, or with a `row_condition`, have none.
        """
        from great_expectations.validator.metric_configuration import MetricConfiguration
        from great_expectations.validator.metrics_calculator import MetricsCalculator

        batch = self._rows(view).get_batch()
        engine = batch.data.execution_engine
        engine.batch_manager.load_batch_list(batch_list=[batch])
        calculator = MetricsCalculator(execution_engine=engine, show_progress_bars=False)
        found = {}
        for rule in rules:
            asked = expectation(rule, 1.0)
            if not getattr(asked, "map_metric", None) or asked.row_condition:
                continue  # it is about the table, or about a part of it, which its condition does not tell
            metrics = asked.get_validation_dependencies(
                execution_engine=engine, runtime_configuration={"result_format": "BOOLEAN_ONLY"}
            ).metric_configurations
            counted = metrics[f"{asked.map_metric}.unexpected_count"]
            metric = MetricConfiguration(
                f"{asked.map_metric}.condition", counted.metric_domain_kwargs, counted.metric_value_kwargs
            )
            try:
                condition, *_ = calculator.get_metric(metric)
            except KeyError:  # it has logged why
                raise SettingsError(
                    f"{rule.code} cannot be asked of {view}, column {rule.column}: Great Expectations failed.",
                    hint="its log above says why; the columns are those of docs/mapping.md.",
                ) from None
            found[rule.code] = str(condition.compile(dialect=engine.engine.dialect))
        return found

    def judge(
        self, suites: Mapping[str, tuple[str, Sequence[Rule]]], parameters: Mapping[str, float], moment: datetime
    ) -> dict[str, dict[str, Answer]]:
        """Run one checkpoint over all suites (name: view and rules), store its results and write Data Docs.

        The parameters are the limits that are known only now. The answers are by suite and code. An expectation that
        raises is an exception here, never a verdict on the data.
        """
        from great_expectations.core.run_identifier import RunIdentifier

        from include.adapters.gx_pages import BuildPages

        definitions = [
            self._context.validation_definitions.add(
                self._gx.ValidationDefinition(name=name, data=self._rows(view), suite=self._suite(name, rules))
            )
            for name, (view, rules) in suites.items()
        ]
        checkpoint = self._context.checkpoints.add(
            self._gx.Checkpoint(
                name="window",
                validation_definitions=definitions,
                actions=[BuildPages(name="data docs", site_names=[SITE])] if self._is_stored else [],
                result_format=NO_EXAMPLES,
            )
        )
        found = checkpoint.run(
            expectation_parameters=dict(parameters), run_id=RunIdentifier(run_name="validation", run_time=moment)
        )
        return {one.suite_name: _answers(suites[one.suite_name][1], one) for one in found.run_results.values()}

    def _rows(self, view: str) -> Any:
        return self._source.add_table_asset(view, table_name=view).add_batch_definition_whole_table("all rows")

    def _suite(self, name: str, rules: Sequence[Rule]) -> Any:
        expectations = [expectation(rule, {"$PARAMETER": limit_name(rule.private)}) for rule in rules]
        return self._context.suites.add(self._gx.ExpectationSuite(name=name, expectations=expectations))


@contextmanager
def open_judge(connection: duckdb.DuckDBPyConnection, stored_in: Path | None = None) -> Iterator[Judge]:
    """Yield a judge of this connection's views, which stores results and Data Docs in a folder."""
    with joined(connection) as address:
        yield Judge(address, stored_in)


def _configure(folder: Path | None) -> Any:
    """Return the configuration of a context that stores results and pages in the folder, and the rest in memory."""
    from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults

    defaults = InMemoryStoreBackendDefaults()
    if not folder:
        return DataContextConfig(store_backend_defaults=defaults)
    defaults.stores[defaults.validation_results_store_name]["store_backend"] = {
        "class_name": "TupleFilesystemStoreBackend",
        "base_directory": str(folder / RESULTS),
    }
    view = {"module_name": PAGES, "class_name": "OfflinePageView"}
    defaults.data_docs_sites = {
        SITE: {
            "module_name": PAGES,
            "class_name": "OfflineSite",
            "show_how_to_buttons": False,
            "site_section_builders": {
                name: {"class_name": "DefaultSiteSectionBuilder", "view": view}
                for name in ("expectations", "validations")
            },
            "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder)},
        }
    }
    return DataContextConfig(store_backend_defaults=defaults)


def expectation(rule: Rule, mostly: Any) -> Any:
    """Return the expectation of a rule; `mostly` is the least share of values that must keep it, or its parameter."""
    import great_expectations.expectations as gxe

    common = {
        "column": rule.column,
        "mostly": mostly,
        "severity": SEVERITY[rule.severity],
        "meta": {"code": rule.code},
        "description": f"{rule.code}: {rule.title}{_limits(rule)}",
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
            return gxe.ExpectColumnValuesToMatchRegex(**common, regex=f"^(?:{rule.limits[0]})$")
        case "lacks":
            return gxe.ExpectColumnValuesToNotMatchRegex(**common, regex=rule.limits[0])
        case "no_longer_than":
            return gxe.ExpectColumnValueLengthsToBeBetween(**common, max_value=rule.limits[0])
        case "as_usual" if rule.column:
            return gxe.ExpectColumnValuesToNotBeNull(**{**common, "mostly": {"$PARAMETER": rule.limits[0]}})
        case "as_usual":
            del common["column"], common["mostly"]
            fewest, most = ({"$PARAMETER": name} for name in rule.limits)
            return gxe.ExpectTableRowCountToBeBetween(**common, min_value=fewest, max_value=most)
        case "as_written":
            return _as_written(rule)


def _as_written(rule: Rule) -> Any:
    from great_expectations.exceptions import GreatExpectationsError
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    entry = json.loads(rule.limits[0])
    known = ("type", "kwargs", "meta", "severity", "description", "notes")
    try:
        return ExpectationConfiguration(**{name: entry[name] for name in known if name in entry}).to_domain_obj()
    except (GreatExpectationsError, TypeError, ValueError) as error:
        raise SettingsError(
            f"{rule.code} cannot be asked: {error}",
            hint="correct it in include/validation/expectations/.",
        ) from None


def _limits(rule: Rule) -> str:
    """Return the limits of a rule that its title does not say."""
    match rule.holds:
        case "between":
            return " ({:,.0f} to {:,.0f})".format(*rule.limits)
        case "one_of":
            return f" ({', '.join(map(str, rule.limits))})"
        case "no_longer_than":
            return f" (at most {rule.limits[0]:,} characters)"
    return ""


def _answers(rules: Sequence[Rule], found: Any) -> dict[str, Answer]:
    """Return the answers of one suite by code."""
    by_code = {rule.code: rule for rule in rules}
    codes = [(result.expectation_config.meta["code"], result) for result in found.results]
    return {code: _answer(by_code[code], result) for code, result in codes}


def _answer(rule: Rule, result: Any) -> Answer:
    numbers = result.result
    if message := _message(result.exception_info):
        raise RuntimeError(f"{rule.code} on {rule.column or 'the table'} could not be checked: {message}")
    if "element_count" not in numbers:
        return Answer(bool(result.success), observed=str(numbers.get("observed_value", "")))
    judged = int(numbers["element_count"]) - int(numbers.get("missing_count") or 0)
    return Answer(bool(result.success), judged, int(numbers["unexpected_count"]))


def _message(info: Any) -> str:
    """Return the first message of what an expectation raised; empty if it raised nothing."""
    raised = [info, *(one for one in info.values() if isinstance(one, dict))]
    return next((str(one["exception_message"]) for one in raised if one.get("exception_message")), "")
