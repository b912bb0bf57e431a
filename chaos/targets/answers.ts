// A target's words made into requests and its answers into what they mean.

import type { AnswerSource } from '../history.ts';
import { type Outcome, outcomeOfStatus } from '../outcome.ts';
import { sourceKindOf } from './mechanisms.ts';
import { type Answer, type Condition, filled, type Place, type Take } from './target.ts';

/** An answer of any HTTP client. */
export interface Answered {
  readonly status: number;
  /** A header's value; `name` in lower case. */
  readonly header: (name: string) => string | undefined;
  readonly body: () => string;
}

/** What an answer says. */
export interface Reading {
  readonly outcome: Outcome;
  readonly source: AnswerSource | null;
  /** From 0; null when it tells no such number. */
  readonly remaining: number | null;
  /** Of the header Retry-After; absent where it is none, or a date. */
  readonly retryAfterS?: number;
}

/** A request for one token of the key. */
export function takeFor(take: Take, key: string): Take {
  const values = { key, cost: '1' };
  const headers: Record<string, string> = {};
  for (const name in take.headers) headers[name] = filled(take.headers[name] ?? '', values);
  const { method, path, body } = take;
  return { method, path: filled(path, values), headers, ...(body === undefined ? {} : { body: filled(body, values) }) };
}

export function readerOf({ allowed, denied, remaining, source, withoutStore }: Answer): (answer: Answered) => Reading {
  const toldRemaining = remaining.map(lookAt);
  const toldSource = source && lookAt(source);
  return (answer) => {
    let left: number | null = null;
    for (const look of toldRemaining) left ??= numberIn(look(answer));
    const retryAfter = answer.header('retry-after') ?? '';
    const word = toldSource?.(answer);
    const isPassed = word !== undefined && word === withoutStore?.words.allow;
    const isRefused = word !== undefined && word === withoutStore?.words.refuse;
    // Its word and its status must agree.
    const mayBeAllowed = holds(allowed, answer) && !isRefused;
    const mayBeDenied = isRefused ? holds(withoutStore.refused, answer) : holds(denied, answer) && !isPassed;
    return {
      outcome: mayBeAllowed ? 'allowed' : mayBeDenied ? 'denied' : 'failed',
      source: isPassed || isRefused ? 'none' : sourceKindOf(word, source?.words),
      remaining: left,
      ...(/^\d+$/.test(retryAfter) ? { retryAfterS: Number(retryAfter) } : {}),
    };
  };
}

/** The outcome, where the status by itself would say another. */
export function unlikeStatus({ outcome }: Reading, status: number): { readonly outcome?: Outcome } {
  return outcome === outcomeOfStatus(status) ? {} : { outcome };
}

export function holds({ status, pointer, equals }: Condition, answer: Answered): boolean {
  if (status !== undefined && !isOfStatus(status, answer.status)) return false;
  return pointer === undefined || valueAt(pointer, answer) === equals;
}

function isOfStatus(wanted: number | string, status: number): boolean {
  return typeof wanted === 'number' ? status === wanted : wanted[0] === String(status)[0];
}

/** What an answer says at that place; undefined where there is nothing. */
export function lookAt(place: Place): (answer: Answered) => unknown {
  if ('pointer' in place) return (answer) => valueAt(place.pointer, answer);
  const name = place.header.toLowerCase();
  return ({ header }) => header(name);
}

/** Undefined where there is nothing, also where the body is no JSON. */
function valueAt(pointer: string, { body }: Answered): unknown {
  let value: unknown;
  try {
    value = JSON.parse(body());
  } catch {
    return undefined;
  }
  for (const token of pointer.split('/').slice(1)) {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~');
    value =
      typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
  }
  return value;
}

/**
 * A number from 0; also as `r=4` or `remaining=4` in the header RateLimit of the IETF's drafts. A negative one tells of no
 * bucket: Spring Cloud Gateway says -1 while its Redis cannot decide, and others where there is no limit.
 */
function numberIn(told: unknown): number | null {
  if (typeof told === 'number') return told >= 0 ? told : null;
  if (typeof told !== 'string') return null;
  const digits = /^\d+(\.\d+)?$/.test(told) ? told : /(?:^|[;,]\s*)(?:r|remaining)=(\d+)/.exec(told)?.[1];
  return digits === undefined ? null : Number(digits);
}
