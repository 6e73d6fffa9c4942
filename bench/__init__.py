"""Measure the time and memory of Daybreak's stages and of other ways to do the same work.

Belongs here: the work of each variant, a process for each run, medians, a table. Does not belong here: limits, because
a figure means something only beside another one of the same run. `docs/bench.md` explains how to read it. To add a
benchmark, add a module and list it in `catalogue.py`.
"""
