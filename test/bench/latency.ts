// Latency at a given rate: the lab's own generator, open loop, from the scheduled time.

import { monotonicUs, within } from '../../chaos/clock.ts';
import { LabError } from '../../chaos/errors.ts';
import { Generator } from '../../chaos/generator.ts';
import { type AnswerEvent, latencyMs } from '../../chaos/history.ts';
import { type Latencies, latenciesOf } from '../../chaos/report/summary.ts';
import type { UndoLog } from '../../chaos/undo.ts';

export interface LatencyRun {
  readonly latencyMs: Latencies;
  /** How far the generator was behind its schedule, 99th percentile. */
  readonly lagMsP99: number;
  readonly answers: number;
  /** Answers that the fallback gave. */
  readonly fallback: number;
}

/** How long after the end of the schedule the last answer may come. */
const overdueMsMax = 15_000;

/**
 * Sends `rate` requests per second for `seconds`, over 10,000 keys. The first second does not count.
 * @throws {LabError} if this machine cannot send and answer as many.
 */
export async function latencyAt(
  url: string,
  keyHeader: string,
  { rate, seconds, seed }: { rate: number; seconds: number; seed: number },
  undo: UndoLog,
): Promise<LatencyRun> {
  const warmUpMs = 1000;
  const answers: AnswerEvent[] = [];
  const plan = {
    seed,
    rate,
    durationMs: warmUpMs + seconds * 1000,
    urgent: false,
    keys: { count: 10_000, skew: 0 },
    keyHeader,
    targets: [{ instance: 'target', url: new URL(url).origin }],
  };
  await using generator = await Generator.start(plan, undo, (fresh) => {
    for (const answer of fresh) if (answer.scheduledMs >= warmUpMs) answers.push(answer);
  });
  await within(
    plan.durationMs + overdueMsMax,
    generator.run(monotonicUs() + 200_000),
    () => new LabError(`This machine cannot send and answer ${rate} requests/s beside each other.`),
  );
  const unanswered = answers.filter((answer) => !Number.isFinite(latencyMs(answer)));
  if (unanswered[0]) throw new Error(`${url}: ${unanswered.length} requests without an answer: ${unanswered[0].error}`);
  const lags = answers.map(({ sentMs, scheduledMs }) => sentMs - scheduledMs).sort((a, b) => a - b);
  return {
    latencyMs: latenciesOf(answers),
    lagMsP99: lags[Math.floor(lags.length * 0.99)] ?? Number.NaN,
    answers: answers.length,
    fallback: answers.filter(({ mechanism }) => mechanism === 'fallback').length,
  };
}
