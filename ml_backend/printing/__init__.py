"""From a tile to a roll of cloth: print files of true size, plates, vectors, proofs.

Everything is planned in centimetres (:mod:`.plan`), painted band by band (:mod:`.painting`) and written as it comes
(:mod:`.writers`), so a panel of any size takes the memory of a few repeats.  No torch and no Django.
"""
