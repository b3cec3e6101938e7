"""A small garment atelier in NumPy: cut panels, sew them, drape them on a mannequin, light them, take the picture."""
