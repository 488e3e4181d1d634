"""Floating-point operations of training, and the share that they are of what a device can do.

A multiply-add counts as two operations, the backward pass as twice the forward pass, so training a token takes three
forward passes (Kaplan et al. 2020, arXiv 2001.08361; Chowdhery et al. 2022, arXiv 2204.02311, appendix B, for the
share). Counted are matrix products alone; norms, rotations and activations are not.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import torch

from trainer.model.language_model import LanguageModel


class Cost(NamedTuple):
    """Operations of a forward pass."""

    token: float
    """For each token that is read."""
    prediction: float
    """For each token that is predicted."""

    def training(self, tokens: float, predictions: float) -> float:
        """Operations of training on some tokens, some of them predicted: three times the forward pass."""
        return 3 * (self.token * tokens + self.prediction * predictions)


def forward_cost(model: LanguageModel, row_tokens: int) -> Cost:
    """Operations of a forward pass, from the model's shape.

    With C values in the core's matrices, width D, vocabulary V, bottleneck A and B blocks, in rows of L tokens:

        token      = 2 C + B * (4 D L + 4 D A)
        prediction = 2 D V

    Frozen values count like trained ones. 4 D L are scores and weighted sums of the attention over a whole row,
    whatever the mask leaves of it; 4 D A the two projections of a token's own adapter.

    Args:
        model: of any kind; its matrices with weight decay are the core's.
        row_tokens: L.
    """
    core = sum(value.numel() for name, value in model.named_parameters() if model.decays(name))
    vocabulary, width = model.embedding.weight.shape
    adapters = sum(adapter.prior.numel() for adapter in model.adapters())
    return Cost(2.0 * core + 4.0 * width * row_tokens * len(model.blocks) + 4.0 * adapters, 2.0 * width * vocabulary)


PEAKS: Final = {
    "B200": 2250e12,
    "GH200": 989e12,
    "H200": 989e12,
    "H100 PCIe": 756e12,
    "H100 NVL": 835e12,
    "H100": 989e12,
    "A100": 312e12,
    "A40": 149.7e12,
    "L40S": 362e12,
    "L4": 121e12,
    "RTX 4090": 165.2e12,
}
"""Dense bfloat16 operations a second by a part of the device's name, longer names first where one holds another; from
NVIDIA's data sheets (B200: HGX; H100 and H200: SXM unless said) and the Ada architecture's white paper. Figures with
sparsity are halved."""


def peak_flops(device: torch.device) -> float | None:
    """Dense bfloat16 operations a second that a device can do at most; None for CPUs and devices that are not known."""
    return known_peak(torch.cuda.get_device_name(device)) if device.type == "cuda" else None


def known_peak(name: str) -> float | None:
    """The peak of a device by the name that its driver gives it; None when it is not in the table."""
    words = name.replace("-", " ").split()
    for known, peak in PEAKS.items():
        wanted = known.split()
        if any(words[start : start + len(wanted)] == wanted for start in range(len(words))):
            return peak
    return None
