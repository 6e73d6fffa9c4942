"""Walk-forward backtest: at each step of the past, what models trained on what was known then would have recommended.

Belongs here: the plan, what is known and asked at a step, walking through the steps, the figures and their page. Does
not belong here: making features or lists, which are those of production. `docs/backtest.md` tells how to read it.
"""
