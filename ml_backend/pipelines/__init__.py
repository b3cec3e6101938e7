"""Load once, call many: ``Pipeline(package, device)(request) -> result``, with PIL and NumPy at the edges."""
