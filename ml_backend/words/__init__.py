"""What people's words mean: colours, patterns, garments and materials.  Pure Python and NumPy; imports no torch."""
