"""Measure time and memory of Daybreak's stages beside other ways of doing the same work.

Belongs here: the work each variant does, a process for each, medians, a table. Does not belong here: limits; a figure
says something beside another one of the same run and nothing by itself. `docs/bench.md` tells how to read it.
Adding a benchmark is adding a module with a `BENCH` and naming it in `catalogue.py`.
"""
