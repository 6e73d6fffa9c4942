"""Rehearsals on the demo: break something for real, watch what Daybreak does about it, and mend everything.

Belongs here: what is broken and how (`breakage.py`), the course of each rehearsal (`plays.py`), what it may do and see
(`stage.py`), the way back from any state (`mending.py`) and the proof that all is as before (`fingerprint.py`). Nothing
here runs on a publisher that is not the demo.
"""
