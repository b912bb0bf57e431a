import { expect, it } from 'vitest';
import type { HistoryEvent } from '../../../chaos/history.ts';
import { EventLines } from '../../../chaos/report/event-lines.ts';
import { mechanismOf } from '../../../chaos/targets/mechanisms.ts';
import { eventsOf } from '../../support/history-builder.ts';

const read = (lines: readonly object[]) => {
  const [events, mistakes]: [HistoryEvent[], string[]] = [[], []];
  const into = new EventLines(
    (event) => events.push(event),
    (_, mistake) => mistakes.push(mistake),
  );
  into.take(Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join('')));
  return { events, mistakes };
};

/** The event as a lab of the second version wrote it. */
const asVersion2 = (event: HistoryEvent): object => {
  if (event.type === 'run') return { ...event, version: 2 };
  if (event.type !== 'answer') return event;
  const { source, ...rest } = event;
  return { ...rest, mechanism: source === 'none' ? source : source && mechanismOf[source] };
};

it('a run of version 2 is read as one of today', () => {
  const events = eventsOf();
  expect(read(events.map(asVersion2))).toEqual({ events, mistakes: [] });
});

it('a mechanism that nobody has is a mistake of the line, and no answer without a source', () => {
  const [run, ...rest] = eventsOf().map(asVersion2);
  const wrong = { ...rest.find((line) => 'mechanism' in line), mechanism: 'magic' };
  expect(read([run as object, wrong]).mistakes).toEqual(['source is "magic"; allowed: shared, local, none, null']);
});
