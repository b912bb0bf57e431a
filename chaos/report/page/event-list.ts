// The list of what happened, in order of time: phases, faults, moves of the breakers, the lab's own PINGs. What happens
// again and again is one row.

import type { BreakerEvent, FailoverEvent, FaultEvent, History, ProbeEvent } from '../../history.ts';
import { tableOf } from '../charts/chart.ts';
import { counted, figure, seconds } from '../figures.ts';
import { type Content, type Markup, markup } from '../markup.ts';
import type { Run } from '../run.ts';
import { timelineOf } from '../timeline.ts';

const eventsMax = 300;

export function eventList({ history }: Run): Markup {
  const events = [
    ...history.phases.map(({ name, startMs }) => ({ atMs: startMs, kind: 'phase', text: `${name} begins` })),
    ...[...history.faults, ...(history.failover ? [history.failover] : [])].map(described),
    ...moves(history.breaker),
    ...pings(history.probes),
  ].sort((a, b) => a.atMs - b.atMs);
  const rows = events.slice(0, eventsMax).map(({ atMs, kind, text }): Content[] => [seconds(atMs), kind, text]);
  const more = events.length - rows.length;
  return markup`${faultTable(history)}${tableOf({ caption: 'Faults, phases, breakers, and the PINGs of the lab', head: ['at', 'what', 'event'], rows })}
${more > 0 && markup`<p>${counted(more, 'later event')} not shown; they are in events.ndjson.</p>`}`;
}

/** Of a storm, whose faults would stand in no other place: neither in words, nor all of them in a list that is cut off. */
function faultTable(history: History): Content {
  const windows = timelineOf(history).faults;
  if (windows.length < 2) return null;
  return tableOf({
    caption: 'Faults',
    head: ['what was broken', 'on', 'from', 'to'],
    rows: windows.map(({ description, targets, startMs, endMs, healed }) => [
      description,
      targets.join(', '),
      seconds(startMs, 1),
      healed ? seconds(endMs, 1) : 'the end of the run',
    ]),
  });
}

interface Row {
  readonly atMs: number;
  readonly kind: string;
  readonly text: string;
}

function described(event: FaultEvent | FailoverEvent): Row {
  if (event.type === 'failover') {
    return { atMs: event.endMs, kind: 'failover', text: `${event.to} has taken the place of ${event.from}` };
  }
  const done = event.action === 'inject' ? 'put on' : 'taken off';
  const text = `${event.fault} ${done} ${event.target}, within ${figure(event.endMs - event.beginMs)} ms`;
  return { atMs: event.beginMs, kind: 'fault', text };
}

/** One line for each move of a breaker, but for probes that failed: as long as they do, they are one line. */
function moves(breaker: readonly BreakerEvent[]): Row[] {
  const nameOf = ({ instance, shard }: BreakerEvent) => (shard === undefined ? instance : `${instance} for ${shard}`);
  return [...Map.groupBy(breaker, nameOf)].flatMap(([name, ofOne]) => {
    const rows: Row[] = [];
    for (let i = 0; i < ofOne.length; ) {
      const failed = failedProbesFrom(ofOne, i);
      const [move, last] = [ofOne[i] as BreakerEvent, ofOne[i + 2 * failed - 1]];
      const until = failed > 1 && last ? ` until ${seconds(last.atMs)}` : '';
      const text =
        failed > 0
          ? `half-open and open again: ${counted(failed, 'probe')} failed${until}`
          : `${move.from} to ${move.to}`;
      rows.push({ atMs: move.atMs, kind: 'breaker', text: `${name}: ${text}` });
      i += failed > 0 ? 2 * failed : 1;
    }
    return rows;
  });
}

/** How often, from the i-th move on, the breaker went half-open and back. */
function failedProbesFrom(ofOne: readonly BreakerEvent[], i: number): number {
  const isFailedProbe = (at: number) =>
    ofOne[at]?.to === 'half-open' && ofOne[at + 1]?.from === 'half-open' && ofOne[at + 1]?.to === 'open';
  let failed = 0;
  while (isFailedProbe(i + 2 * failed)) failed++;
  return failed;
}

/** One line for all in a row that saw the same through one link. */
function pings(probes: readonly ProbeEvent[]): Row[] {
  return [...Map.groupBy(probes, ({ instance }) => instance).values()].flatMap((ofInstance) => {
    const rows: ProbeEvent[][] = [];
    for (const probe of ofInstance) {
      const last = rows.at(-1)?.[0];
      if (last && last.seen === probe.seen && last.expected === probe.expected) rows.at(-1)?.push(probe);
      else rows.push([probe]);
    }
    return rows.flatMap((alike): Row[] => {
      const [first, last] = [alike[0], alike.at(-1)];
      if (!first || !last) return [];
      const odd = first.seen === first.expected ? '' : `; expected: ${first.expected}`;
      const more = alike.length > 1 ? `; ${alike.length - 1} more alike until ${seconds(last.atMs)}` : '';
      return [
        { atMs: first.atMs, kind: 'ping', text: `${first.instance}: ${first.seen}, ${first.detail}${odd}${more}` },
      ];
    });
  });
}
