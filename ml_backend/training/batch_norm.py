"""Batch normalisation over the batches of all workers.

``torch.nn.SyncBatchNorm`` does that on GPUs only; :class:`SharedBatchNorm` is the same arithmetic for workers on CPUs.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


class _Sum(torch.autograd.Function):
    """The sum over the workers.

    Every worker's loss depends on every worker's input, so the gradient is the sum of all workers' gradients.
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


class _Normalise(torch.autograd.Function):
    """Batch normalisation with all workers' statistics; torch's own kernels do the passes over the images.

    With y = g (x - m) / s + b, s the deviation and N the images' pixels on all workers, the gradient is that of the
    ordinary layer with sums over all of them (Ioffe & Szegedy 2015, section 3):
    dx = g / s (dy - sum(dy) / N - (x - m) / s^2 sum(dy (x - m)) / N).
    """

    @staticmethod
    def forward(
        context: Any, x: Tensor, weight: Tensor | None, bias: Tensor | None, mean: Tensor, variance: Tensor, eps: float
    ) -> Tensor:
        context.save_for_backward(x, weight, mean, variance)
        context.eps = eps
        return nn.functional.batch_norm(x, mean, variance, weight, bias, training=False, eps=eps)

    @staticmethod
    @once_differentiable
    def backward(context: Any, dy: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None, None, None, None]:
        x, weight, mean, variance = context.saved_tensors
        _, of_weight, of_bias = torch.ops.aten.native_batch_norm_backward(
            dy, x, None, mean, variance, None, None, False, context.eps, [False, True, True]
        )  # sums of dy (x - m) / s and of dy, over this worker's images
        own = torch.stack((of_weight, of_bias)).float()
        whole = own.clone()
        dist.all_reduce(whole)
        slope, shift = whole / (x.numel() // x.shape[1] * dist.get_world_size())
        scale = (variance + context.eps).rsqrt()
        gain = scale if weight is None else scale * weight
        # dx = gain dy - gain slope scale x + (gain slope scale m - gain shift), a line in dy and in x of each map
        pull = -gain * slope * scale
        rest = -pull * mean - gain * shift
        learned = (own[0], own[1]) if weight is not None else (None, None)
        return _line(dy, gain, rest, x, pull), *learned, None, None, None


def _line(dy: Tensor, gain: Tensor, rest: Tensor, x: Tensor, pull: Tensor) -> Tensor:
    """gain dy + pull x + rest, the factors (C,) of each map."""
    if x.dtype == torch.float32:
        return torch.addcmul(rest[:, None, None], dy, gain[:, None, None]).addcmul_(x, pull[:, None, None])
    # a normalisation by mean 0 and variance 1 is that line too, and in half precision ten times faster on a CPU
    zero, one = torch.zeros_like(gain), torch.ones_like(gain)
    line = nn.functional.batch_norm(dy, zero, one, gain, rest, training=False, eps=0.0)
    return line.add_(nn.functional.batch_norm(x, zero, one, pull, zero, training=False, eps=0.0))


class SharedBatchNorm(nn.BatchNorm2d):
    """Batch normalisation of (N, C, H, W) with the mean and variance of all workers' images, the same N on each.

    In training only; in eval mode it is the ordinary layer.
    """

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return super().forward(input)
        with torch.no_grad():
            mean, variance, workers = _moments(input)
            self._follow(mean, variance, input.numel() // input.shape[1] * workers)
        changed: Tensor = _Normalise.apply(input, self.weight, self.bias, mean, variance, self.eps)
        return changed

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
    unused = torch.zeros(2, x.shape[1])  # running statistics in float32: then these are too, whatever x is in
    mean, variance = torch.ops.aten.batch_norm_update_stats(x, unused[0], unused[1], 0.0)
    each = torch.zeros(world, 2, x.shape[1], device=x.device)
    each[dist.get_rank()] = torch.stack((mean, variance))
    dist.all_reduce(each)
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
