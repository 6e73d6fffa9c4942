"""The stage `backtest`: test models on the past with a clean snapshot."""

from __future__ import annotations

from dataclasses import replace

from include.adapters import mlflow_reports
from include.adapters.warehouse import connect
from include.core.clock import compact, now
from include.core.errors import ArtifactDamaged, NoChampion, ServiceError
from include.core.references import Reference
from include.core.run import Run
from include.data import snapshot
from include.data.store import digest_of, whole_folder
from include.judging import champion as champions
from include.judging.backtest import page
from include.judging.backtest.figures import add_up
from include.judging.backtest.plan import CHAMPION, Plan
from include.judging.backtest.walking import FixedChampion, Say, Walk
from include.models import registry
from include.pipeline.run import recorded


@recorded
def backtest(run: Run, clean: Reference, plan: Plan, say: Say) -> Reference:
    """Walk over the steps of a clean snapshot and save the report; `facts["table"]` is for a terminal."""
    settings = run.settings
    champion, notes = _champion_to_walk(run, plan)
    if champion is None:
        plan = replace(plan, models=tuple(name for name in plan.models if name != CHAMPION))
    walk = Walk(settings, plan, snapshot.open_snapshot(clean), say, champion)
    figures = add_up(walk.results(), settings.seed, plan.k)
    about = [("snapshot", clean.id), ("champion", champion.digest[:12] if champion else notes)]
    report = f"backtests/{compact(plan.end)}-{walk.id}/index.html"
    folder = (settings.home / "reports" / report).parent
    with whole_folder(settings, folder) as draft:
        page.write_report(run, draft, plan, figures, about)
    numbers = {f"{who}/{name}": value for who, means in figures.means.items() for name, value in means.items()}
    try:
        mlflow_reports.keep_backtest(settings, walk.id, plan.to_dict(), numbers, folder, now())
    except ServiceError as error:
        notes = f"{notes} Not saved in MLflow: {error.fact}".strip()
    facts = {"table": page.as_text(plan, figures), "report": str(folder / "index.html"), "notes": notes}
    fingerprint = digest_of(walk.id, figures.means)
    return Reference("backtest", walk.id, report, run.as_of, fingerprint, (clean.id,), facts)


def _champion_to_walk(run: Run, plan: Plan) -> tuple[FixedChampion | None, str]:
    """Return the champion, or None and the reason it cannot take part: it must not have seen the answers."""
    if CHAMPION not in plan.models:
        return None, ""
    try:
        with connect(run.settings) as warehouse:
            registered = registry.find_model(warehouse, champions.need_champion(warehouse).version)
        if registered.as_of > plan.start:
            return None, (
                f"Champion v{registered.version} is left out: it was trained as of "
                f"{registered.as_of:%Y-%m-%d %H:%M} UTC, after the first step, and has seen answers."
            )
        return FixedChampion(registry.load_version(run.settings, registered), registered.digest), ""
    except NoChampion:
        return None, "There is no champion yet."
    except (ArtifactDamaged, ServiceError) as error:
        return None, f"The champion is left out: {error.fact}"
