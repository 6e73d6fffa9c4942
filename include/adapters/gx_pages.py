"""Data Docs without the network: Great Expectations' own sections on a page of ours that loads nothing.

Great Expectations' page template loads sixteen files from seven foreign hosts and is bare HTML without them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from great_expectations.checkpoint.actions import ActionContext, UpdateDataDocsAction
from great_expectations.checkpoint.checkpoint import CheckpointResult
from great_expectations.data_context.types.resource_identifiers import ExpectationSuiteIdentifier
from great_expectations.render.renderer.site_builder import SiteBuilder
from great_expectations.render.view import DefaultJinjaPageView
from jinja2 import ChoiceLoader, FileSystemLoader

from include.core.html import STYLE

TEMPLATES = Path(__file__).resolve().parent / "templates"


class OfflinePageView(DefaultJinjaPageView):  # type: ignore[misc]
    """Great Expectations' page view with `templates/data_docs.j2` as the page; the configuration in gx.py names it."""

    _template = "data_docs.j2"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.env.loader = ChoiceLoader([FileSystemLoader(TEMPLATES), self.env.loader])
        self.env.globals["style"] = STYLE


class OfflineSite(SiteBuilder):  # type: ignore[misc]
    """A site of the pages alone: without four megabytes of fonts and pictures, and the report has a front page."""

    def build(self, resource_identifiers: Any = None, build_index: bool = True) -> Any:
        """Build the pages of these results."""
        for section in self.site_section_builders.values():
            section.build(resource_identifiers=resource_identifiers)
        return self.get_resource_url(only_if_exists=False), {}


class BuildPages(UpdateDataDocsAction):  # type: ignore[misc]
    """Build the pages of all results at once; Great Expectations' own action builds the site anew for each result."""

    type: Literal["build_pages"] = "build_pages"

    def run(self, checkpoint_result: CheckpointResult, action_context: ActionContext | None = None) -> dict[str, Any]:
        """Build them, and the pages of the suites that they link to."""
        results = checkpoint_result.run_results
        suites = [ExpectationSuiteIdentifier(name=result.suite_name) for result in results.values()]
        built: dict[str, Any] = self._build_data_docs(self.site_names, [*results, *suites])
        return built
