// The generator: a process of its own that sends a plan's requests when they are due, whatever became of the earlier
// ones, and reports each as its client saw it.
//
//   runner ── plan ──▶ generator ──▶ ready          connections to every target stand
//          ── start at ─▶         ──▶ answers …      every 100 ms
//                                 ──▶ done           when all are answered or given up

import { Pool } from 'undici';
import { monotonicUs, sleep } from './clock.ts';
import type { AnswerEvent } from './history.ts';
import { type Arrival, arrivalsOf, type LoadPlan } from './load.ts';

export type ToGenerator = { readonly plan: LoadPlan } | { readonly startAtUs: number };
export type FromGenerator =
  | { readonly type: 'ready' }
  | { readonly type: 'answers'; readonly answers: readonly AnswerEvent[] }
  | { readonly type: 'done' };

const giveUpMs = 10_000;
const reportEveryMs = 100;
const connectionsAtStart = 8;
const connectionsMax = 1024;

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
    targets = [...plan.targets, plan.control].map(({ instance, url }) => ({ instance, pool: poolOf(url) }));
    await Promise.all(targets.map(({ pool }) => warmUp(pool)));
    tell({ type: 'ready' });
  } else if (plan) {
    await send(plan, message.startAtUs);
    tell({ type: 'done' });
  }
});

function poolOf(url: string): Pool {
  return new Pool(url, {
    connections: connectionsMax, // more than are ever busy: a request must not wait for a connection
    pipelining: 1,
    connect: { timeout: giveUpMs },
    headersTimeout: giveUpMs,
    bodyTimeout: giveUpMs,
  });
}

/** Opens connections, so that the first requests of the plan do not pay for it. Answers do not matter yet. */
async function warmUp(pool: Pool): Promise<void> {
  const calls = Array.from({ length: connectionsAtStart }, () => pool.request({ path: '/healthz', method: 'GET' }));
  await Promise.all(calls.map(async (call) => (await call).body.dump()));
}

async function send({ keyHeader, targets: { length: controlIndex }, ...rest }: LoadPlan, startAtUs: number) {
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
    ask(targets[index] as Target, arrival, keyHeader, nowMs, settle);
  };

  for (const arrival of arrivalsOf({ keyHeader, targets: plan?.targets ?? [], ...rest })) {
    while (nowMs() < arrival.atMs) await sleep(Math.max(1, arrival.atMs - nowMs()));
    request(arrival, arrival.target);
    if (arrival.target === 0) request(arrival, controlIndex);
  }
  settle();
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
