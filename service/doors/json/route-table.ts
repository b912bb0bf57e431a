// Which routes are at a path.

import type { AnyRoute } from './route.ts';

/** The routes at one path, by their methods. */
export type Methods = ReadonlyMap<string, AnyRoute>;

export interface Place {
  readonly methods: Methods;
  /** As they are in the URL. */
  readonly parameters: Readonly<Record<string, string>>;
}

interface Pattern {
  readonly expression: RegExp;
  readonly methods: Methods;
}

const none = {};

export class RouteTable {
  readonly #plain = new Map<string, Methods>();
  readonly #patterns: Pattern[] = [];

  /** A GET route answers HEAD too. */
  constructor(routes: readonly AnyRoute[]) {
    for (const [path, own] of Map.groupBy(routes, (route) => route.path)) {
      const methods = new Map<string, AnyRoute>(own.map((route) => [route.method, route]));
      const get = methods.get('GET');
      if (get) methods.set('HEAD', get);
      if (path.includes('{')) this.#patterns.push({ expression: expressionOf(path), methods });
      else this.#plain.set(path, methods);
    }
  }

  /** undefined when nothing is at the path: a path counts as it is written, without its query. */
  at(path: string): Place | undefined {
    const methods = this.#plain.get(path);
    if (methods) return { methods, parameters: none };
    for (const { expression, methods } of this.#patterns) {
      const match = expression.exec(path);
      if (match) return { methods, parameters: { ...match.groups } };
    }
    return undefined;
  }
}

/** Of a path whose parameters are in braces. */
function expressionOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`);
}
