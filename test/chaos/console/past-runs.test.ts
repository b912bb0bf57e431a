// The console over a runs directory in which anything may lie.

import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Guard } from '../../../chaos/console/guard.ts';
import { PastRuns } from '../../../chaos/console/past-runs.ts';
import { type ConsoleServer, consoleServer } from '../../../chaos/console/server.ts';
import { journalOf } from '../../../chaos/report/journal.ts';
import { leave } from '../../../chaos/report/leave.ts';
import { readRun } from '../../../chaos/report/read-run.ts';
import { temporaryDirectory } from '../../support/lab-processes.ts';
import { builtRun } from '../../support/runs.ts';

let temporary: ReturnType<typeof temporaryDirectory>;
let runs: string;
let server: ConsoleServer;
const guard = new Guard('127.0.0.1');

beforeEach(async () => {
  temporary = temporaryDirectory();
  runs = join(temporary.path, 'runs');
  mkdirSync(runs);
  server = consoleServer([], runs, guard);
  await new Promise<void>((resolve) => server.server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  temporary[Symbol.dispose]();
});

const named = (n: number) => `20261124T04000${n}Z-partition-${n}`;
const path = (n: number, ...rest: string[]) => join(runs, named(n), ...rest);
const shown = () => new PastRuns(runs).newest().map(({ name, verdict, report }) => [name, verdict, report !== null]);

/** Status and body, as somebody with the cookie is answered. */
async function get(target: string): Promise<[status: number, body: string]> {
  const { port } = server.server.address() as AddressInfo;
  const host = `127.0.0.1:${port}`;
  const cookie = guard.cookieFor({ host }).split(';')[0] ?? '';
  const socket = connect(port, '127.0.0.1');
  socket.write(`GET ${target} HTTP/1.0\r\nHost: ${host}\r\nCookie: ${cookie}\r\n\r\n`);
  let text = '';
  for await (const chunk of socket) {
    text += chunk;
    if (text.includes('event: runs')) break; // its feed never ends
  }
  return [Number(text.split(' ')[1]), text.slice(text.indexOf('\r\n\r\n') + 4)];
}

function judgedRun(n: number): void {
  const directory = builtRun(runs, named(n));
  leave(directory, readRun(join(directory, 'events.ndjson')));
}

describe('the past runs', () => {
  it('are shown whatever else lies there, and what is no run is left out', async () => {
    judgedRun(1);
    symlinkSync('nowhere', path(2));
    symlinkSync(named(1), path(3));
    writeFileSync(path(4), 'a file');
    execFileSync('mkfifo', [path(5)]);
    mkdirSync(path(6));
    symlinkSync('/proc/self/mem', join(runs, 'latest'));
    expect(shown()).toEqual([
      [named(6), 'interrupted', false],
      [named(1), 'pass', true],
    ]);
    const [status, feed] = await get('/events');
    expect([status, feed.includes(named(1))]).toEqual([200, true]);
  });

  it.each([
    ['no JSON', '{'],
    ['null', 'null'],
    ['a list', '[]'],
    ['a verdict that is none', { verdict: 'splendid' }],
    ['a verdict of another type', { verdict: { toString: 1 } }],
    ['checks of another type', { checks: 'all' }],
    ['a check without a detail', { checks: [{ name: 'latency', phase: 'all', verdict: 'fail' }] }],
    ['phases of another type', { phases: [] }],
    ['a phase without latencies', { phases: { baseline: {} } }],
  ])('of which the journal is %s were interrupted', (_what, change) => {
    judgedRun(1);
    const run = readRun(path(1, 'events.ndjson'));
    const journal = journalOf(run.history, run.checks, run.endedAt);
    writeFileSync(
      path(1, 'journal.json'),
      typeof change === 'string' ? change : JSON.stringify({ ...journal, ...change }),
    );
    expect(shown()).toEqual([[named(1), 'interrupted', true]]);
    expect(new PastRuns(runs).journal(named(1))).toBeUndefined();
  });

  it('have the name and the seed of their journal, or else what their directory is called tells', () => {
    const called = (n: number, rest: string) => `20261124T04000${n}Z-${rest}`;
    const judged = (name: string, change: object) => {
      const directory = builtRun(runs, name);
      const { history, checks, endedAt } = readRun(join(directory, 'events.ndjson'));
      writeFileSync(
        join(directory, 'journal.json'),
        JSON.stringify({ ...journalOf(history, checks, endedAt), ...change }),
      );
    };
    judged(called(6, 'latency-1-5'), { scenario: 'latency-1', seed: 5 });
    judged(called(5, 'latency-1-5'), { scenario: 'latency', seed: 1 });
    judged(called(4, 'latency-1-5'), { scenario: '<b>', seed: 1 });
    mkdirSync(join(runs, called(3, 'latency-4-12')));
    mkdirSync(join(runs, called(2, 'partition-7')));
    expect(new PastRuns(runs).newest().map(({ scenario, seed }) => [scenario, seed])).toEqual([
      ['latency-1', 5],
      ['latency', 1],
      ['latency-1', 5],
      ['latency-4', 12],
      ['partition', 7],
    ]);
  });

  it('are none where there is no directory, or where it is a file', () => {
    expect(new PastRuns(join(runs, 'none')).newest()).toEqual([]);
    writeFileSync(join(runs, 'file'), '');
    expect(new PastRuns(join(runs, 'file')).newest()).toEqual([]);
  });

  it('of which the journal is a pipe or a link do not make the console wait, or read elsewhere', () => {
    judgedRun(1);
    judgedRun(2);
    execFileSync('rm', [path(1, 'journal.json'), path(2, 'journal.json')]);
    execFileSync('mkfifo', [path(1, 'journal.json')]);
    symlinkSync(path(1, 'events.ndjson'), path(2, 'journal.json'));
    expect(shown()).toEqual([
      [named(2), 'interrupted', true],
      [named(1), 'interrupted', true],
    ]);
  });
});

describe('a report that is asked for', () => {
  it('is served where it is a file in a directory of the runs', async () => {
    judgedRun(1);
    const [status, body] = await get(`/runs/${named(1)}/report.html`);
    expect([status, body.startsWith('<!doctype html>')]).toEqual([200, true]);
  });

  it('is not found where it leads elsewhere, or is no file', async () => {
    const secret = join(temporary.path, 'secret');
    mkdirSync(secret);
    writeFileSync(join(secret, 'report.html'), 'secret');
    mkdirSync(path(1));
    symlinkSync(join(secret, 'report.html'), path(1, 'report.html'));
    symlinkSync(secret, path(2));
    mkdirSync(path(3));
    mkdirSync(path(3, 'report.html'));
    mkdirSync(path(4));
    execFileSync('mkfifo', [path(4, 'report.html')]);
    for (const n of [1, 2, 3, 4]) expect([n, (await get(`/runs/${named(n)}/report.html`))[0]]).toEqual([n, 404]);
    expect(shown().map(([, , hasReport]) => hasReport)).toEqual([false, false, false]);
    for (const odd of ['%2e%2e', '..%2fsecret', `${named(1)}%2f..%2f..%2fsecret`]) {
      expect([odd, (await get(`/runs/${odd}/report.html`))[0]]).toEqual([odd, 404]);
    }
  });
});
