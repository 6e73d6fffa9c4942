"""The checks of a verdict, each declared once with its title, its limit and its sentences for passing and failing.

Pure. `verdict.py`, `fresh_process.py`, `slices.py` and `guardrails.py` measure and call `make_check()`; this table
decides which codes a verdict needs, which of them block, and every sentence. `docs/checks.md` has a section per code.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Literal, Self

from include.core.checks import Check, Severity, at_least, at_most
from include.core.numbers import capital, fill_in
from include.core.settings import Settings

CERTAIN_SHARE = 0.975  # the chance of a gain at which its 95 % interval begins above zero
LEAST_GAIN = 1e-9


@dataclass(frozen=True)
class GateLimits:
    """The settings that a verdict depends on, by their own names."""

    list_length: int
    holdout_parts: int
    new_reader_days: float
    busy_reader_reads: int
    min_judged_readers: int
    floor_baseline_share: float
    floor_coverage_share: float
    min_effect_share: float
    ask_chance_share: float
    min_slice_readers: int
    max_slice_fall_share: float
    max_window_fall_share: float
    min_candidates_share: float
    min_catalogue_kept_share: float
    min_diversity_kept_share: float
    min_novelty_kept_share: float
    max_concentration_rise: float
    max_age_rise_hours: float
    max_publisher_rise_share: float
    min_kept_places_share: float
    max_list_milliseconds: float
    max_model_memory_mb: int

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the limits from the settings."""
        return cls(**{field.name: getattr(settings, field.name) for field in fields(cls)})


@dataclass(frozen=True)
class GateCheck:
    """The declaration of a check.

    `title` is a neutral name that fits both outcomes. `measure` names the number that is compared with `limit`, which
    is a setting's name or a number. Sentences name facts with their formats (`numbers.py`); `unknown` is used if there
    is no number, by default "(measure) is not known".
    """

    code: str
    title: str
    kind: Literal["blocks", "asks"]
    when: Literal["always", "against a champion", "in trouble"]
    measure: str
    holds: Literal["at least", "at most"]
    limit: str | float
    passed: str
    failed: str
    unknown: str = ""
    limit_is: str = ""  # in words, if the number alone is not clear


TABLE = (
    GateCheck(
        "RT101", "Readers judged", "blocks", "always", "the number of readers judged", "at least", "min_judged_readers",
        "{observed:count} readers were judged; at least {limit:count} are needed.",
        "Only {observed:count} readers read something in the hold-out; at least {limit:count} are needed.",
    ),
    GateCheck(
        "RT102", "Accuracy of the lists", "blocks", "always",
        "the accuracy of the lists", "at least", "floor_baseline_share",
        "Time-weighted NDCG@{limits.list_length} is {observed:score}; at least {limit:score} is needed "
        "({limits.floor_baseline_share:share} of {theirs:score} of the best baseline, {best}).",
        "Time-weighted NDCG@{limits.list_length} is only {observed:score}; at least {limit:score} is needed "
        "({limits.floor_baseline_share:share} of {theirs:score} of the best baseline, {best}).",
    ),
    GateCheck(
        "RT103", "Full lists", "blocks", "always", "the share of full lists", "at least", "floor_coverage_share",
        "{observed:share} of the lists are full; at least {limit:share} must be.",
        "Only {observed:share} of the lists are full; at least {limit:share} must be.",
    ),
    GateCheck(
        "RT104", "Finite scores", "blocks", "always", "the share of finite scores", "at least", 1.0,
        "All scores are finite numbers.",
        "Only {observed:share} of the scores are finite numbers; all must be.",
    ),
    GateCheck(
        "RT105", "Gain over each baseline", "blocks", "always",
        "the gain over the baseline {subject}", "at least", LEAST_GAIN,
        "NDCG@{limits.list_length} {ours:score} against {theirs:score} of the baseline {subject} ({gain:gain}; "
        "95 % interval {low:gain} to {high:gain}; {readers:count} readers).",
        "{challenger} does not certainly beat the baseline {subject} ({gain:gain}; 95 % interval {low:gain} to "
        "{high:gain}, which must lie above zero).",
        limit_is="interval above zero",
    ),
    GateCheck(
        "RT106", "Certainty of the gain", "asks", "against a champion", "the certainty of the gain", "at least", 0.0,
        "The gain is certain ({chance:share}; 95 % interval {low:gain} to {high:gain}).",
        "The gain is not certain ({chance:share}, {certain:share} needed; 95 % interval {low:gain} to {high:gain}).",
        limit_is="interval from zero up",
    ),
    GateCheck(
        "RT107", "New model files", "blocks", "always", "whether the files are new", "at least", 1.0,
        "The files differ from those of the champion.",
        "The files are the same as those of {rival}, so there is nothing new to promote.",
        limit_is="another digest",
    ),
    GateCheck(
        "RT108", "Gain over the champion", "blocks", "against a champion",
        "the gain over {rival}", "at least", "min_effect_share",
        "NDCG@{limits.list_length} {ours:score} against {theirs:score} of {rival} ({gain:gain}; needs {limit:gain} and "
        "{limits.ask_chance_share:share} certainty, has {chance:share}; {readers:count} readers).",
        "{challenger} does not beat {it} ({gain:gain}; needs {limit:gain} and {limits.ask_chance_share:share} "
        "certainty, has {chance:share}).",
    ),
    GateCheck(
        "RT109", "End of the champion's training data", "blocks", "against a champion",
        "the end of the training data of {rival}", "at most", 0.0,
        "{rival} was trained on reading up to {until:moment}; the hold-out starts at {start:moment}.",
        "{rival} was trained on reading up to {until:moment}, but the hold-out starts at {start:moment}: it knows part "
        "of the answers.",
        limit_is="before the hold-out",
    ),
    GateCheck(
        "RT110", "Accuracy by group of readers", "blocks", "against a champion",
        "the accuracy for {subject}", "at most", "max_slice_fall_share",
        "{subject}: NDCG@{limits.list_length} {ours:score} against {theirs:score} of {rival} ({gain:gain}; interval "
        "{low:gain} to {high:gain}; {readers:count} readers).",
        "{subject}: accuracy falls by {observed:share}, at most {limit:share} is allowed (NDCG@{limits.list_length} "
        "{ours:score} against {theirs:score} of {rival}; {readers:count} readers).",
        "{why}",
    ),
    GateCheck(
        "RT111", "Accuracy by part of the hold-out", "blocks", "against a champion",
        "the accuracy for {subject}", "at most", "max_window_fall_share",
        "{subject}: NDCG@{limits.list_length} {ours:score} against {theirs:score} of {rival} ({gain:gain}; interval "
        "{low:gain} to {high:gain}; {readers:count} readers).",
        "{subject}: accuracy falls by {observed:share}, at most {limit:share} is allowed (NDCG@{limits.list_length} "
        "{ours:score} against {theirs:score} of {rival}; {readers:count} readers).",
        "{why}",
    ),
    GateCheck(
        "RT112", "Use in a fresh process", "blocks", "always", "the number of readers ranked for", "at least", 1.0,
        "A fresh process loaded {challenger} from the registry in {seconds:tenths} s and ranked for "
        "{observed:count} readers.",
        "A fresh process loaded {challenger}, but there was no reader to rank for.",
        "{challenger} cannot be used from the registry: {trouble}.",
        limit_is="loads and ranks",
    ),
    GateCheck(
        "RT113", "Scores in a fresh process", "blocks", "always", "the agreement with a fresh process", "at most", 0.0,
        "A fresh process gives the same articles and scores as this one.",
        "A fresh process gives another article or score at {observed:share} of the places.",
    ),
    GateCheck(
        "RT114", "Time per list", "blocks", "always", "the time per list", "at most", "max_list_milliseconds",
        "A list takes {observed:tenths} ms of processor time; at most {limit:plain} ms are allowed.",
        "A list takes too long: {observed:tenths} ms of processor time, at most {limit:plain} ms are allowed.",
    ),
    GateCheck(
        "RT115", "Memory", "blocks", "always",
        "the memory that loading and ranking takes", "at most", "max_model_memory_mb",
        "Loading and ranking takes {observed:count} MB of memory; at most {limit:count} MB are allowed.",
        "Loading and ranking takes too much memory: {observed:count} MB, at most {limit:count} MB are allowed.",
    ),
    GateCheck(
        "RT116", "Candidates per list", "blocks", "against a champion",
        "the number of candidates per list", "at least", "min_candidates_share",
        "{ours:tenths} candidates per list against {theirs:tenths} of {rival} ({observed:share}; at least "
        "{limit:share} is needed).",
        "{challenger} finds too few candidates: {ours:tenths} per list against {theirs:tenths} of {rival} "
        "({observed:share}; at least {limit:share} is needed).",
    ),
    GateCheck(
        "RT117", "End of the challenger's training data", "blocks", "always",
        "the end of the training data of {challenger}", "at most", 0.0,
        "{challenger} was trained on reading up to {until:moment}; the hold-out starts at {start:moment}.",
        "{challenger} was trained on reading up to {until:moment}, but the hold-out starts at {start:moment}: it has "
        "seen the answers.",
        limit_is="before the hold-out",
    ),
    GateCheck(
        "RT118", "Loading the champion", "asks", "in trouble", "whether the champion can be loaded", "at least", 1.0,
        "{champion} can be loaded.",
        "{champion} cannot be loaded: {trouble}. {instead}.",
        limit_is="loads",
    ),
    GateCheck(
        "RT119", "Catalogue coverage", "asks", "against a champion",
        "the share of live articles listed", "at least", "min_catalogue_kept_share",
        "{ours:share} of the live articles are in a list against {theirs:share} with {rival} ({observed:share} of "
        "that; at least {limit:share} is needed).",
        "Too little of the catalogue is shown: {ours:share} of the live articles are in a list against {theirs:share} "
        "with {rival} ({observed:share} of that; at least {limit:share} is needed).",
    ),
    GateCheck(
        "RT120", "Mix of categories", "asks", "against a champion",
        "the mix of categories", "at least", "min_diversity_kept_share",
        "Two articles of a list differ in category with a chance of {ours:share} against {theirs:share} with {rival} "
        "({observed:share} of that; at least {limit:share} is needed).",
        "The lists are less mixed: two articles of a list differ in category with a chance of {ours:share} against "
        "{theirs:share} with {rival} ({observed:share} of that; at least {limit:share} is needed).",
    ),
    GateCheck(
        "RT121", "Novelty of the lists", "asks", "against a champion",
        "the novelty of the listed articles", "at least", "min_novelty_kept_share",
        "A listed article has {ours:plain} bits of novelty against {theirs:plain} with {rival} ({observed:share} of "
        "that; at least {limit:share} is needed).",
        "The lists favour popular articles too much: {ours:plain} bits of novelty per article against "
        "{theirs:plain} with {rival} ({observed:share} of that; at least {limit:share} is needed).",
    ),
    GateCheck(
        "RT122", "Concentration on a few articles", "asks", "against a champion",
        "the concentration on a few articles", "at most", "max_concentration_rise",
        "The Gini coefficient of the lists is {ours:plain} against {theirs:plain} with {rival} "
        "({observed:change}; a rise of {limit:plain} is allowed).",
        "The lists concentrate on fewer articles: their Gini coefficient is {ours:plain} against {theirs:plain} with "
        "{rival} ({observed:change}; a rise of {limit:plain} is allowed).",
    ),
    GateCheck(
        "RT123", "Age of the articles", "asks", "against a champion",
        "the age of the listed articles", "at most", "max_age_rise_hours",
        "The median listed article is {ours:tenths} h old against {theirs:tenths} h with {rival} ({observed:change} h; "
        "a rise of {limit:plain} h is allowed).",
        "The articles are too old: the median is {ours:tenths} h against {theirs:tenths} h with {rival} "
        "({observed:change} h; a rise of {limit:plain} h is allowed).",
    ),
    GateCheck(
        "RT124", "Share of the largest publisher", "asks", "against a champion",
        "the share of the largest publisher", "at most", "max_publisher_rise_share",
        "The largest publisher has {ours:share} of the places against {theirs:share} with {rival} ({observed:points}; "
        "a rise of {limit:points} is allowed).",
        "The largest publisher has too many places: {ours:share} of the places against {theirs:share} with {rival} "
        "({observed:points}; a rise of {limit:points} is allowed).",
    ),
    GateCheck(
        "RT125", "Turnover of the champion's lists", "asks", "against a champion",
        "the turnover of the champion's lists", "at least", "min_kept_places_share",
        "{kept:share} of the places in the lists of {rival} stay and {shorter:share} of the readers get fewer "
        "articles; the first minus the second must be at least {limit:share}.",
        "The lists of {rival} change too much: {kept:share} of the places stay and {shorter:share} of the readers get "
        "fewer articles; the first minus the second must be at least {limit:share}.",
    ),
    GateCheck(
        "RT126", "Turnover of the live lists", "asks", "against a champion",
        "the turnover of the live lists", "at least", "min_kept_places_share",
        "{kept:share} of the places in {told} stay and {shorter:share} of {readers:count} readers get fewer articles; "
        "the first minus the second must be at least {limit:share}.",
        "The live lists change too much: {kept:share} of the places in {told} stay and {shorter:share} of "
        "{readers:count} readers get fewer articles; the first minus the second must be at least {limit:share}.",
    ),
)  # fmt: skip

GATE_CHECKS = {one.code: one for one in TABLE}
ALWAYS = frozenset(one.code for one in TABLE if one.when == "always")
AGAINST_CHAMPION = frozenset(one.code for one in TABLE if one.when == "against a champion")
ASKING = frozenset(one.code for one in TABLE if one.kind == "asks")


def make_check(
    code: str, limits: GateLimits, observed: float | None, subject: str, limit: float | None = None, **facts: object
) -> Check:
    """Return the check with this code: the observed number, its limit, and the sentence that fits the outcome.

    Pass `limit` if the declared one is a share of a measured number. A missing or infinite number fails.
    """
    one = GATE_CHECKS[code]
    limit = _limit(one, limits) if limit is None else limit
    compare = at_least if one.holds == "at least" else at_most
    severity: Severity = "block" if one.kind == "blocks" else "warn"
    made = compare(code, one.title, subject, observed, limit, "", severity)
    text = one.unknown or f"{one.measure} is not known."
    if made.observed is not None:
        text = one.passed if made.outcome == "passed" else one.failed
    told = {**facts, "observed": observed, "limit": limit, "limits": limits, "subject": subject}
    sentence = fill_in(text, told, apart_from=limit)
    return replace(made, sentence=sentence, limit_is=one.limit_is or made.limit_is)


def skip_check(code: str, limits: GateLimits, subject: str, sentence: str = "", observed: float | None = None) -> Check:
    """Return the check with this code as not applicable, with the reason; it never passes."""
    one = GATE_CHECKS[code]
    limit_is = f"{'>=' if one.holds == 'at least' else '<='} {_limit(one, limits):g}"
    sentence = sentence or f"{capital(one.measure)} is not known for either model, so there is nothing to compare."
    return Check(code, one.title, subject, "info", "not applicable", observed, limit_is, sentence)


def _limit(one: GateCheck, limits: GateLimits) -> float:
    return float(getattr(limits, one.limit)) if isinstance(one.limit, str) else one.limit
