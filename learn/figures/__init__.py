"""What the figures draw, computed: the templates only place it, so no digit in a drawing can be wrong.

Lengths that go into SVG attributes are text with a decimal point, because a template localises numbers.
"""
