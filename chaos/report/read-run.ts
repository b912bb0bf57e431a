// Reads what a run left, however it ended: of a file that was cut off, or that somebody else wrote, all that can be read,
// and in words what is missing.

import { closeSync, openSync, readSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { boundsOf } from '../bounds.ts';
import { type CheckResult, runChecks } from '../checks/check.ts';
import { checks } from '../checks/index.ts';
import { LabError } from '../errors.ts';
import { type HistoryEvent, historyOf, historyVersion, type RunEvent, tellings } from '../history.ts';
import { controlName } from '../scenario.ts';
import { isEvent, isRecord } from './event-shape.ts';
import { counted } from './figures.ts';
import type { Run } from './run.ts';
import { Version1 } from './version-1.ts';

const chunkBytes = 1 << 20;

export function readRun(eventsPath: string): Run {
  const { events, broken, foreign, cutOff } = readEvents(eventsPath);
  if (events.length === 0) throw new LabError(`${eventsPath} holds nothing that a run records`);
  const gaps: string[] = [];
  const described = events.find((event) => event.type === 'run');
  if (!described) {
    gaps.push('The line that tells what was run is missing: neither the limits nor the settings are known.');
    events.push(undescribed(events));
  } else if (described.version !== historyVersion) {
    gaps.push(`It was written in version ${described.version} of the format; this report knows ${historyVersion}.`);
  }
  if (broken > 0)
    gaps.push(`${counted(broken, 'line')} could not be read and ${broken === 1 ? 'is' : 'are'} left out.`);
  if (foreign > 0) gaps.push(`${counted(foreign, 'line')} told of nothing that this report knows.`);
  if (cutOff) gaps.push('The last line is incomplete.');
  const history = historyOf(events);
  if (!history.complete) gaps.push('The run was cut off before its end: what came after is missing.');
  const judged = described ? runChecks(checks, history) : [];
  const endMs = events.reduce((max, event) => Math.max(max, timeOf(event)), 0);
  const startMs = Date.parse(history.run.startedAt);
  return {
    history,
    checks: gaps.length === 0 ? judged : [incomplete(gaps), ...judged.map(doubted)],
    endedAt: new Date(startMs + endMs).toISOString(),
    gaps,
    described: described !== undefined,
  };
}

interface Read {
  readonly events: HistoryEvent[];
  /** Lines that are not JSON. */
  readonly broken: number;
  /** Lines that are, but no event. */
  readonly foreign: number;
  readonly cutOff: boolean;
}

/** Piece by piece, so that the file may be longer than a string can be. */
function readEvents(path: string): Read {
  const events: HistoryEvent[] = [];
  let broken = 0;
  let foreign = 0;
  let old: Version1 | undefined;
  const take = (line: string): boolean => {
    if (line.trim() === '') return true;
    try {
      let value: unknown = JSON.parse(line);
      if (isRecord(value) && Version1.wrote(value)) old = new Version1(value);
      if (old && isRecord(value)) value = old.upgraded(value);
      if (isEvent(value)) events.push(value);
      else foreign++;
      return true;
    } catch {
      return false;
    }
  };
  const fd = openSync(path, 'r');
  try {
    const decoder = new StringDecoder('utf8');
    const chunk = Buffer.alloc(chunkBytes);
    let rest = '';
    for (let bytes = readSync(fd, chunk); bytes > 0; bytes = readSync(fd, chunk)) {
      const lines = (rest + decoder.write(chunk.subarray(0, bytes))).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (!take(line)) broken++;
    }
    return { events, cutOff: !take(rest + decoder.end()), broken, foreign };
  } finally {
    closeSync(fd);
  }
}

/** Stands in for a first line that is lost. */
function undescribed(events: readonly HistoryEvent[]): RunEvent {
  const names = new Set(events.flatMap((event) => (event.type === 'answer' ? [event.instance] : [])));
  const tells = new Set(events.flatMap((event) => (event.type === 'breaker' ? [event.instance] : [])));
  return {
    type: 'run',
    version: historyVersion,
    scenario: 'unknown',
    hypothesis: 'What was expected to hold is not known.',
    gives: tellings,
    schedule: [],
    seed: 0,
    driver: 'unknown',
    rate: 0,
    startedAt: new Date(0).toISOString(),
    bounds: boundsOf({ INSTANCES: '1' }),
    instances: [...names]
      .sort()
      .map((name) => ({ name, control: name === controlName, tellsBreaker: tells.has(name) })),
    environment: {},
  };
}

function incomplete(gaps: readonly string[]): CheckResult {
  const detail = gaps.join(' ');
  return {
    name: 'history',
    phase: 'all',
    verdict: 'unknown',
    measured: gaps.length,
    limit: 0,
    unit: 'gaps',
    detail,
  };
}

/** What is missing could have explained a failure, so it is none. */
function doubted(check: CheckResult): CheckResult {
  if (check.verdict !== 'fail') return check;
  return { ...check, verdict: 'unknown', detail: `a failure, if nothing were missing: ${check.detail}` };
}

function timeOf(event: HistoryEvent): number {
  if (event.type === 'run') return 0;
  if (event.type === 'answer') return event.receivedMs;
  return event.type === 'fault' || event.type === 'failover' ? event.endMs : event.atMs;
}
