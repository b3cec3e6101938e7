"""The settings of DreamBooth and LoRA.  Imports no torch: forms, the API and checks read the rules here."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from ...errors import BadInput
from ...requests import MAX_SEED, Number, OneOf, Prompt, Request, Rule, Whole, Words, parse_prompt, ruled

PRECISIONS = ("auto", "no", "bf16", "fp16")
MASKS = ("garment", "random", "mixed")
SCHEDULES = ("constant", "cosine")
MOST_PROMPTS = 16


@dataclass(frozen=True)
class Prompts(Rule):
    """At most so many prompts, each with words."""

    def clean(self, value: object) -> tuple[str, ...]:
        if not isinstance(value, list | tuple) or len(value) > MOST_PROMPTS:
            raise BadInput(f"There can be at most {MOST_PROMPTS} {self.what}.")
        return tuple(parse_prompt(each, self.what) for each in value)


@dataclass(frozen=True, kw_only=True)
class FineTuneRecipe(Request):
    """How a diffusion model is taught further.

    ``base`` is a starter's name or the folder of a diffusion model (Stable Diffusion 1, 2 or XL, or one built like
    them).  ``batch`` is the pictures of one pass, of all processes together; ``gradient_accumulation`` passes make a
    step.  ``rank`` is that of a LoRA (Hu et al. 2022), 0 trains all weights; ``alpha`` of 0 means the rank.
    ``mixed_precision`` "auto" is bfloat16 on CUDA, and none elsewhere.  ``eight_bit_adam`` is heeded where
    bitsandbytes is installed and there is a GPU.  ``warmup`` steps lead up to ``rate``.

    For bases that inpaint: ``masks`` says what is masked in training: garments that ``segmenter`` finds (or the mask
    that comes with the picture), random shapes, or both in turns; ``outside`` is the weight of the loss where nothing
    is masked.

    Every ``sample_every`` steps (0: every epoch; an epoch is ``epoch_steps`` long, 0: until each picture was shown
    once) the ``sample_prompts`` are painted, ``sample_count`` pictures each, always from the same seeds.
    """

    base: str = "inpaint-starter"
    resolution: int = ruled(Whole("resolution", "Side of the pictures in pixels.", 32, 2048, 8), 512)
    batch: int = ruled(Whole("batch", "Pictures of one pass.", 1, 4096), 1)
    gradient_accumulation: int = ruled(Whole("gradient accumulation", "Passes that make a step.", 1, 1024), 1)
    steps: int = ruled(Whole("number of steps", "Updates of the weights.", 1, 1_000_000), 800)
    rate: float = ruled(Number("learning rate", "How far each step goes.", 0.0, 1.0), 2e-6)
    lr_schedule: str = ruled(OneOf("learning-rate schedule", names=SCHEDULES), "constant")
    warmup: int = ruled(Whole("warm-up", "Steps that lead up to the learning rate.", 0, 100_000), 0)
    weight_decay: float = ruled(Number("weight decay", low=0.0, high=1.0), 0.01)
    max_gradient_norm: float = ruled(Number("norm of the gradient", "No longer than this.", 0.0, 1000.0), 1.0)
    rank: int = ruled(Whole("rank", "Rank of the LoRA; 0 trains all weights.", 0, 1024), 0)
    alpha: int = ruled(Whole("alpha", "Scale of the LoRA; 0: the rank.", 0, 4096), 0)
    train_text_encoder: bool = False
    gradient_checkpointing: bool = False
    attention_slicing: bool = False
    eight_bit_adam: bool = False
    mixed_precision: str = ruled(OneOf("precision", names=PRECISIONS), "auto")
    flip: bool = True
    blank_captions: float = ruled(Number("share of blank captions", "Taught without words."), 0.0)
    masks: str = ruled(OneOf("kind of masks", names=MASKS), "mixed")
    outside: float = ruled(Number("weight outside the mask"), 1.0)
    segmenter: str = "unet-starter"
    seed: int = ruled(Whole("seed", high=MAX_SEED), 1)
    log_every: int = ruled(Whole("steps between two lines of the log", low=1, high=100_000), 10)
    save_every: int = ruled(Whole("steps between two checkpoints", low=1, high=100_000), 100)
    epoch_steps: int = ruled(Whole("steps of an epoch", "0: until each picture was shown once.", 0, 1_000_000), 0)
    sample_every: int = ruled(Whole("steps between two samples", "0: every epoch.", 0, 1_000_000), 0)
    sample_prompts: tuple[str, ...] = ruled(Prompts("sample prompts"), ())
    sample_count: int = ruled(Whole("pictures of a prompt", low=1, high=64), 1)
    sample_steps: int = ruled(Whole("steps of a sample", low=1, high=150), 25)
    sample_guidance: float = ruled(Number("guidance of a sample", low=0.0, high=30.0), 7.5)

    def __post_init__(self) -> None:
        super().__post_init__()
        for field in fields(self):
            if field.type == "bool" and not isinstance(getattr(self, field.name), bool):
                raise BadInput(f"{field.name} must be true or false.")
        if not self.base:
            raise BadInput("Please name the base: a starter, or the folder of a diffusion model.")

    @property
    def is_lora(self) -> bool:
        return self.rank > 0

    @property
    def pictures_a_step(self) -> int:
        return self.batch * self.gradient_accumulation

    def steps_of_epoch(self, pictures: int) -> int:
        """How many steps an epoch over so many pictures has."""
        return self.epoch_steps or max(1, -(-pictures // self.pictures_a_step))


def folder_of(text: str, what: str) -> Path:
    """The folder that a setting names.  Raises :class:`BadInput` for none."""
    if not text:
        raise BadInput(f"The recipe names no {what}.")
    path = Path(text)
    if not path.is_dir():
        raise BadInput(f"There is no {what} at {path}.")
    return path


@dataclass(frozen=True, kw_only=True)
class LoraRecipe(FineTuneRecipe):
    """``data_dir`` holds pictures with captions, in a layout that :func:`..data.captioned_folder.records` knows.

    ``validation`` is the share that is set aside by the seed; at most ``validation_most`` of it are measured, with the
    same noise each epoch.
    """

    recipe: str = "lora"
    data_dir: str
    rank: int = ruled(Whole("rank", "Rank of the LoRA.", 1, 1024), 4)
    rate: float = ruled(Number("learning rate", "How far each step goes.", 0.0, 1.0), 1e-4)
    blank_captions: float = ruled(Number("share of blank captions", "Taught without words."), 0.0)
    whole_share: float = ruled(
        Number("share of whole pictures", "Bases that inpaint: painted whole, from words alone."), 0.25
    )
    validation: float = ruled(Number("share for validation", high=0.9), 0.1)
    validation_most: int = ruled(Whole("number of pictures for validation", low=1, high=10_000), 64)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.data_dir:
            raise BadInput("The recipe names no data_dir: a folder of pictures with captions.")


@dataclass(frozen=True, kw_only=True)
class DreamBoothRecipe(FineTuneRecipe):
    """``data_dir`` holds the pictures of the thing: plain, or as :mod:`..data.captioned_folder` says, whose captions go
    before ``instance_prompt``.  ``class_dir`` holds those of its kind; those that lack to ``class_count`` are painted
    by the base, into ``class_dir`` if it is named, else into the run's folder.  ``prior_weight`` of 0 goes without.
    """

    recipe: str = "dreambooth"
    data_dir: str
    instance_prompt: str = ruled(Prompt("instance prompt", "With a rare word for the thing: a photo of sks dress."))
    class_prompt: str = ruled(Words("class prompt", "The kind of the thing: a photo of a dress."), "")
    class_dir: str = ""
    class_count: int = ruled(Whole("number of class pictures", low=0, high=10_000), 200)
    prior_weight: float = ruled(Number("prior weight", "0: without class pictures.", 0.0, 100.0), 1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.has_prior and not self.class_prompt:
            raise BadInput("Prior preservation needs a class prompt, or a prior weight of 0.")
        if self.has_prior and self.class_count < 1:
            raise BadInput("Prior preservation needs at least one class picture, or a prior weight of 0.")

    @property
    def has_prior(self) -> bool:
        return self.prior_weight > 0
