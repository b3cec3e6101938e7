"""Training on several GPUs or machines: one process each, started by ``torchrun``, which names them in the environment.

Every recipe is written for :class:`Workers`; a lone worker is the ordinary case and costs nothing.  Batches depend on
(seed, step) alone: each worker draws the plan of the whole batch and makes its own slice, batch statistics are those of
the whole batch, gradients are averaged.  So any number of workers train the same curve within rounding, and a run may
go on with another number of them than it began with.
"""

from __future__ import annotations

import contextlib
import io
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor, nn
from torch._C._distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous
from torch.nn.parallel import DistributedDataParallel

from ..errors import BadInput, LibraryError
from .batch_norm import share_statistics, sum_over_workers

PATIENCE_MINUTES = 30.0
"""How long workers wait for one another: the first may be drawing swatches or measuring while the others stand by."""

_FAREWELL_SECONDS = 3.0
_REST_SECONDS = 0.5
_WORD = "failure"
_LEAVING = "leaving"
_NUMBERS = ("RANK", "WORLD_SIZE", "LOCAL_RANK")

Rows = TypeVar("Rows", Tensor, NDArray[np.int64], NDArray[np.float32], NDArray[np.uint8])


@dataclass(frozen=True)
class Workers:
    """This process among ``world`` of them; ``rank`` 0 alone writes files.  ``device`` is its own."""

    device: torch.device
    rank: int = 0
    world: int = 1

    @property
    def is_writer(self) -> bool:
        """Whether this process writes the config, log, checkpoints, packages and samples."""
        return self.rank == 0

    @property
    def alone(self) -> bool:
        return self.world == 1

    def part(self, count: int, of: int = 1, what: str = "images") -> slice:
        """Where this worker's share of ``count`` rows lies, made of whole groups ``of`` rows; ``what`` they are.

        Raises :class:`BadInput` when they cannot all have the same share.
        """
        if count % (self.world * of):
            groups = f" in groups of {of}" if of > 1 else ""
            raise BadInput(f"A batch of {count} {what}{groups} does not divide among {self.world} workers.")
        each = count // self.world
        return slice(self.rank * each, (self.rank + 1) * each)

    def share(self, rows: Rows) -> Rows:
        """This worker's slice of the whole batch's rows."""
        return rows if self.alone else rows[self.part(len(rows))]

    def wrap(self, network: nn.Module) -> nn.Module:
        """What to call instead of ``network`` in training: its gradients are averaged over the workers.

        The network itself keeps its parameters, their names and its state dict; its batch normalisation is changed to
        see the whole batch.  Copies for evaluation (an EMA) are made *before*, so that the writer can run them alone.

        A network may be called twice before one backward pass (real and generated images), and penalties that need
        ``torch.autograd.grad`` with respect to *inputs* are fine: the gradients of parameters still arrive once, by
        ``backward``.  What takes parameters from a network without calling it uses :meth:`average_gradients` instead.
        """
        if self.alone:
            return network
        share_statistics(network, self.device)
        own = [self.device] if self.device.type == "cuda" else None
        # statistics are shared, so buffers are equal; sending them round would only disturb a second forward pass
        return DistributedDataParallel(
            network, device_ids=own, forward_sync_buffers=False, gradient_as_bucket_view=True
        )

    @torch.no_grad()
    def average_gradients(self, network: nn.Module) -> None:
        """After a backward pass of an unwrapped network: every gradient becomes the mean over the workers, in one go.

        For losses that DistributedDataParallel cannot follow, as when only parts of a generator are called.  Every
        worker has called the same parts, so the same parameters have gradients on all of them; the others keep none.
        """
        if self.alone:
            return
        learned = [weight for weight in network.parameters() if weight.grad is not None]
        parts = [weight.grad for weight in learned if weight.grad is not None]
        mean = self.total(torch.cat([part.flatten() for part in parts])) / self.world
        for weight, part in zip(learned, torch.split(mean, [weight.numel() for weight in learned]), strict=True):
            weight.grad = part.view_as(weight)

    def whole_mean(self, value: Tensor) -> Tensor:
        """The mean of ``value``, of one shape everywhere, over the whole batch; gradients flow to every worker."""
        mean = value.mean()
        return mean if self.alone else sum_over_workers(mean) / self.world

    @torch.no_grad()
    def total(self, value: Tensor) -> Tensor:
        """The sum over the workers, a constant for autograd."""
        if self.alone:
            return value.detach()
        summed = value.detach().clone(memory_format=torch.contiguous_format)
        dist.all_reduce(summed)
        return summed

    def ratio(self, numerator: Tensor, denominator: Tensor) -> Tensor:
        """numerator / denominator, where both are sums over the whole batch; a denominator counts for at least 1.

        On several workers each gives the sums over its share, and gets a loss whose *mean* over the workers is the
        ratio of the whole: a mean over known pixels then weighs every pixel alike, wherever it lies.
        """
        return numerator * self.world / self.total(denominator).clamp(min=1)

    def mean(self, metrics: Mapping[str, float]) -> dict[str, float]:
        """Each metric's mean over the workers; all of them ask at the same step for the same metrics."""
        if self.alone:
            return dict(metrics)
        values = torch.tensor([float(value) for value in metrics.values()], dtype=torch.float64)
        return dict(zip(metrics, (self.total(values) / self.world).tolist(), strict=True))

    def place(self, batch: Tensor, memory_format: torch.memory_format = torch.preserve_format) -> Tensor:
        """``batch`` on this worker's device; on CUDA through pinned memory, while the GPU still works."""
        if self.device.type == "cuda":
            batch = batch.pin_memory()
        return batch.to(self.device, non_blocking=True, memory_format=memory_format)

    def barrier(self) -> None:
        """Wait until all workers are here."""
        if not self.alone:
            self.total(torch.zeros(1))

    @contextlib.contextmanager
    def writer_first(self) -> Iterator[None]:
        """The writer goes through the block, then all others: what it leaves on disk, they find there."""
        if not self.is_writer:
            self.barrier()
        yield
        if self.is_writer:
            self.barrier()

    def from_writer(self, state: dict[str, Any] | None) -> dict[str, Any] | None:
        """The writer's ``state`` (tensors, numbers, plain containers) on every worker.

        Only the writer needs the run directory: machines may share no disk.
        """
        if self.alone:
            return state
        packed = io.BytesIO()
        torch.save(state, packed)
        data = torch.frombuffer(bytearray(packed.getvalue()), dtype=torch.uint8)
        size = self.total(torch.tensor([len(data) if self.is_writer else 0]))
        if not self.is_writer:
            data = torch.empty(int(size), dtype=torch.uint8)
        dist.broadcast(data, src=0)
        received: dict[str, Any] | None = torch.load(
            io.BytesIO(data.numpy().tobytes()), map_location="cpu", weights_only=True
        )
        return received


def alone(device: torch.device | str | None = None) -> Workers:
    """The one worker of an ordinary run, on CUDA where there is one."""
    return Workers(torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu")))


@contextlib.contextmanager
def join(
    environment: Mapping[str, str] | None = None, *, patience_minutes: float = PATIENCE_MINUTES
) -> Iterator[Workers]:
    """The worker that ``RANK``, ``WORLD_SIZE`` and ``LOCAL_RANK`` say this process is; without them the only one.

    CUDA tensors travel by NCCL, others by gloo.  Raises :class:`BadInput` when the workers do not find one another
    within ``patience_minutes``, and, in every other worker, when one of them fails; its sentence is passed on.
    """
    environment = os.environ if environment is None else environment
    rank, world, local = _numbers(environment)
    if world == 1:
        yield alone()
        return
    patience = timedelta(minutes=patience_minutes)
    store = _meet(rank, world, local, patience, _attempt(environment))
    notes = PrefixStore("toile", store)
    device = torch.device("cuda", local) if torch.cuda.is_available() else torch.device("cpu")
    workers = Workers(device, rank, world)
    try:
        yield workers
        workers.barrier()  # the store may live in one of them: nobody leaves while another still needs it
    except Exception as error:
        told = _explain(error, notes, rank)
        _end_others(notes, world)
        if told is error:
            raise
        raise told from error
    dist.destroy_process_group()
    # DistributedDataParallel's reducer keeps gloo's threads for good.  One that still puts its last work away when the
    # interpreter ends would ask for its lock and abort the process (pytorch#179291): let it come to rest.
    time.sleep(_REST_SECONDS)


def is_restart(environment: Mapping[str, str] | None = None) -> bool:
    """Whether torchrun has started this worker again after one of them was lost: then a run goes on by itself."""
    environment = os.environ if environment is None else environment
    return int(environment.get("TORCHELASTIC_RESTART_COUNT", "0") or 0) > 0


def speaks(environment: Mapping[str, str] | None = None) -> bool:
    """Whether this process is the one worker that reports to the person."""
    environment = os.environ if environment is None else environment
    return environment.get("RANK", "0") == "0"


def _numbers(environment: Mapping[str, str]) -> tuple[int, int, int]:
    given = {name: environment[name] for name in _NUMBERS if environment.get(name)}
    if "WORLD_SIZE" not in given and "RANK" not in given:
        return 0, 1, 0
    try:
        rank, world = int(given["RANK"]), int(given["WORLD_SIZE"])
        local = int(given.get("LOCAL_RANK", rank))
    except (KeyError, ValueError) as error:
        raise BadInput(
            "RANK and WORLD_SIZE must both be whole numbers, as torchrun sets them, or both unset."
        ) from error
    if not 0 <= rank < world:
        raise BadInput(f"RANK is {rank}, which is none of {world} workers; it counts from 0.")
    return rank, world, local


def _attempt(environment: Mapping[str, str]) -> str:
    """A name for this start of the workers, the same on all of them.

    torchrun keeps one store through all restarts, and the addresses of workers that are gone still lie in it.  Between
    two starts either the count of restarts or, when machines come and go, the number of workers is another.
    """
    return f"{environment.get('TORCHELASTIC_RESTART_COUNT', '0')}-{environment.get('WORLD_SIZE')}"


def _meet(rank: int, world: int, local: int, patience: timedelta, attempt: str) -> Store:
    """Find the others; the store through which they were found stays open for a last word."""
    on_cuda = torch.cuda.is_available()
    if on_cuda:
        if local >= torch.cuda.device_count():
            raise BadInput(f"LOCAL_RANK is {local}, but this machine has {torch.cuda.device_count()} GPUs.")
        torch.cuda.set_device(local)
    try:
        store: Store
        store, _, _ = next(rendezvous("env://", rank, world, timeout=patience))
        store = PrefixStore(attempt, store)
        dist.init_process_group(
            "cpu:gloo,cuda:nccl" if on_cuda else "gloo", store=store, rank=rank, world_size=world, timeout=patience
        )
        dist.all_reduce(torch.zeros(1))
    except (RuntimeError, ValueError, OSError) as error:
        raise BadInput(
            f"Worker {rank} of {world} could not find the others at MASTER_ADDR and MASTER_PORT within "
            f"{patience.total_seconds() / 60:g} minutes: {_first_line(error)}"
        ) from error
    return store


def _explain(error: Exception, notes: Store, rank: int) -> Exception:
    """Learn why the connection to the others broke, or tell them why this worker fails."""
    if isinstance(error, RuntimeError):
        word = _read(notes)
        if word is not None:
            return BadInput(f"Worker {rank} stops, for another has failed. {word}")
        if _is_lost_connection(error):
            return BadInput(f"Worker {rank} stops, for another was lost without a word; the run can be resumed.")
    sentence = str(error) if isinstance(error, LibraryError) else f"{type(error).__name__}: {_first_line(error)}"
    with contextlib.suppress(RuntimeError):
        notes.set(_WORD, f"Worker {rank}: {sentence}")
    return error


def _end_others(notes: Store, world: int) -> None:
    """End the others' waiting and stay until all know why: the store may live in this very process.

    NCCL cannot be left in the middle of its work; there torchrun ends the others when this process is gone.
    """
    if torch.cuda.is_available():
        return
    dist.destroy_process_group()
    end = time.monotonic() + _FAREWELL_SECONDS
    with contextlib.suppress(RuntimeError):
        leaving = notes.add(_LEAVING, 1)
        while notes.check([_WORD]) and leaving < world and time.monotonic() < end:
            time.sleep(0.05)
            leaving = notes.add(_LEAVING, 0)


def _read(notes: Store) -> str | None:
    """The last word of a failing worker, if there is one.  A worker may notice the break before the word is there."""
    for _ in range(5):
        try:
            if notes.check([_WORD]):
                word: str = notes.get(_WORD).decode("utf-8", "replace")
                return word
        except RuntimeError:
            return None
        time.sleep(0.1)
    return None


def _is_lost_connection(error: RuntimeError) -> bool:
    if isinstance(error, dist.DistError):
        return True
    text = str(error).lower()
    return any(sign in text for sign in ("connection", "gloo", "nccl", "timed out", "broken pipe"))


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
