"""The same questions for two versions: what is asked, who answers, and what people preferred without knowing who."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from ml_backend.errors import BadInput
from ml_backend.models import ModelVersion
from ml_backend.requests import GenerateRequest, ImagineRequest, Request, RestyleRequest
from ml_backend.serving import curation, jobs, registry

from .models import SIDES, ComparedPicture, Comparison, Vote

WORKS = ("generate", "restyle", "imagine")
"""What two versions can be compared at: what gives a picture for a request."""
MOST_PICTURES = 48
"""Of one comparison, both sides together."""


@dataclass(frozen=True)
class Question(Request):
    """One request for both: words (of a fabric its type), the garment that is repainted, and the seed."""

    number: int
    words: str
    seed: int
    garment: str = ""

    def __str__(self) -> str:
        return " · ".join(filter(None, (self.words, self.garment, f"seed {self.seed}")))


@dataclass(frozen=True)
class Asked(Request):
    """What both are asked: every line of words with every garment and every seed."""

    words: tuple[str, ...]
    seeds: tuple[int, ...]
    garments: tuple[str, ...] = ()

    def questions(self) -> list[Question]:
        every = [
            (line, seed, garment) for line in self.words for garment in self.garments or ("",) for seed in self.seeds
        ]
        return [Question(number, *one) for number, one in enumerate(every)]


@dataclass(frozen=True)
class Pair:
    """Both answers to one question, in the order in which they are shown; None for one that is not made."""

    question: Question
    first: ComparedPicture | None
    second: ComparedPicture | None

    @property
    def is_whole(self) -> bool:
        return self.first is not None and self.second is not None


@dataclass(frozen=True)
class Tally:
    """How often each was preferred, by how many people."""

    one: int
    other: int
    neither: int
    people: int

    @property
    def votes(self) -> int:
        return self.one + self.other + self.neither


def works_of(version: ModelVersion) -> list[str]:
    """What ``version`` can be compared at; a LoRA at what heeds one."""
    able = ("restyle", "imagine") if version.capability == "lora" else version.capabilities
    return [work for work in able if work in WORKS and registry.serves(work)]


def opponents(version: ModelVersion, work: str) -> dict[str, str]:
    """References that ``version`` can be compared with at ``work``, with what they are called."""
    rows = ModelVersion.objects.exclude(pk=version.pk)
    if version.capability == "lora":
        return {"": "without a LoRA"} | {row.reference: row.name for row in rows.filter(capability="lora")}
    able = {row.reference: f"{row.name}, {row.status}" for row in rows if work in row.capabilities}
    shipped = [shown for folder in registry.starters(work) if (shown := curation.shipped(folder)) is not None]
    return able | {
        one.reference: f"{one.name}, ships with Toile" for one in shipped if one.reference != version.reference
    }


def compare(owner: AbstractBaseUser, version: ModelVersion, other: str, work: str, asked: Asked) -> Comparison:
    """A comparison of ``version`` with the one of that reference, its job queued.  Raises :class:`BadInput`."""
    if work not in works_of(version) or other not in opponents(version, work):
        raise BadInput("These two cannot be compared at that. Choose two that do the same work.")
    questions = asked.questions()
    if not questions:
        raise BadInput("Ask them at least one thing.")
    if 2 * len(questions) > MOST_PICTURES:
        raise BadInput(
            f"That would be {2 * len(questions)} pictures; at most {MOST_PICTURES} are made at a time. "
            "Ask for fewer words, garments or seeds."
        )
    for question in questions:
        request_of(work, question)
    with transaction.atomic():
        job = jobs.submit(owner, "compare", queue=settings.MODEL_QUEUE)
        made = Comparison.objects.create(
            owner_id=owner.pk, job=job, work=work, one=version.reference, other=other, params=asked.to_dict()
        )
        for reference in (version.reference, other):
            row = version_of(reference)
            if row is not None:
                curation.record(curation.Action.COMPARED, row, owner, details={"comparison": str(made.pk), "at": work})
    return made


def version_of(reference: str) -> ModelVersion | None:
    """The row of that reference; a starter without one has none."""
    name = reference.partition("@")[0]
    return next((row for row in ModelVersion.objects.filter(name=name) if row.reference == reference), None)


def asked_of(comparison: Comparison) -> list[Question]:
    return Asked.from_dict(comparison.params).questions()


def request_of(
    work: str, question: Question, loras: Sequence[str] = ()
) -> GenerateRequest | RestyleRequest | ImagineRequest:
    """Raises :class:`BadInput` for words that no request takes."""
    if work == "generate":
        return GenerateRequest(question.words, question.seed, size=256)
    kind = RestyleRequest if work == "restyle" else ImagineRequest
    return kind(prompt=question.words, engine="diffusion", seed=question.seed, loras=tuple(loras))


def forget(comparison: Comparison) -> None:
    """Delete it with its pictures and votes; its job ends."""
    jobs.cancel_by_id(comparison.job_id)
    comparison.delete()


# --- what people prefer -----------------------------------------------------------------------------------------------


def blind(comparison: Comparison, voter: AbstractBaseUser) -> list[Pair]:
    """The pairs as this person sees them: which side stands first is chance, and the same at every look."""

    def order(number: int) -> list[str]:
        chance = random.Random(f"{comparison.pk} {voter.pk} {number}")
        return chance.sample(SIDES, 2)

    return _pairs(comparison, order)


def sheet(comparison: Comparison) -> list[Pair]:
    """The pairs with sides told: ``first`` is of ``comparison.one``."""
    return _pairs(comparison, lambda _: list(SIDES))


def _pairs(comparison: Comparison, order: Callable[[int], list[str]]) -> list[Pair]:
    cells = {(cell.number, cell.side): cell for cell in comparison.cells.all()}
    return [
        Pair(question, *(cells.get((question.number, side)) for side in order(question.number)))
        for question in asked_of(comparison)
    ]


def vote(comparison: Comparison, voter: AbstractBaseUser, number: int, chosen: str) -> None:
    """``chosen`` is the id of the preferred picture, or "neither"; who votes again changes their mind.

    Raises :class:`BadInput` for a picture that is not an answer to question ``number``.
    """
    side = ""
    if chosen != "neither":
        side = {str(cell.pk): cell.side for cell in comparison.cells.filter(number=number)}.get(chosen, "")
        if not side:
            raise BadInput("This picture is not one of the two. Nothing was counted; look again.")
    Vote.objects.update_or_create(comparison=comparison, by_id=voter.pk, number=number, defaults={"side": side})


def open_numbers(comparison: Comparison, voter: AbstractBaseUser, pairs: Iterable[Pair]) -> list[int]:
    """The questions with both answers that this person has not voted on."""
    voted = set(comparison.votes.filter(by_id=voter.pk).values_list("number", flat=True))
    return [pair.question.number for pair in pairs if pair.is_whole and pair.question.number not in voted]


def tally(comparison: Comparison) -> Tally:
    votes = list(comparison.votes.values_list("side", "by_id"))
    count = {side: sum(one == side for one, _ in votes) for side in (*SIDES, "")}
    return Tally(count["one"], count["other"], count[""], len({by for _, by in votes}))
