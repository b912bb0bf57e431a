// The generator: a process of its own that sends a plan's requests when they are due, whatever became of the earlier
// ones, and reports each as its client saw it.
//
//   runner ── plan ──▶ generator ──▶ ready          connections to every target stand
//          ── start at ─▶         ──▶ answers …      every 100 ms
//                                 ──▶ done           when all are answered or given up

import { spawnSync } from 'node:child_process';
import { Worker } from 'node:worker_threads';
import { Pool } from 'undici';
import { monotonicUs } from './clock.ts';
import type { AnswerEvent } from './history.ts';
import { type Arrival, arrivalsOf, type LoadPlan } from './load.ts';
import type { MetronomeData } from './metronome.ts';

export type ToGenerator = { readonly plan: LoadPlan } | { readonly startAtUs: number };
export type FromGenerator =
  | { readonly type: 'ready' }
  | { readonly type: 'answers'; readonly answers: readonly AnswerEvent[] }
  | { readonly type: 'done' };

const giveUpMs = 10_000;
const reportEveryMs = 100;
const warmUpConnections = 32;
const warmUpRequests = 10_000;
/** All opened before the schedule starts: opening them while a limiter hangs would make the generator late. */
const connections = 128;

interface Target {
  readonly instance: string;
  readonly pool: Pool;
}

process.on('disconnect', () => process.exit(0)); // the runner is gone
process.on('SIGINT', () => {}); // Ctrl-C is the runner's to handle

let plan: LoadPlan | undefined;
let targets: readonly Target[] = [];
process.on('message', async (message: ToGenerator) => {
  if ('plan' in message) {
    plan = message.plan;
    targets = [...plan.targets, ...(plan.control ? [plan.control] : [])].map(({ instance, url }) => ({
      instance,
      pool: poolOf(url),
    }));
    for (const { pool } of targets) await warmUp(pool, plan.keyHeader);
    if (plan.urgent) goFirst();
    tell({ type: 'ready' });
  } else if (plan) {
    await send(plan, message.startAtUs);
    tell({ type: 'done' });
  }
});

/**
 * Real-time scheduling, for all its threads: niceness counts for nothing against the processes of other sessions or
 * containers where the kernel groups them (sched(7), "The autogroup feature").
 */
function goFirst(): void {
  // Not Linux, or not root: the lag it then has is recorded, and a verdict that depends on it is unknown.
  spawnSync('chrt', ['--fifo', '--all-tasks', '--pid', '1', String(process.pid)], { stdio: 'ignore' });
}

function poolOf(url: string): Pool {
  return new Pool(url, {
    connections, // with all of them busy requests wait here, and their latency counts on
    pipelining: 1,
    connect: { timeout: giveUpMs },
    headersTimeout: giveUpMs,
    bodyTimeout: giveUpMs,
  });
}

/**
 * Opens connections and has the code on both sides compiled, so that the first requests of the plan do not pay for it.
 * Its keys are its own, and its answers do not matter.
 */
async function warmUp(pool: Pool, keyHeader: string): Promise<void> {
  const get = async (path: string, headers: Record<string, string>) => {
    const { body } = await pool.request({ path, method: 'GET', headers });
    await body.dump();
  };
  await Promise.all(Array.from({ length: connections }, () => get('/healthz', {})));
  let left = warmUpRequests;
  const asking = Array.from({ length: warmUpConnections }, async () => {
    // A connection that is reset here would be an answer to nobody; one that is reset in the run is recorded.
    while (left-- > 0) await get('/', { [keyHeader]: `warm-up-${left % 100}` }).catch(() => {});
  });
  await Promise.all(asking);
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
  const request = (arrival: Arrival, index: number) => {
    outstanding++;
    ask(targets[index] as Target, arrival, plan.keyHeader, nowMs, settle);
  };

  const arrivals = [...arrivalsOf(plan)];
  const workerData: MetronomeData = { atMs: Float64Array.from(arrivals, ({ atMs }) => atMs), startAtUs };
  const metronome = new Worker(new URL('./metronome.ts', import.meta.url), { workerData });
  let sent = 0;
  metronome.on('message', (due: number) => {
    for (const arrival of arrivals.slice(sent, due)) {
      request(arrival, arrival.target);
      if (plan.control && arrival.target === 0) request(arrival, plan.targets.length);
    }
    sent = due;
  });
  metronome.on('error', (error) => {
    throw error;
  });
  metronome.on('exit', () => settle());
  await allAnswered;
  clearInterval(reporter);
  report();
}

function ask(
  { instance, pool }: Target,
  { atMs, key }: Arrival,
  keyHeader: string,
  nowMs: () => number,
  settle: (answer: AnswerEvent) => void,
): void {
  const sentMs = nowMs();
  let status = 0;
  let headers: Record<string, string | string[] | undefined> = {};
  const answer = (error?: string): AnswerEvent => {
    const mechanism = headers['x-ratelimit-mechanism'];
    const remaining = headers['x-ratelimit-remaining'];
    return {
      type: 'answer',
      instance,
      key,
      scheduledMs: round(atMs),
      sentMs: round(sentMs),
      receivedMs: round(nowMs()),
      status: error === undefined ? status : 0,
      mechanism: mechanism === 'redis' || mechanism === 'fallback' ? mechanism : null,
      remaining: remaining === undefined ? null : Number(remaining),
      ...(error === undefined ? {} : { error }),
    };
  };
  pool.dispatch(
    { path: '/', method: 'GET', headers: { [keyHeader]: key } },
    {
      onRequestStart() {},
      onResponseStart(_controller, statusCode, responseHeaders) {
        status = statusCode;
        headers = responseHeaders;
      },
      onResponseData() {},
      onResponseEnd() {
        settle(answer());
      },
      onResponseError(_controller, error) {
        settle(answer(error.message));
      },
    },
  );
}

/** To whole microseconds. */
function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

function tell(message: FromGenerator): void {
  process.send?.(message);
}
