// The events of a history, one at a time, each with what is usual unless told otherwise.

import type {
  AnswerEvent,
  BreakerEvent,
  FaultEvent,
  FaultFacts,
  ProbeEvent,
  StoreErrorsEvent,
  StoreUseEvent,
} from '../../chaos/history.ts';

/** One answer; `atMs` is when it was scheduled, and sent unless `sentMs` says otherwise. */
export function answer(
  atMs: number,
  changes: Partial<AnswerEvent> & { readonly latencyMs?: number } = {},
): AnswerEvent {
  const { latencyMs = 1, ...rest } = changes;
  return {
    type: 'answer',
    instance: 'limiter-1',
    key: 'k0',
    scheduledMs: atMs,
    sentMs: atMs,
    receivedMs: atMs + latencyMs,
    status: 200,
    source: 'shared',
    remaining: 9,
    ...rest,
  };
}

export function fault(action: FaultEvent['action'], atMs: number, changes: Partial<FaultEvent> = {}): FaultEvent {
  const facts: FaultFacts = {
    fault: 'partition',
    effect: 'cut-off',
    state: 'kept',
    endsBy: 'heal',
    reach: 'store-links',
    description: 'Every packet between the limiters and Redis was dropped',
  };
  return { type: 'fault', action, ...facts, target: 'limiter-1', beginMs: atMs, endMs: atMs + 1, ...changes };
}

export function probe(
  instance: string,
  atMs: number,
  expected: ProbeEvent['expected'],
  seen: ProbeEvent['seen'] = expected,
): ProbeEvent {
  return { type: 'probe', instance, atMs, expected, seen, detail: `${seen} after 1.0 ms` };
}

export function move(instance: string, atMs: number, from: string, to: string, shard?: string): BreakerEvent {
  return { type: 'breaker', instance, ...(shard === undefined ? {} : { shard }), atMs, from, to };
}

export function storeErrors(instance: string, atMs: number, totals: StoreErrorsEvent['totals']): StoreErrorsEvent {
  return { type: 'store-errors', instance, atMs, totals };
}

/** So many commands by then; of the control by the end unless told otherwise. */
export function storeUse(commands: number, atMs = 10_000, instance = 'limiter-control'): StoreUseEvent {
  return { type: 'store-use', instance, atMs, commands };
}
