// Reads what a run left, however it ended: of a file that was cut off, or that somebody else wrote, all that can be read,
// and in words what is missing.

import { closeSync, readSync } from 'node:fs';
import { boundsOf } from '../bounds.ts';
import { runChecks } from '../checks/check.ts';
import { checks } from '../checks/index.ts';
import { gapsIn } from '../checks/record.ts';
import { LabError } from '../errors.ts';
import { type HistoryEvent, historyOf, historyVersion, type RunEvent, reportables } from '../history.ts';
import { openFile } from '../host/run-files.ts';
import { controlName } from '../scenario.ts';
import { EventLines } from './event-lines.ts';
import { counted, grouped } from './figures.ts';
import type { Run } from './run.ts';

const chunkBytes = 1 << 20;
/** A run at the highest rate for a minute records a third of this; memory holds it. */
const eventsMax = 5_000_000;
/** Of lines that hold nothing, more than these events need. */
const fileBytesMax = 4 * 2 ** 30;
const mistakesShownMax = 3;

export function readRun(eventsPath: string): Run {
  const { events, mistakes, runs, isTooLong, isCutOff } = readEvents(eventsPath);
  if (events.length === 0) throw new LabError(`${eventsPath} holds nothing that a run records`);
  const gaps: string[] = [];
  const described = events.find((event) => event.type === 'run');
  if (!described) {
    gaps.push('The line that tells what was run is missing: neither the limits nor the settings are known.');
    events.push(undescribed(events));
  } else if (described.version !== historyVersion) {
    gaps.push(`It was written in version ${described.version} of the format; this report knows ${historyVersion}.`);
  }
  if (runs > 1) gaps.push(`It tells of ${grouped(runs)} runs; this is the first.`);
  if (mistakes.of > 0) gaps.push(`${mistakesText(mistakes)}.`);
  if (isTooLong) gaps.push('It is longer than can be read; the rest is left out.');
  else if (isCutOff) gaps.push('The last line is incomplete.');
  const history = historyOf(events);
  if (!history.complete) gaps.push('The run was cut off before its end: what came after is missing.');
  if (gaps.length === 0) gaps.push(...gapsIn(history)); // a line that was left out explains what is missing by it
  const endMs = events.reduce((max, event) => Math.max(max, timeOf(event)), 0);
  const startMs = Date.parse(history.run.startedAt);
  return {
    history,
    checks: runChecks(described ? checks : [], history, gaps),
    endedAt: new Date(startMs + endMs).toISOString(),
    gaps,
    described: described !== undefined,
  };
}

interface Mistakes {
  readonly first: readonly string[];
  readonly of: number;
}

interface Read {
  readonly events: HistoryEvent[];
  readonly mistakes: Mistakes;
  /** How many lines tell what was run; the events have the first of them. */
  readonly runs: number;
  readonly isTooLong: boolean;
  readonly isCutOff: boolean;
}

function readEvents(path: string): Read {
  const events: HistoryEvent[] = [];
  const first: string[] = [];
  let [of, runs, bytes] = [0, 0, 0];
  const lines = new EventLines(
    (event) => {
      if (event.type === 'run' && ++runs > 1) return;
      events.push(event);
    },
    (line, mistake) => {
      if (++of <= mistakesShownMax) first.push(`line ${line}: ${mistake}`);
    },
  );
  const fd = openFile(path);
  try {
    const chunk = Buffer.alloc(chunkBytes);
    const read = (isTooLong: boolean, isCutOff: boolean) => ({
      events,
      mistakes: { first, of },
      runs,
      isTooLong,
      isCutOff,
    });
    for (let n = readSync(fd, chunk); n > 0; n = readSync(fd, chunk)) {
      lines.take(chunk.subarray(0, n));
      bytes += n;
      if (events.length > eventsMax || bytes > fileBytesMax) return read(true, false);
    }
    return read(false, !lines.end());
  } finally {
    closeSync(fd);
  }
}

function mistakesText({ first, of }: Mistakes): string {
  const more = of > first.length ? `; and ${grouped(of - first.length)} more` : '';
  return `${counted(of, 'line')} ${of === 1 ? 'does' : 'do'} not fit and ${of === 1 ? 'is' : 'are'} left out: ${first.join('; ')}${more}`;
}

/** Stands in for a first line that is lost. */
function undescribed(events: readonly HistoryEvent[]): RunEvent {
  const names = new Set(events.flatMap((event) => (event.type === 'answer' ? [event.instance] : [])));
  const reporting = new Set(events.flatMap((event) => (event.type === 'breaker' ? [event.instance] : [])));
  return {
    type: 'run',
    version: historyVersion,
    scenario: 'unknown',
    hypothesis: 'What was expected to hold is not known.',
    gives: reportables,
    schedule: [],
    seed: 0,
    driver: 'unknown',
    rate: 0,
    startedAt: new Date(0).toISOString(),
    bounds: boundsOf({ INSTANCES: '1' }),
    instances: [...names]
      .sort()
      .map((name) => ({ name, control: name === controlName, reportsBreaker: reporting.has(name) })),
    environment: {},
  };
}

function timeOf(event: HistoryEvent): number {
  if (event.type === 'run') return 0;
  if (event.type === 'answer') return event.receivedMs;
  return event.type === 'fault' || event.type === 'failover' ? event.endMs : event.atMs;
}
