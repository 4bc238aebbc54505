# SPDX-License-Identifier: Apache-2.0
"""Writes losses.jsonl: losses and gradients of PyTorch's functions, in float64."""
import json
from pathlib import Path

import torch
import torch.nn.functional as f

generator = torch.Generator().manual_seed(1)


def single(x):
    """Exact in float32, so that both dtypes are given the same."""
    return x.to(torch.float32).to(torch.float64)


def normal(n, c):
    return single(2 * torch.randn(n, c, generator=generator))


def uniform(n, c):
    return single(torch.rand(n, c, generator=generator))


def sign(n, c):
    return (uniform(n, c) < 0.5).to(torch.float64) * 2 - 1


def binary(n, c):
    return (uniform(n, c) < 0.5).to(torch.float64)


def one_hot(n, c):
    return f.one_hot(torch.randint(c, (n,), generator=generator), c).to(torch.float64)


def variance(n, c):
    return uniform(n, c) + 0.125


# Name and class of the loss here, what its outputs are, the arrays, PyTorch's function of them, and options.
CASES = [
    ('huberLoss', 'IDENTITY', [normal, normal], lambda y, p, **o: f.huber_loss(p, y, reduction='none', **o), [{}, {'delta': 0.5}]),
    ('smoothL1Loss', 'IDENTITY', [normal, normal], lambda y, p, **o: f.smooth_l1_loss(p, y, reduction='none', **o),
     [{}, {'beta': 0.5}, {'beta': 0.0}]),
    ('softMarginLoss', 'IDENTITY', [sign, normal], lambda y, p: f.soft_margin_loss(p, y, reduction='none'), [{}]),
    ('multiMarginLoss', 'IDENTITY', [one_hot, normal],
     lambda y, a, **o: f.multi_margin_loss(a, y.argmax(1), reduction='none', **o), [{}, {'p': 2}, {'margin': 3.0}]),
    ('weightedCrossEntropyWithLogits', 'SIGMOID', [binary, normal],
     lambda y, p, posWeight: f.binary_cross_entropy_with_logits(p, y, pos_weight=torch.tensor(posWeight), reduction='none'),
     [{'posWeight': 2.5}, {'posWeight': [0.5, 1.0, 4.0, 0.0]}]),
    ('softmaxCrossEntropy', 'SOFTMAX', [one_hot, normal],
     lambda y, p, labelSmoothing: f.cross_entropy(p, y.argmax(1), label_smoothing=labelSmoothing, reduction='none'),
     [{'labelSmoothing': 0.25}]),
    ('gaussianNLLLoss', 'IDENTITY', [normal, normal, variance],
     lambda y, p, v, full=False, epsilon=1e-6: f.gaussian_nll_loss(p, y, v, full=full, eps=epsilon, reduction='none'),
     [{}, {'full': True}]),
    ('marginRankingLoss', 'IDENTITY', [sign, normal, normal],
     lambda y, p, q, **o: f.margin_ranking_loss(p, q, y, reduction='none', **o), [{}, {'margin': 1.0}]),
    # Its eps is added to the difference, for the slope at 0.
    ('tripletMarginLoss', 'IDENTITY', [normal, normal, normal],
     lambda x, y, z, **o: f.triplet_margin_loss(x, y, z, eps=0, reduction='none', **o),
     [{}, {'margin': 4.0, 'p': 1.0}, {'margin': 3.0, 'swap': True}, {'margin': 3.0, 'p': 4.0}]),
]


def numbers(x):
    return x.flatten().tolist()


def case(i, loss, activation, makers, of, options):
    n, c = 3, 4
    arrays = [make(n, c) for make in makers]
    for array, make in zip(arrays, makers):
        array.requires_grad_(make in (normal, variance))
    losses = of(*arrays, **options)
    losses.sum().backward()
    return {'id': f'{i}-{loss}', 'loss': loss, 'options': options, 'activation': activation,
            'arrays': [{'shape': list(x.shape), 'data': numbers(x)} for x in arrays], 'losses': numbers(losses),
            'gradients': [None if x.grad is None else numbers(x.grad) for x in arrays]}


if __name__ == '__main__':
    lines = [(loss, activation, makers, of, options) for loss, activation, makers, of, choices in CASES for options in choices]
    text = '\n'.join(json.dumps(case(i, *line), separators=(',', ':')) for i, line in enumerate(lines))
    Path(__file__).with_name('losses.jsonl').write_text(text + '\n')
