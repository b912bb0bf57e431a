// Which paths a policy is for.
//
//   /search/*    /search and all that is below it
//   /users/:id   any one segment, which a key may name

import { pathOf } from './request-target.ts';

export interface PathPattern {
  readonly segments: readonly Segment[];
  /** Whether more segments may follow. */
  readonly isPrefix: boolean;
}

type Segment = { readonly literal: string } | { readonly parameter: string };

/** The segments that a pattern names. */
export type PathParameters = Readonly<Record<string, string>>;

const none: PathParameters = {};

/** The pattern that the text is; undefined when it is none. */
export function pathPatternOf(text: string): PathPattern | undefined {
  if (!/^\/[^\s?#]*$/.test(text)) return undefined;
  const parts = text.split('/').filter((part) => part !== '');
  const isPrefix = parts.at(-1) === '*';
  if (isPrefix) parts.pop();
  if (!parts.every((part) => /^(?::[A-Za-z_]\w*|[^:*][^*]*)$/.test(part))) return undefined;
  const segments = parts.map((part) => (part.startsWith(':') ? { parameter: part.slice(1) } : { literal: part }));
  const pattern = { segments, isPrefix };
  const names = parametersIn(pattern);
  return new Set(names).size === names.length ? pattern : undefined;
}

/** The names of a pattern's parameters. */
export function parametersIn({ segments }: PathPattern): readonly string[] {
  return segments.flatMap((segment) => ('parameter' in segment ? [segment.parameter] : []));
}

/** The parameters of a path that the pattern is for; undefined of another path. */
export function matchPath({ segments, isPrefix }: PathPattern, path: readonly string[]): PathParameters | undefined {
  if (isPrefix ? path.length < segments.length : path.length !== segments.length) return undefined;
  let parameters = none;
  for (const [i, segment] of segments.entries()) {
    const part = path[i] as string;
    if ('parameter' in segment) parameters = { ...parameters, [segment.parameter]: part };
    else if (segment.literal !== part) return undefined;
  }
  return parameters;
}

/** Whether there is a path that both are for. */
export function mayMeet(one: PathPattern, other: PathPattern): boolean {
  const [short, long] = one.segments.length <= other.segments.length ? [one, other] : [other, one];
  if (short.segments.length < long.segments.length && !short.isPrefix) return false;
  return short.segments.every((segment, i) => {
    const opposite = long.segments[i] as Segment;
    return 'parameter' in segment || 'parameter' in opposite || segment.literal === opposite.literal;
  });
}

/**
 * The segments of the path in a request's target, as most servers read it: decoded, without empty ones, `.` and `..`
 * followed, and `\` taken for `/` (WHATWG URL). So no other spelling of a path leads past a policy.
 */
export function segmentsOf(target: string): readonly string[] {
  const segments: string[] = [];
  for (const raw of pathOf(target).split(/[/\\]/)) {
    const segment = decoded(raw);
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return segments;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
