"""Optuna's choice of the next parameters, computed from the earlier trials; no other state is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Parameters = Mapping[str, float]
# name -> lowest, highest, whether it is an integer, whether it is searched on a log scale
Ranges = Mapping[str, tuple[float, float, bool, bool]]


def propose(ranges: Ranges, tried: Iterable[tuple[Parameters, float]], seed: int) -> dict[str, float]:
    """Return the parameters of the next trial; the same trials and seed always give the same parameters."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = {
        name: optuna.distributions.IntDistribution(int(low), int(high), log=is_log)
        if is_whole
        else optuna.distributions.FloatDistribution(low, high, log=is_log)
        for name, (low, high, is_whole, is_log) in sorted(ranges.items())
    }
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    for parameters, score in tried:
        if parameters.keys() == space.keys():
            study.add_trial(optuna.trial.create_trial(params=dict(parameters), distributions=dict(space), value=score))
    return dict(study.ask(dict(space)).params)
