"""Sweeps: one recipe in several settings, each run judged by KID, in a table that survives being killed.

* :mod:`.plan`: what a sweep is (``read_plan``); imports no torch;
* :mod:`.folder`: what lies where in its folder, and what is known so far; imports no torch;
* :mod:`.running`: trains and judges what is still to be done;
* :mod:`.report`: table, plots and contact sheets of what is known.
"""
