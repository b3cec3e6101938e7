"""Shipping elsewhere: a model packed for another cloud, answered for by our own server, and asked over the network.

:mod:`.inference` is the contract, said once: it travels in the archive that :mod:`.tarball` packs, and :mod:`.server`
answers by it.  :mod:`.asking` is the other side.
"""
