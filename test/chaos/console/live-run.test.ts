import { describe, expect, it } from 'vitest';
import { LiveRun } from '../../../chaos/console/live-run.ts';
import { admissionLane } from '../../../chaos/report/admission-lane.ts';
import { armOf, binsOf } from '../../../chaos/report/lanes.ts';
import { buildHistory, eventsOf } from '../../support/history-builder.ts';

const events = eventsOf();
const history = buildHistory();

describe('the lanes of a run that lasts', () => {
  it('are those of the report, however the events came in', () => {
    const live = new LiveRun(history.run, 10_000);
    const bins = new Map<number, [number, number | null]>();
    const inTurn = events.toSorted((a, b) => Number(a.type === 'answer') - Number(b.type === 'answer'));
    for (let i = 0; i < inTurn.length; i += 100) {
      live.take(inTurn.slice(i, i + 100));
      for (const { startMs, requests, p99 } of live.update().bins) bins.set(startMs, [requests, p99]);
    }
    const expected = binsOf(armOf(history, 'faulted')).map(({ startMs, requests, latencyMs }) => [
      startMs,
      [requests, latencyMs.p99],
    ]);
    expect([...bins].sort(([a], [b]) => a - b)).toEqual(expected);
    expect(live.everything().admissions?.key).toBe(admissionLane(history)?.key);
  });

  it('are told whole to whoever comes later, and nothing twice', () => {
    const live = new LiveRun(history.run, 10_000);
    live.take(events);
    const told = live.update();
    const { events: again, bins } = live.update();
    expect({ again, bins }).toEqual({ again: [], bins: [] });
    const { run, events: whole, bins: all } = live.everything();
    expect({ run, whole, all }).toEqual({ run: history.run, whole: told.events, all: told.bins });
  });
});
