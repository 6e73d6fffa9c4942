"""Great Expectations, called directly: ephemeral context, one suite per table, one Data Docs site per run.

Belongs here: turning rules into expectations and results into checks. What the rules are stands in `contract.py`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from include.checks import Check
from include.contract import Rule

SEVERITY = {"block": "critical", "warn": "warning"}


def check_frames(
    frames: Mapping[str, pd.DataFrame], suites: Mapping[str, Sequence[Rule]], cap_share: float, docs: Path
) -> list[Check]:
    """One check per rule and table, and a Data Docs site in `docs`.

    A rule passes while the share of rows that break it stays within `cap_share`. An expectation that raises is an
    exception of ours, never a verdict on the data.
    """
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    import great_expectations as gx
    from great_expectations.checkpoint import Checkpoint

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    context.add_data_docs_site(
        site_name="daybreak",
        site_config={
            "class_name": "SiteBuilder",
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
            "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(docs)},
        },
    )
    source = context.data_sources.add_pandas("snapshot")
    checks: list[Check] = []
    for table, frame in frames.items():
        batch = source.add_dataframe_asset(table).add_batch_definition_whole_dataframe("all")
        expectations = [_expectation(rule, cap_share) for rule in suites[table]]
        suite = context.suites.add(gx.ExpectationSuite(name=table, expectations=expectations))
        definition = context.validation_definitions.add(gx.ValidationDefinition(name=table, data=batch, suite=suite))
        checkpoint = context.checkpoints.add(
            Checkpoint(name=table, validation_definitions=[definition], result_format="BASIC")
        )
        result = next(iter(checkpoint.run(batch_parameters={"dataframe": frame}).run_results.values()))
        by_code = {rule.code: rule for rule in suites[table]}
        checks += [
            _check(by_code[answer.expectation_config.meta["code"]], table, answer, cap_share)
            for answer in result.results
        ]
    context.build_data_docs()
    return sorted(checks, key=lambda check: check.code)


def _expectation(rule: Rule, cap_share: float) -> Any:
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
        case "unique":  # copy_no counts the copies of a key, so the first of them is not held against anybody
            return gxe.ExpectColumnValuesToBeBetween(**{**common, "column": "copy_no"}, min_value=1, max_value=1)
        case "between":
            return gxe.ExpectColumnValuesToBeBetween(**common, min_value=rule.limits[0], max_value=rule.limits[1])
        case "one_of":
            return gxe.ExpectColumnValuesToBeInSet(**common, value_set=list(rule.limits))
        case "is_true":
            return gxe.ExpectColumnValuesToBeInSet(**common, value_set=[True])


def _check(rule: Rule, table: str, answer: Any, cap_share: float) -> Check:
    if answer.exception_info.get("raised_exception") or "unexpected_count" not in answer.result:
        raise RuntimeError(f"{rule.code} on {table} could not be checked: {answer.exception_info}")
    broken = int(answer.result["unexpected_count"])
    rows = int(answer.result["element_count"]) - int(answer.result.get("missing_count") or 0)
    share = broken / rows if rows else 0.0
    return Check(
        code=rule.code,
        title=rule.title,
        subject=table,
        severity=rule.severity,
        outcome="passed" if answer.success else "failed",
        observed=share,
        limit_is=f"<= {cap_share:g}",
        sentence=f"{broken:,} of {rows:,} values ({share:.2%}) break '{rule.title}'; {cap_share:.2%} may.",
    )
