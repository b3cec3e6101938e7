"""The Django face's own modules: jobs, which models serve, and what is stored."""
