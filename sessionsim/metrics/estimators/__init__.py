"""Estimators that state their own uncertainty (metrics 0.3 and 1.2), one subject a module.

Arrays in, numbers with intervals out. Nothing here knows a run, an attack or a secret: a metric of the
catalogue counts, these estimate. Where the data are too few, an estimate has no value and says how many
units would do. scikit-learn and lifelines are heavy and belong to the extra `analysis`; the functions that
need them import them when they are called.
"""
