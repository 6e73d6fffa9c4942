"""The stage `clean_up`: remove what is old, correct MLflow's aliases, and report."""

from __future__ import annotations

from include.core.clock import compact
from include.core.references import Reference
from include.core.run import Run
from include.data.store import digest_of
from include.judging import champion as champions
from include.operations import retention
from include.operations.retention import page
from include.pipeline.run import recorded


@recorded
def clean_up(run: Run, dry_run: bool = False) -> Reference:
    """Remove what is old, or only list it in a dry run; correct MLflow's aliases by the ledger."""
    if not dry_run:
        champions.repair_aliases(run.settings)
    swept = retention.sweep(run.settings, run.as_of, dry_run=dry_run)
    facts = {
        **swept.facts,
        "table": page.render_text(swept),
        "report": page.save_page(run, swept),
    }
    return Reference("clean_up", compact(run.as_of), str(run.settings.home), run.as_of, digest_of(facts), (), facts)
