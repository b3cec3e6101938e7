"""What restyle and imagine share: diffusers folders loaded with care, kept resident, sampled and watched.

``loading`` reads a folder package, ``model`` is what is kept of it, ``residency`` decides how much stays in memory,
``sampling`` runs one batch of requests, ``preview`` shows latents as pictures, ``settings`` fills in defaults.
"""
