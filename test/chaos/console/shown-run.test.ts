import { describe, expect, it } from 'vitest';
import { LiveRun } from '../../../chaos/console/live-run.ts';
import { ShownRun, worstOf } from '../../../chaos/console/page/shown-run.ts';
import { storeErrorsLane } from '../../../chaos/report/store-errors-lane.ts';
import { buildHistory, eventsOf } from '../../support/history-builder.ts';
import { specs } from '../../support/runs.ts';

const plannedMs = 10_000;

/** The page's run after all that happened was told to it in small pieces. */
function shownAfter(spec: Parameters<typeof eventsOf>[0]): ShownRun {
  const [run, ...events] = eventsOf(spec);
  if (run?.type !== 'run') throw new Error('a history begins with the run');
  const live = new LiveRun(run, plannedMs);
  const shown = new ShownRun(run, plannedMs);
  for (let i = 0; i < events.length; i += 500) {
    live.take(events.slice(i, i + 500));
    shown.take(live.update());
  }
  return shown;
}

describe('the run that the page shows', () => {
  it('has the failed calls to Redis of the report, in bins that have answers too', () => {
    const { storeErrors, bins } = shownAfter(specs.pass);
    const expected = storeErrorsLane(buildHistory(specs.pass))?.map(
      ({ startMs, reasons }) => [startMs, Object.fromEntries(reasons)] as const,
    );
    expect([...storeErrors]).toEqual(expected);
    const starts = new Set(bins.map(({ startMs }) => startMs));
    expect([...storeErrors.keys()].filter((startMs) => !starts.has(startMs))).toEqual([]);
  });

  it('has none where nobody tells of them', () => {
    expect(shownAfter({}).storeErrors).toEqual(new Map());
  });

  it('has an infinite p99 where requests had no answer, and none where nobody asked', () => {
    const half = shownAfter({ phases: { fault: { status: (i: number) => (i % 2 ? 200 : 0) } } });
    const fault = half.bins.filter(({ outcomes }) => outcomes.failed > 0);
    expect([fault.length > 0, worstOf(fault, 'p99'), Number.isFinite(worstOf(fault, 'controlP99'))]).toEqual([
      true,
      Number.POSITIVE_INFINITY,
      true,
    ]);
    expect([worstOf([], 'p99'), worstOf([], 'controlP99')]).toEqual([null, null]);
  });
});
