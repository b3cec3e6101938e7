"""Named metrics, each on data the model never saw."""
