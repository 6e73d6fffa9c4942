"""Checks of a day against earlier days: volume, freshness, change, and the limits that follow from them."""
