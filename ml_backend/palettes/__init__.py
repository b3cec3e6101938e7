"""Palettes: found in pictures, composed by rule, held by name, written to files, judged by eye.

A palette that is *held* has 2 to 12 colours; a fabric *wears* as many of them as it has inks, the first ones.  Pure
NumPy, so a web process may import it.
"""
