// The load of `latency.ts`, in a thread of its own: open loop, and as little work for a request as can be, for it is done
// on cores that carry what is measured.
//
//   arrivals ── up to whole milliseconds ──▶ metronome ──▶ connections ──▶ latency of each, from when it was due
//
// Requests that are due in the same millisecond are sent together: each by itself wakes everybody up, which costs as
// much as the request, and beyond some 20,000 in a second more than a core can do.

import { once } from 'node:events';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { monotonicUs } from '../../chaos/clock.ts';
import { Connections } from '../../chaos/load/connections.ts';
import { Due } from '../../chaos/load/due.ts';
import { arrivalsOf } from '../../chaos/load/load.ts';
import type { MetronomeData } from '../../chaos/load/metronome.ts';
import { latenciesAmong } from '../../chaos/report/summary.ts';
import type { LatencyRun, Load } from './latency.ts';

const connectionCount = 128;
const keys = { count: 10_000, skew: 0 };
/** From the start of the schedule; what is due in it does not count. */
const warmUpMs = 1000;
/** Time for the metronome's thread to start. */
const leadUs = 200_000;

async function run({ url, keyHeader, rate, seconds, seed }: Load): Promise<LatencyRun> {
  const connections = new Connections(url, connectionCount);
  await Promise.all(Array.from({ length: connectionCount }, () => answered(connections, keyHeader)));

  const dueMs: number[] = [];
  const headers: Record<string, string>[] = [];
  const headersOf = new Map<string, Record<string, string>>();
  const schedule = { seed, rate, durationMs: warmUpMs + seconds * 1000, keys, targets: [{}] };
  for (const { atMs, key } of arrivalsOf(schedule)) {
    const known = headersOf.get(key) ?? { [keyHeader]: key };
    headersOf.set(key, known);
    dueMs.push(Math.ceil(atMs));
    headers.push(known);
  }

  const startAtUs = monotonicUs() + leadUs;
  const nowMs = () => (monotonicUs() - startAtUs) / 1000;
  const latenciesMs: number[] = [];
  const lagsMs: number[] = [];
  let [answers, fallback] = [0, 0];
  const { promise: allAnswered, resolve, reject } = Promise.withResolvers<void>();
  const send = (i: number) => {
    const at = dueMs[i] as number;
    const lagMs = nowMs() - at;
    connections.get('/', headers[i] as Record<string, string>, (answer, error) => {
      if (answer?.status !== 200) return reject(new Error(`${url}: ${error ?? `status ${answer?.status}`}`));
      if (at >= warmUpMs) {
        latenciesMs.push(nowMs() - at);
        lagsMs.push(lagMs);
        if (answer.header('x-ratelimit-mechanism') === 'fallback') fallback++;
      }
      if (++answers === dueMs.length) resolve();
    });
  };

  const due = new Due();
  const data: MetronomeData = { schedule, inWholeMs: true, startAtUs, due: due.shared };
  const metronome = new Worker(new URL('../../chaos/load/metronome.ts', import.meta.url), { workerData: data });
  let sent = 0;
  metronome.on('message', () => {
    for (const now = due.look(); sent < now; sent++) send(sent);
  });
  metronome.on('error', reject);
  const ended = once(metronome, 'exit');
  await allAnswered;
  await ended;
  connections.close();
  return {
    latencyMs: latenciesAmong(latenciesMs),
    lagMsP99: latenciesAmong(lagsMs).p99 ?? Number.NaN,
    answers: latenciesMs.length,
    fallback,
  };
}

function answered(connections: Connections, keyHeader: string): Promise<void> {
  return new Promise((resolve, reject) => {
    connections.get('/', { [keyHeader]: 'warm-up' }, (_answer, error) =>
      error === undefined ? resolve() : reject(new Error(error)),
    );
  });
}

parentPort?.postMessage(await run(workerData as Load));
