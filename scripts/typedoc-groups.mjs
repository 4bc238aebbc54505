// SPDX-License-Identifier: Apache-2.0
// A plugin of typedoc: docs/api lists by subject, told by the folder of lib/ that declares a name, instead of by kind;
// in the order that docs/typedoc.json gives.
import { Comment, CommentTag, Converter } from 'typedoc';

const subjects = {
  Losses: /^lib\/(losses\/|loss-function)/,
  Activations: /^lib\/activations\//,
  Layers: /^lib\/layers\//,
  Arrays: /^lib\/(ndarray\/|array-input|outputs)/,
  Checks: /^lib\/testing\//,
  'The library': /./,
};

export function load({ converter }) {
  converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const [i, module] of project.children.entries()) module.name = ['simdloss', 'simdloss/testing'][i];
    for (const reflection of project.children.flatMap(({ children }) => children)) {
      const { packagePath } = project.getSymbolIdFromReflection(reflection);
      const [subject] = Object.entries(subjects).find(([, pattern]) => pattern.test(packagePath));
      reflection.comment ??= new Comment();
      reflection.comment.blockTags.push(new CommentTag('@group', [{ kind: 'text', text: subject }]));
    }
  });
}
