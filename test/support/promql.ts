// Reads PromQL with the grammar of Prometheus's own user interface.

import { parser } from '@prometheus-io/lezer-promql';

export interface Selector {
  readonly metric: string;
  /** Of the form `label="value"` or with another operator, as written. */
  readonly matchers: readonly { readonly label: string; readonly operator: string; readonly value: string }[];
  /** The range in brackets, as written. */
  readonly range: string | undefined;
  /** The function whose argument it is, directly; undefined for none. */
  readonly inside: string | undefined;
}

/** Every selector of the expression. Throws when it is not PromQL. */
export function selectorsIn(expr: string): Selector[] {
  const tree = parser.parse(expr);
  const selectors: Selector[] = [];
  tree.iterate({
    enter(node) {
      if (node.type.isError) throw new Error(`not PromQL at ${node.from}: ${expr}`);
      if (node.name !== 'VectorSelector') return;
      const text = expr.slice(node.from, node.to);
      const [, metric = '', inBraces = ''] = /^([\w:]*)\s*(?:\{(.*)\})?$/s.exec(text) ?? [];
      const matchers = [...inBraces.matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g)].map(
        ([, label = '', operator = '', value = '']) => ({ label, operator, value }),
      );
      const matrix = node.node.parent?.name === 'MatrixSelector' ? node.node.parent : undefined;
      const range = matrix && /\[([^\]]*)\]$/.exec(expr.slice(matrix.from, matrix.to))?.[1];
      const call = (matrix ?? node.node).parent?.parent;
      const name = call?.name === 'FunctionCall' ? call.getChild('FunctionIdentifier') : undefined;
      selectors.push({ metric, matchers, range, inside: name ? expr.slice(name.from, name.to) : undefined });
    },
  });
  return selectors;
}

/** The series of a page in Prometheus's text format: name and labels. */
export function seriesOn(page: string): { readonly metric: string; readonly labels: ReadonlyMap<string, string> }[] {
  return page
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, metric = '', inBraces = ''] = /^([\w:]+)(?:\{(.*)\})? /.exec(line) ?? [];
      const labels = [...inBraces.matchAll(/(\w+)="([^"]*)"/g)].map(
        ([, name = '', value = '']) => [name, value] as const,
      );
      return { metric, labels: new Map(labels) };
    });
}
