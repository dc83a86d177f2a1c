"""Measurements, run by command. They print figures and ratios to a floor of the same run, and assert no time."""
