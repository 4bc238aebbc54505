// SPDX-License-Identifier: Apache-2.0
import { LossMCXENT, LossNegativeLogLikelihood } from '../../lib';
import { describeLoss } from '../support/describe-loss';
import { errOption, errRange } from '../support/errors';

// One loss under two names.
for (const Class of [LossMCXENT, LossNegativeLogLikelihood]) {
  describeLoss({
    Class,
    name: Class.name,
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
    ],
    forms: [[], [{}], [{ softmaxClipEps: 1e-10 }], [1e-10], [[1, 1]], [{ weights: [1, 1] }], [1e-10, [[1, 1]]]],
    cases: [
      {
        title: 'one-hot rows',
        activation: 'softmax',
        labels: [
          [0, 1],
          [1, 0],
        ],
        preOutput: [
          [1, 2],
          [0, 0],
        ],
        score: 1.0064088680781682,
        scoreArray: [0.3132616875182228, Math.LN2],
        gradient: [
          [0.2689414213699951, -0.2689414213699951],
          [-0.5, 0.5],
        ],
      },
      {
        title: 'a soft row that does not sum to 1',
        activation: 'softmax',
        labels: [[0.5, 0.25]],
        preOutput: [[1, -1]],
        score: 0.5951960082822294,
        scoreArray: [0.5951960082822294],
        gradient: [[0.16059780848341185, -0.16059780848341185]],
      },
      {
        title: 'class weights',
        args: [{ weights: [0.5, 2] }],
        activation: 'softmax',
        labels: [
          [0, 1],
          [1, 0],
        ],
        preOutput: [
          [1, 2],
          [0, 0],
        ],
        score: 0.9730969653164183,
        scoreArray: [0.6265233750364456, 0.34657359027997264],
        gradient: [
          [0.5378828427399902, -0.5378828427399902],
          [-0.25, 0.25],
        ],
      },
      {
        title: 'a mask per output',
        activation: 'softmax',
        labels: [[0.5, 0.25, 0.25]],
        preOutput: [[0, 1, 2]],
        mask: [[1, 0, 2]],
        score: 1.4076059644443804,
        scoreArray: [1.4076059644443804],
        gradient: [[-0.40996942682961957, 0.24472847105479764, 0.1652409557748219]],
      },
      {
        title: 'saturated logits, clipped in the score alone',
        activation: 'softmax',
        labels: [
          [1, 0],
          [0, 1],
        ],
        preOutput: [
          [0, 1000],
          [0, 1000],
        ],
        score: 23.025850930040455,
        scoreArray: [23.025850929940457, 1.00000000005e-10],
        gradient: [
          [-1, 1],
          [0, 0],
        ],
      },
      {
        title: 'saturated logits, exact',
        args: [{ softmaxClipEps: 0 }],
        activation: 'softmax',
        labels: [
          [1, 0],
          [0, 1],
        ],
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
        title: 'one column',
        activation: 'softmax',
        labels: [[1]],
        preOutput: [[5]],
        score: 1.00000000005e-10,
        scoreArray: [1.00000000005e-10],
        gradient: [[0]],
      },
      {
        title: 'sigmoid, whose log does not underflow',
        activation: 'sigmoid',
        labels: [[1, 0.5]],
        preOutput: [[-1000, 2]],
        score: 1000.0634640055215,
        scoreArray: [1000.0634640055215],
        gradient: [[-1, -0.05960146101105878]],
      },
      {
        title: 'a label of 0 at an output of 0',
        activation: 'relu',
        labels: [[0, 1]],
        preOutput: [[-1, 2]],
        score: -Math.LN2,
        scoreArray: [-Math.LN2],
        gradient: [[0, -0.5]],
      },
    ],
  });
}
