// A report of a million observations, which has to stay a file that people can send.

import { expect, it } from 'vitest';
import { type HistoryEvent, historyOf } from '../../../chaos/history.ts';
import { journalOf } from '../../../chaos/report/journal.ts';
import { reportOf } from '../../../chaos/report/page/report.ts';
import { phaseNames } from '../../../chaos/scenario.ts';
import { eventsOf } from '../../support/history-builder.ts';
import { answer } from '../../support/history-events.ts';

const startsMs = [0, 150_000, 151_000, 500_000, 502_000, 667_000];

function million(): HistoryEvent[] {
  const phases = phaseNames.map((name, i) => ({ name, ms: (startsMs[i + 1] ?? 0) - (startsMs[i] ?? 0), rate: 0 }));
  const events = eventsOf({ phases, breaker: [] });
  for (let i = 0; events.length < 1_000_000; i++) {
    const mechanism = i >= 150_000 && i < 500_000 ? 'fallback' : 'redis';
    const common = { key: `k${i % 400}`, latencyMs: 1 + ((i * 7919) % 997) / 300, status: i % 3 ? 200 : 429 };
    events.push(answer(i, { ...common, instance: `limiter-${1 + (i % 2)}`, mechanism }));
    if (i % 2) events.push(answer(i, { ...common, instance: 'limiter-control' }));
  }
  return events;
}

it('of a million observations is at most 5 MB, made in under 2 s of work, and says that its points are a sample', () => {
  const history = historyOf(million());
  const journal = journalOf(history, [], history.run.startedAt);
  const run = { history, checks: [], endedAt: history.run.startedAt, gaps: [], described: true };
  const times = [1, 2].map(() => {
    const before = process.threadCpuUsage();
    reportOf(run, journal);
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1000;
  });
  const html = reportOf(run, journal);
  expect(Buffer.byteLength(html)).toBeLessThan(5_000_000);
  expect(Math.min(...times)).toBeLessThan(2000); // ms of the processor; the faster one, as others use its caches too
  expect(html).toMatch(/points are a sample, [\d,]+ of 999,9\d\d answers, the slowest always/);
});
