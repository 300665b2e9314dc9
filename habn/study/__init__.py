"""The paired studies of normalizations: ``python -m habn.study --help``, and ``python -m habn.study.style --help``.

A study trains *variants* (a normalization and its settings) with the same seeds, data order and steps, from scratch or
as branches of one trunk, measures each on a split, clean and under changing light, and writes what it
measured to a file that `habn.results` reads.
"""
