"""Your cloth: a photo of a real one becomes a fabric."""
