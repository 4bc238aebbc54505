# SPDX-License-Identifier: Apache-2.0
"""Writes ctc.jsonl: scores and gradients of PyTorch's ctc_loss on log_softmax, in float64."""
import json
from pathlib import Path

import torch
from torch.nn.functional import ctc_loss, log_softmax

# examples, steps, classes, labels, blank, size of the logits
SHAPES = [(1, 1, 2, 1, 0, 1), (2, 5, 3, 2, 0, 2), (3, 8, 4, 7, 3, 2), (4, 12, 6, 5, 2, 1), (3, 20, 5, 9, 0, 4),
          (2, 40, 3, 16, 1, 1), (5, 17, 30, 8, 29, 3), (2, 30, 70, 12, 0, 5), (2, 60, 9, 25, 4, 30), (3, 6, 20, 0, 7, 2)]


def case(i, shape, generator):
    examples, steps, classes, most, blank, size = shape

    def draw(low, high, *shape):
        return torch.randint(low, high, shape, generator=generator)

    # Exact in float32, so that both dtypes are given the same.
    logits = (size * torch.randn(examples, steps, classes, generator=generator)).to(torch.float64).requires_grad_()
    others = torch.tensor([k for k in range(classes) if k != blank])
    labels = others[draw(0, classes - 1, examples, most)]
    if i % 2 == 1:  # labels that occur twice in a row
        labels[:, 1::2] = labels[:, 0:labels.shape[1] - 1:2]
    # The first example has all labels and steps; some of the others have more labels than steps.
    label_lengths = draw(0, most + 1, examples)
    logit_lengths = draw(1, steps + 1, examples)
    label_lengths[0], logit_lengths[0] = most, steps
    upstream = draw(-4, 5, examples).to(torch.float64) / 2

    def scores(zero_infinity):
        log_p = log_softmax(logits, 2).transpose(0, 1)
        return ctc_loss(log_p, labels, logit_lengths, label_lengths, blank, 'none', zero_infinity)

    (scores(True) * upstream).sum().backward()
    return {'id': f'{i}-' + 'x'.join(map(str, shape)), 'blankIndex': blank, 'labels': tensor(labels), 'logits': tensor(logits),
            'labelLengths': label_lengths.tolist(), 'logitLengths': logit_lengths.tolist(), 'upstream': upstream.tolist(),
            'scores': numbers(scores(False)), 'gradient': numbers(logits.grad)}


def tensor(x):
    return {'shape': list(x.shape), 'data': numbers(x)}


def numbers(x):
    return [str(v).replace('inf', 'Infinity') if v in (float('inf'), float('-inf')) else v for v in x.flatten().tolist()]


if __name__ == '__main__':
    generator = torch.Generator().manual_seed(1)
    lines = [json.dumps(case(i, shape, generator), separators=(',', ':')) for i, shape in enumerate(SHAPES)]
    Path(__file__).with_name('ctc.jsonl').write_text('\n'.join(lines) + '\n')
