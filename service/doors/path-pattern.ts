// Which paths a policy is for.
//
//   /search/*    /search and all that is below it
//   /users/:id   any one segment, which a key may name

import { pathOf } from './request-target.ts';
import { textOfBytes } from './utf8-bytes.ts';

export interface PathPattern {
  readonly segments: readonly Segment[];
  /** Whether more segments may follow. */
  readonly isPrefix: boolean;
}

type Segment = { readonly literal: string } | { readonly parameter: string };

/** The segments that a pattern names. */
export type PathParameters = Readonly<Record<string, string>>;

const none: PathParameters = {};

/** The pattern that the text is, with its literals decoded; undefined when it is none, or one that no path could match. */
export function pathPatternOf(text: string): PathPattern | undefined {
  if (!/^\/[^\s?#\\]*$/.test(text)) return undefined;
  const parts = text.split('/').filter((part) => part !== '');
  const isPrefix = parts.at(-1) === '*';
  if (isPrefix) parts.pop();
  const segments = parts.map(segmentIn);
  if (!segments.every((segment) => segment !== undefined)) return undefined;
  const pattern = { segments, isPrefix };
  const names = parametersIn(pattern);
  return new Set(names).size === names.length ? pattern : undefined;
}

/** The segment that a part of a pattern stands for; undefined when it is none. */
function segmentIn(part: string): Segment | undefined {
  const [, parameter] = /^:([A-Za-z_]\w*)$/.exec(part) ?? [];
  if (parameter !== undefined) return { parameter };
  if (/^:|\*/.test(part)) return undefined;
  const literal = decodedOrNone(part);
  return literal === undefined || literal === '.' || literal === '..' ? undefined : { literal };
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
  for (const raw of textOfBytes(pathOf(target)).split(/[/\\]/)) {
    const segment = decodedOrNone(raw) ?? raw;
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return segments;
}

/** Undefined of text that is not percent-encoded UTF-8. */
export function decodedOrNone(text: string): string | undefined {
  if (!text.includes('%')) return text;
  // Looked at first: a path may hold thousands of such segments, and an exception for each takes longer than all else.
  return encodedUtf8.test(text) ? decodeURIComponent(text) : undefined;
}

/** What decodeURIComponent takes: bytes as RFC 3629 §4 has them. */
const tail = '%[89ab][\\da-f]';
const encodedUtf8 = new RegExp(
  `^(?:${[
    '[^%]',
    '%[0-7][\\da-f]',
    `%(?:c[2-9a-f]|d[\\da-f])${tail}`,
    `%e(?:0%[ab][\\da-f]|[1-9a-cef]${tail}|d%[89][\\da-f])${tail}`,
    `%f(?:0%[9ab][\\da-f]|[1-3]${tail}|4%8[\\da-f])(?:${tail}){2}`,
  ].join('|')})*$`,
  'i',
);
