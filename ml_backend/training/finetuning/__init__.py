"""Fine-tuning of diffusion models: what the recipes ``dreambooth`` and ``lora`` share.

Public, and free of torch, so that a web process can offer, check and follow runs:

* :class:`.recipe.FineTuneRecipe`: the settings that both have; ``recipe.rules()`` says what each may be;
* :func:`.memory.estimate`: ``estimate(recipe) -> Estimate(bytes, sentence)``, before a run starts;
* :mod:`.run_folder`: what lies where in a run's folder; :func:`.run_folder.milestones`, :func:`.run_folder.read_log`,
  :func:`.run_folder.ask_to_stop`.

Everything else imports torch.  Public there: :func:`.loading.load_base`, :func:`.trainer.fine_tune`.
"""

from .memory import Estimate, estimate
from .recipe import FineTuneRecipe
from .run_folder import Milestone, ask_to_stop, milestones, read_log

__all__ = ["Estimate", "FineTuneRecipe", "Milestone", "ask_to_stop", "estimate", "milestones", "read_log"]
