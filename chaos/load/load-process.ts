// The generator: a process of its own that sends a plan's requests when they are due, whatever became of the earlier
// ones, and reports each as its client saw it.
//
//   runner ── plan ──▶ generator ──▶ ready          connections to every target stand
//          ── start at ─▶         ──▶ answers …      every 100 ms
//                                 ──▶ done           when all are answered or given up

import { Worker } from 'node:worker_threads';
import { monotonicUs, sleep } from '../clock.ts';
import type { AnswerEvent } from '../history.ts';
import { goFirst } from '../host/real-time.ts';
import { readerOf, takeFor, unlikeStatus } from '../targets/answers.ts';
import { Connections, type Requester, type RequestSpec } from './connections.ts';
import { Due } from './due.ts';
import { GrpcConnections } from './grpc-connections.ts';
import { type Arrival, arrivalsOf, type LoadPlan } from './load.ts';
import type { MetronomeData } from './metronome.ts';
import { RespConnections } from './resp-connections.ts';

export type ToGenerator = { readonly plan: LoadPlan } | { readonly startAtUs: number };
export type FromGenerator =
  | { readonly type: 'ready' }
  | { readonly type: 'answers'; readonly answers: readonly AnswerEvent[] }
  | { readonly type: 'done' };

const reportEveryMs = 100;
/** Requests under way at a time: about as many as in a run. With 32, code is compiled for crowds and thrown away in the run. */
const warmUpAtOnce = 4;
const warmUpRequests = 4000;
/** With each target: a busy machine has fewer requests to warm up with, and a run all the same. Most is gained by 3,000. */
const warmUpMsMax = 2000;
/** All opened before the schedule starts: opening them while a limiter hangs would make the generator late. */
const connectionCount = 128;
/** For that, with each target: one that hangs before the schedule starts is a finding of the run. */
const openMsMax = 3000;

interface Arm {
  readonly instance: string;
  /** Begins the names of its keys. */
  readonly keyPrefix: string;
  readonly connections: Requester;
}

process.on('disconnect', () => process.exit(0)); // the runner is gone
process.on('SIGINT', () => {}); // Ctrl-C is the runner's to handle

let plan: LoadPlan | undefined;
let arms: readonly Arm[] = [];
process.on('message', async (message: ToGenerator) => {
  if ('plan' in message) {
    plan = message.plan;
    const { targets, control } = plan;
    const isShared = targets.some(({ url }) => url === control?.url);
    arms = [...targets, ...(control ? [control] : [])].map(({ instance, url }) => ({
      instance,
      keyPrefix: isShared && instance === control?.instance ? 'control-' : '',
      connections: connectionsTo(url, message.plan.target),
    }));
    for (const { connections } of arms) await warmUp(connections, plan.target);
    // Again: a limiter may close idle ones sooner than the others are warm.
    for (const { connections } of arms) await openAll(connections, plan.target);
    goFirst(process.pid); // its own lateness is no fact about the limiter
    tell({ type: 'ready' });
  } else if (plan) {
    await send(plan, message.startAtUs);
    tell({ type: 'done' });
  }
});

/** With all busy, requests wait and their latency counts on. */
function connectionsTo(url: string, { transport }: LoadPlan['target']): Requester {
  switch (transport?.protocol) {
    case 'grpc':
      return new GrpcConnections(url);
    case 'resp':
      return new RespConnections(url);
    case undefined:
      return new Connections(url, connectionCount);
  }
}

/** Does nothing where they stand. */
async function openAll(connections: Requester, { idlePath: path }: LoadPlan['target']): Promise<void> {
  const opened = () => new Promise<void>((resolve) => connections.get(path, {}, () => resolve()));
  await Promise.race([Promise.all(Array.from({ length: connectionCount }, opened)), sleep(openMsMax)]);
}

/**
 * Opens connections and has the code on both sides compiled, so that the first requests of the plan do not pay for it.
 * Its keys are its own, and its answers do not matter; nor does it when there are none, which the run will report.
 */
async function warmUp(connections: Requester, target: LoadPlan['target']): Promise<void> {
  const request = (spec: RequestSpec) => new Promise<void>((resolve) => connections.request(spec, () => resolve()));
  await openAll(connections, target);
  let left = warmUpRequests;
  const endMs = performance.now() + warmUpMsMax;
  const asking = Array.from({ length: warmUpAtOnce }, async () => {
    // A connection that is reset here would be an answer to nobody; one that is reset in the run is recorded.
    while (left-- > 0 && performance.now() < endMs) await request(takeFor(target.take, `warm-up-${left % 100}`));
  });
  await Promise.race([Promise.all(asking), sleep(warmUpMsMax)]);
}

async function send(plan: LoadPlan, startAtUs: number): Promise<void> {
  const { promise: allAnswered, resolve } = Promise.withResolvers<void>();
  let outstanding = 1; // the schedule itself
  let answers: AnswerEvent[] = [];
  const report = () => {
    if (answers.length > 0) tell({ type: 'answers', answers });
    answers = [];
  };
  const settle = (answer?: AnswerEvent) => {
    if (answer) answers.push(answer);
    if (--outstanding === 0) resolve();
  };
  const reporter = setInterval(report, reportEveryMs);
  const nowMs = () => (monotonicUs() - startAtUs) / 1000;
  const read = readerOf(plan.target.answer);
  const request = ({ atMs, key: name }: Arrival, index: number) => {
    outstanding++;
    const { instance, connections, keyPrefix } = arms[index] as Arm;
    const key = `${keyPrefix}${name}${plan.keySuffix}`;
    const taking = takeFor(plan.target.take, key);
    const sentMs = nowMs();
    connections.request(taking, (answer, error) => {
      const receivedMs = nowMs();
      const reading = answer && read(answer);
      settle({
        type: 'answer',
        instance,
        key,
        scheduledMs: round(atMs),
        sentMs: round(sentMs),
        receivedMs: round(receivedMs),
        status: answer?.status ?? 0,
        ...(reading && unlikeStatus(reading, answer.status)),
        source: reading?.source ?? null,
        remaining: reading?.remaining ?? null,
        ...(reading?.retryAfterS === undefined ? {} : { retryAfterS: reading.retryAfterS }),
        ...(error === undefined ? {} : { error }),
      });
    });
  };

  const arrivals = arrivalsOf(plan);
  const due = new Due();
  const workerData: MetronomeData = { schedule: plan, inWholeMs: false, startAtUs, due: due.shared };
  const metronome = new Worker(new URL('./metronome.ts', import.meta.url), { workerData });
  let sent = 0;
  metronome.on('message', () => {
    for (const now = due.look(); sent < now; sent++) {
      const arrival = arrivals.next().value as Arrival; // the metronome counts those of the same schedule
      request(arrival, arrival.target);
      if (plan.control && arrival.target === 0) request(arrival, plan.targets.length);
    }
  });
  metronome.on('error', (error) => {
    throw error;
  });
  metronome.on('exit', () => settle());
  await allAnswered;
  clearInterval(reporter);
  report();
}

/** To whole microseconds. */
function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

function tell(message: FromGenerator): void {
  process.send?.(message, undefined, undefined, (error) => {
    if (error) process.exit(0); // the runner is gone
  });
}
