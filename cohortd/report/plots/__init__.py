"""Plots for people who read reports, drawn once and written twice: SVG for the page, PNG beside it.

The only place that knows matplotlib, and only its objects: no state is shared, nothing is shown.
"""
