// Sorts the answers by the bucket that decided them, so that each bucket's promise can be checked by itself.
//
// A source is one key's bucket in one place: in Redis (until Redis loses its data, which begins a new one), in the
// control's Redis, or in one instance's fallback.

import { type AnswerEvent, type History, isControl } from '../history.ts';

export interface Source {
  /** `redis`, `redis after state loss 1`, `control redis`, `fallback of limiter-1`. */
  readonly name: string;
  readonly key: string;
  readonly capacity: number;
  readonly refillPerSecond: number;
  readonly admits: AnswerEvent[];
  readonly rejects: AnswerEvent[];
  /** Takes that this bucket may have decided: Redis, without being heard, or just before or after it lost its data. */
  readonly uncertain: AnswerEvent[];
  /** Of a fallback: what its instance was told by Redis, from which a bucket may start. */
  readonly told: AnswerEvent[];
  /** Of a bucket in Redis: the one that was lost before it. */
  readonly former: Source | undefined;
}

/** How far the client's clock and a bucket's clock may drift apart: NTP slews by 500 ppm at most. */
export const driftRatio = 500e-6;

export function sourcesOf(history: History): Source[] {
  const { bounds } = history.run;
  const losses = stateLosses(history);
  const sources = new Map<string, Source>();

  const source = (name: string, key: string, mechanism: 'redis' | 'fallback', former?: Source): Source => {
    const id = `${name}\n${key}`;
    const existing = sources.get(id);
    if (existing) return existing;
    const capacity = mechanism === 'redis' ? bounds.capacity : bounds.fallbackCapacity;
    const refillPerSecond = mechanism === 'redis' ? bounds.refillPerSecond : bounds.fallbackRefillPerSecond;
    const lists = { admits: [], rejects: [], uncertain: [], told: [] };
    const created: Source = { name, key, capacity, refillPerSecond, ...lists, former };
    sources.set(id, created);
    return created;
  };
  /** Redis's bucket that decided it, if Redis did; several when nobody can tell whether that was before a loss or after. */
  const redisSources = (answer: AnswerEvent): Source[] => {
    if (isControl(history, answer.instance)) return [source('control redis', answer.key, 'redis')];
    const surely = losses.filter(({ endMs }) => endMs < answer.sentMs).length;
    const possibly = losses.filter(({ beginMs }) => beginMs < answer.receivedMs).length;
    return Array.from({ length: 1 + possibly - surely }, (_, i) => afterLosses(surely + i, answer.key));
  };
  const afterLosses = (count: number, key: string): Source =>
    count === 0
      ? source('redis', key, 'redis')
      : source(`redis after state loss ${count}`, key, 'redis', afterLosses(count - 1, key));
  const fallbackSource = ({ instance, key }: AnswerEvent): Source => source(`fallback of ${instance}`, key, 'fallback');

  for (const answer of history.answers) {
    const possible = redisSources(answer);
    const [only] = possible;
    if (answer.mechanism === 'fallback') file(fallbackSource(answer), answer);
    else if (answer.mechanism === 'redis' && only && possible.length === 1) file(only, answer);
    if (answer.mechanism === 'redis') fallbackSource(answer).told.push(answer);
    const isUncertain = answer.mechanism === 'redis' ? possible.length > 1 : !breakerWasOpen(history, answer);
    if (isUncertain) for (const bucket of possible) bucket.uncertain.push(answer);
  }
  return [...sources.values()];
}

/** The times at which Redis forgot every bucket. One kill is recorded for each instance that it hits. */
export function stateLosses(history: History): { beginMs: number; endMs: number }[] {
  const injects = history.faults
    .filter(({ losesState, action }) => losesState && action === 'inject')
    .sort((a, b) => a.beginMs - b.beginMs);
  const losses: { beginMs: number; endMs: number }[] = [];
  for (const { beginMs, endMs } of injects) {
    const last = losses.at(-1);
    if (last && beginMs <= last.endMs) last.endMs = Math.max(last.endMs, endMs);
    else losses.push({ beginMs, endMs });
  }
  return losses;
}

function file(source: Source, answer: AnswerEvent): void {
  if (answer.status === 429) source.rejects.push(answer);
  else if (answer.status >= 200 && answer.status < 500) source.admits.push(answer);
}

/** Whether the instance's breaker kept Redis out of this request from beginning to end. */
function breakerWasOpen(history: History, { instance, sentMs, receivedMs }: AnswerEvent): boolean {
  let open = false;
  for (const move of history.breaker) {
    if (move.instance !== instance) continue;
    if (move.atMs > receivedMs) break;
    if (move.atMs >= sentMs && (move.to === 'closed' || move.from === 'closed')) return false;
    open = move.to !== 'closed';
  }
  return open;
}
