"""How an image is made: a pure library (networks, pipelines, training) and its Django face (models, jobs, tasks)."""
