"""Batch normalisation over the batches of all workers.

``torch.nn.SyncBatchNorm`` does that on GPUs only; :class:`SharedBatchNorm` is the same arithmetic in plain tensor
operations, for workers on CPUs.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn


class _Sum(torch.autograd.Function):
    """The sum over the workers.

    Every worker's loss depends on every worker's input, so the gradient is the sum of all workers' gradients.  The
    backward pass is made of the same function and can be differentiated again.
    """

    @staticmethod
    def forward(_context: Any, value: Tensor) -> Tensor:
        summed = value.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(summed)
        return summed

    @staticmethod
    def backward(_context: Any, *gradients: Any) -> Any:
        (gradient,) = gradients
        return _Sum.apply(gradient)


def sum_over_workers(value: Tensor) -> Tensor:
    """The sum of every worker's ``value``, on each of them; gradients flow back to all."""
    summed: Tensor = _Sum.apply(value)
    return summed


class SharedBatchNorm(nn.BatchNorm2d):
    """Batch normalisation of (N, C, H, W) with the mean and variance of all workers' images, the same N on each.

    In training only; in eval mode it is the ordinary layer.
    """

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return super().forward(input)
        x = input.float()
        count = x.numel() // x.shape[1]
        mean, variance, workers = _moments(x)
        self._follow(mean, variance, count * workers)
        scale = (variance + self.eps).rsqrt()
        if self.weight is not None:
            scale = scale * self.weight
        shift = -mean * scale
        if self.bias is not None:
            shift = shift + self.bias
        changed = torch.addcmul(shift[:, None, None], x, scale[:, None, None])
        return changed.to(input.dtype)

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """The running statistics, as the ordinary layer keeps them: with the unbiased variance."""
        if self.num_batches_tracked is None or self.running_mean is None or self.running_var is None:
            return
        self.num_batches_tracked += 1
        momentum = self.momentum if self.momentum is not None else 1 / float(self.num_batches_tracked)
        self.running_mean.lerp_(mean, momentum)
        self.running_var.lerp_(variance * (count / max(count - 1, 1)), momentum)


def _moments(x: Tensor) -> tuple[Tensor, Tensor, int]:
    """Mean and variance (C,) over all workers' (N, H, W), and how many workers there are.

    The spread of the workers' means is added to the mean of their variances: no large squares are subtracted.
    """
    world = dist.get_world_size()
    variance, mean = torch.var_mean(x, dim=(0, 2, 3), correction=0)
    own = torch.zeros(world, 1, 1, device=x.device)
    own[dist.get_rank()] = 1
    each = sum_over_workers(own * torch.stack((mean, variance)))  # (workers, 2, C)
    means, variances = each[:, 0], each[:, 1]
    whole = means.mean(dim=0)
    return whole, variances.mean(dim=0) + (means - whole).square().mean(dim=0), world


def share_statistics(network: nn.Module, device: torch.device) -> None:
    """Make every batch normalisation below ``network`` one over all workers, in place; parameters stay the same."""
    if device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
        return
    for name, child in network.named_children():
        if isinstance(child, nn.BatchNorm2d) and not isinstance(child, SharedBatchNorm):
            setattr(network, name, _shared(child))
        else:
            share_statistics(child, device)


def _shared(layer: nn.BatchNorm2d) -> SharedBatchNorm:
    shared = SharedBatchNorm(
        layer.num_features, layer.eps, layer.momentum, layer.affine, layer.track_running_stats
    ).train(layer.training)
    shared.weight, shared.bias = layer.weight, layer.bias
    shared.running_mean, shared.running_var = layer.running_mean, layer.running_var
    shared.num_batches_tracked = layer.num_batches_tracked
    return shared
