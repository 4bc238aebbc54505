// SPDX-License-Identifier: Apache-2.0
import { LossSparseMCXENT } from '../../lib';
import { describeLoss } from '../support/describe-loss';
import { errOption, errRange } from '../support/errors';

describeLoss({
  Class: LossSparseMCXENT,
  name: 'LossSparseMCXENT',
  bad: [
    { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
    { title: 'weights that are no array', args: [{ weights: 1 }], expected: errOption('weights') },
    {
      title: 'a softmaxClipEps below 0',
      args: [{ softmaxClipEps: -0.1 }],
      expected: errRange('softmaxClipEps', '-0.1'),
    },
    {
      title: 'a softmaxClipEps above a half',
      args: [{ softmaxClipEps: 0.51 }],
      expected: errRange('softmaxClipEps', '0.51'),
    },
    { title: 'a softmaxClipEps of text', args: [{ softmaxClipEps: '0' }], expected: errOption('softmaxClipEps') },
    { title: 'a fraction to ignore', args: [{ ignoreIndex: 0.5 }], expected: errRange('ignoreIndex', '0.5') },
    { title: 'text to ignore', args: [{ ignoreIndex: '1' }], expected: errOption('ignoreIndex') },
  ],
  forms: [[], [{}], [{ ignoreIndex: undefined }], [[1, 1, 1]], [1e-10, [1, 1, 1]]],
  cases: [
    {
      title: 'class indices',
      activation: 'softmax',
      labels: [[2], [0]],
      preOutput: [
        [1, 2, 3],
        [0, 0, 0],
      ],
      score: 1.50621825311249,
      scoreArray: [0.4076059644443803, 1.0986122886681098],
      gradient: [
        [0.09003057317038046, 0.24472847105479764, -0.3347590442251781],
        [-0.6666666666666666, 0.3333333333333333, 0.3333333333333333],
      ],
    },
    {
      title: 'class weights',
      args: [{ weights: [0.5, 2, 3] }],
      activation: 'softmax',
      labels: [[2], [0]],
      preOutput: [
        [1, 2, 3],
        [0, 0, 0],
      ],
      score: 1.7721240376671958,
      scoreArray: [1.2228178933331408, 0.5493061443340549],
      gradient: [
        [0.27009171951114136, 0.734185413164393, -1.0042771326755344],
        [-0.3333333333333333, 0.16666666666666666, 0.16666666666666666],
      ],
    },
    {
      title: 'an ignored row',
      args: [{ ignoreIndex: -1 }],
      activation: 'softmax',
      labels: [[2], [-1]],
      preOutput: [
        [1, 2, 3],
        [0, 0, 0],
      ],
      score: 0.4076059644443803,
      scoreArray: [0.4076059644443803, 0],
      gradient: [
        [0.09003057317038046, 0.24472847105479764, -0.3347590442251781],
        [0, 0, 0],
      ],
    },
    {
      title: 'an ignored class',
      args: [{ ignoreIndex: 0 }],
      activation: 'softmax',
      labels: [[2], [0]],
      preOutput: [
        [1, 2, 3],
        [0, 0, 0],
      ],
      score: 0.4076059644443803,
      scoreArray: [0.4076059644443803, 0],
      gradient: [
        [0.09003057317038046, 0.24472847105479764, -0.3347590442251781],
        [0, 0, 0],
      ],
    },
    {
      title: 'a mask with a fraction',
      activation: 'softmax',
      labels: [[2], [0]],
      preOutput: [
        [1, 2, 3],
        [0, 0, 0],
      ],
      mask: [[0.5], [2]],
      score: 2.4010275595584094,
      scoreArray: [0.20380298222219015, 2.1972245773362196],
      gradient: [
        [0.04501528658519023, 0.12236423552739882, -0.16737952211258905],
        [-1.3333333333333333, 0.6666666666666666, 0.6666666666666666],
      ],
    },
    {
      title: 'saturated logits, exact',
      args: [{ softmaxClipEps: 0 }],
      activation: 'softmax',
      labels: [[0], [1]],
      preOutput: [
        [0, 1000],
        [0, 1000],
      ],
      score: 1000,
      scoreArray: [1000, 0],
      gradient: [
        [-1, 1],
        [0, 0],
      ],
    },
    {
      title: 'sigmoid',
      activation: 'sigmoid',
      labels: [[1], [0]],
      preOutput: [
        [1, 2],
        [0, -1],
      ],
      score: 0.8200751916029178,
      scoreArray: [0.1269280110429725, Math.LN2],
      gradient: [
        [0, -0.11920292202211756],
        [-0.5, 0],
      ],
    },
  ],
});
