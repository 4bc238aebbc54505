// SPDX-License-Identifier: Apache-2.0
// What is computed in place of what was written: gradients worked out, everything in its simplest form. A graph itself
// holds what was written, as a gradient may be asked for any of it.
import { gradients } from './gradient';
import { type Node, nameAs, reachable } from './graph';
import { remake, replaced } from './remake';
import type { Simplifier } from './simplifier';

/** Nodes of a graph as they are computed, each found once. */
export class Expansion {
  private readonly made = new Map<Node, Node>();

  constructor(
    readonly graph: Simplifier,
    /** Nodes that gradients are for: no simplification looks into them. */
    private readonly kept: ReadonlySet<Node> = new Set(),
    /** Where all is found that does not depend on them. */
    private readonly outer?: Expansion,
  ) {}

  of(roots: readonly Node[]): Node[] {
    const nodes = reachable(roots, (node) => !this.made.has(node));
    for (const node of nodes) {
      if (this.made.has(node)) continue;
      if (node.op === 'gradient') this.differentiate(node, nodes);
      else this.set(node, this.simplified(node));
    }
    return roots.map((root) => this.get(root));
  }

  private get(node: Node): Node {
    return this.made.get(node) ?? (this.outer as Expansion).get(node);
  }

  private simplified(node: Node): Node {
    const inputs = node.inputs.map((input) => this.get(input));
    return remake(this.graph, node, inputs);
  }

  private set(node: Node, result: Node): void {
    nameAs(result, node);
    this.made.set(node, this.kept.has(node) ? this.graph.kept(result, node.id) : result);
  }

  /** Works a gradient out, and with it those of the same outputs, which share the way back. */
  private differentiate(node: Node, among: readonly Node[]): void {
    const [wrt, ...outputs] = node.inputs as [Node, ...Node[]];
    if (!this.isApart(wrt)) {
      this.set(node, this.gradientWithin(wrt, outputs));
      return;
    }
    const alike = among.filter(({ op, inputs: [x, ...of] }) => {
      if (op !== 'gradient' || of.length !== outputs.length) return false;
      return of.every((output, i) => output === outputs[i]) && this.isApart(x as Node);
    });
    const found = this.gradients(
      alike.map(({ inputs }) => inputs[0] as Node),
      outputs,
    );
    alike.forEach((each, i) => {
      this.set(each, found[i] as Node);
    });
  }

  /** Does no simplification look into it? */
  private isApart(node: Node): boolean {
    return node.op === 'input' || this.kept.has(node);
  }

  private gradients(wrt: readonly Node[], outputs: readonly Node[]): Node[] {
    const { graph } = this;
    const upstream = graph.number(1);
    const to = this.of(wrt);
    const found = gradients(
      graph,
      this.of(outputs).map((output) => [output, upstream] as const),
      to,
    );
    return to.map((x, i) => graph.broadcastLike(found[i] ?? 0, x));
  }

  /** The gradient for a node that is kept as it is while what depends on it is simplified and differentiated. */
  private gradientWithin(wrt: Node, outputs: readonly Node[]): Node {
    const within = new Expansion(this.graph, new Set([...this.kept, wrt]), this);
    const varying = new Set([wrt]);
    for (const node of reachable(outputs, ({ id }) => id > wrt.id)) {
      if (node.inputs.some((input) => varying.has(input))) varying.add(node);
      if (!varying.has(node)) within.made.set(node, this.get(node));
    }
    within.set(wrt, this.get(wrt));
    const [gradient] = within.gradients([wrt], outputs) as [Node];
    const released = new Map<Node, Node>();
    for (const node of within.kept) if (within.made.has(node)) released.set(within.get(node), this.get(node));
    return replaced(this.graph, gradient, released);
  }
}
