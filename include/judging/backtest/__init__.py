"""Walk-forward backtest: at each past step, test the recommendations of models trained on what was known then.

This folder holds the plan, the questions of a step, the walk through the steps, the figures and their page. Features
and lists are made by the code of production. `docs/backtest.md` explains the results.
"""
