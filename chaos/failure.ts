// How a request failed, by kind: from the error that its client had, or the status that came. Of a decision there is none.

import { isAllowed, isDenied, type Outcome } from './outcome.ts';

/** How long a client waits for an answer after its request was written, connecting included. */
export const giveUpMs = 10_000;

/**
 * `refused`: there was no connection. `reset`: its other end broke it off; `closed`: ended it without an answer. `timed out`:
 * nothing came before the client gave up. `malformed`: what came is no answer, or not one that its target defines. `5xx` and
 * `4xx`: an error by its status. `other`: none of these.
 */
export const failureKinds = ['refused', 'reset', 'closed', 'timed out', 'malformed', '5xx', '4xx', 'other'] as const;
export type FailureKind = (typeof failureKinds)[number];

/** In what a client says, by Node's error codes and by the words of `load/`. */
const words: readonly (readonly [FailureKind, RegExp])[] = [
  ['refused', /ECONNREFUSED|EHOSTUNREACH|ENETUNREACH/],
  ['timed out', /ETIMEDOUT|^no answer within |^Command timed out/],
  [
    'malformed',
    /^no HTTP\/1\.1 answer|^no HTTP\/2: |^no status of gRPC|^an answer of more than |^content-length: |^size of a chunk: |^Protocol error/,
  ],
  ['reset', /ECONNRESET|EPIPE|ECONNABORTED|^the call was reset/],
  ['closed', /^the connection was closed|^the client was closed|^Connection is closed|^socket hang up/],
];

interface Told {
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  readonly outcome?: Outcome;
  /** What the client said. */
  readonly error?: string;
}

/** Undefined when the request was allowed or denied. */
export function failureOf(answer: Told): FailureKind | undefined {
  const { status, error = '' } = answer;
  if (status === 0) return words.find(([, pattern]) => pattern.test(error))?.[0] ?? 'other';
  if (isAllowed(answer) || isDenied(answer)) return undefined;
  if (status >= 500) return '5xx';
  return status >= 400 ? '4xx' : 'malformed';
}

/** How many of each kind; kinds of which there are none are left out. */
export function failuresIn(answers: Iterable<Told>): Partial<Record<FailureKind, number>> {
  const counts = new Map<FailureKind, number>();
  for (const answer of answers) {
    const kind = failureOf(answer);
    if (kind !== undefined) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return Object.fromEntries(failureKinds.flatMap((kind) => (counts.has(kind) ? [[kind, counts.get(kind)]] : [])));
}
