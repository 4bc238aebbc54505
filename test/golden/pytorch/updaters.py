# SPDX-License-Identifier: Apache-2.0
"""PyTorch's parameters after each of a few steps along given gradients: python updaters.py > updaters.jsonl.

l2 is the weight_decay of torch.optim.SGD and Adam, which is added to the gradient; weightDecay, with the learning rate, is
that of AdamW, and of SGD where nothing keeps the gradients; l1 is the gradient of its penalty, by autograd.
"""
import json
import math

import torch

START = [0.5, -1.25, 2.0]
GRADIENTS = [[1.0, -0.5, 0.0], [0.25, -2.0, 1e-3], [-3.0, 0.125, 1e-3], [0.5, 0.5, -4.0], [1e-6, -1.0, 0.0]]


def sgd(w, **options):
    return torch.optim.SGD([w], **options), lambda step: None


def adam(w, eps, kind=torch.optim.Adam, **options):
    optimizer = kind([w], eps=eps, **options)
    beta2 = optimizer.param_groups[0]["betas"][1]

    def before(step):
        # ND4J adds epsilon to sqrt(v), PyTorch to sqrt(v) / sqrt(1 - beta2^t).
        optimizer.param_groups[0]["eps"] = eps / math.sqrt(1 - beta2**step)

    return optimizer, before


def run(make, l1=0.0, **options):
    w = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    optimizer, before = make(w, **options)
    steps = []
    for i, gradient in enumerate(GRADIENTS):
        before(i + 1)
        w.grad = None
        (w @ torch.tensor(gradient, dtype=torch.float64) + l1 * w.abs().sum()).backward()
        optimizer.step()
        steps.append(w.tolist())
    return steps


CASES = [
    ("Sgd", {"learningRate": 0.1}, run(sgd, lr=0.1)),
    ("Nesterovs", {"learningRate": 0.1, "momentum": 0.9}, run(sgd, lr=0.1, momentum=0.9, nesterov=True)),
    ("Nesterovs", {"learningRate": 0.02, "momentum": 0.5}, run(sgd, lr=0.02, momentum=0.5, nesterov=True)),
    (
        "Adam",
        {"learningRate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
        run(adam, lr=1e-3, betas=(0.9, 0.999), eps=1e-8),
    ),
    (
        "Adam",
        {"learningRate": 0.05, "beta1": 0.5, "beta2": 0.75, "epsilon": 0.25},
        run(adam, lr=0.05, betas=(0.5, 0.75), eps=0.25),
    ),
    ("Sgd", {"learningRate": 0.1}, run(sgd, lr=0.1, weight_decay=0.25), {"l2": 0.25}),
    ("Sgd", {"learningRate": 0.1}, run(sgd, lr=0.1, weight_decay=0.25), {"weightDecay": [0.25, True]}),
    ("Sgd", {"learningRate": 0.1}, run(sgd, lr=0.1, weight_decay=0.25), {"weightDecay": [0.025, False]}),
    ("Sgd", {"learningRate": 0.1}, run(sgd, lr=0.1, l1=0.5), {"l1": 0.5}),
    (
        "Nesterovs",
        {"learningRate": 0.1, "momentum": 0.9},
        run(sgd, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.125),
        {"l2": 0.125},
    ),
    (
        "Adam",
        {"learningRate": 0.05, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
        run(adam, lr=0.05, betas=(0.9, 0.999), eps=1e-8, l1=0.0625, weight_decay=0.25),
        {"l1": 0.0625, "l2": 0.25},
    ),
    (
        "Adam",
        {"learningRate": 0.05, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
        run(adam, kind=torch.optim.AdamW, lr=0.05, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.5),
        {"weightDecay": [0.5, True]},
    ),
]
for updater, options, steps, *regularization in CASES:
    case = {"updater": updater, "options": options, "regularization": regularization[0] if regularization else {}}
    print(json.dumps({**case, "start": START, "gradients": GRADIENTS, "steps": steps}))
