"""What the README's figures come from: ``make bench``, or one part with ``python -m benchmarks PART``."""
