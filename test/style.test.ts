// The layout, held: which folder may import which, no cycles, and how long a file may be.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectDirectory } from './support/lab-processes.ts';

const linesMax = 250;

/** Longer than that, until somebody splits them. Only ever shortened. */
const tooLong: readonly string[] = [];

/** A room is a folder with all that is in it, or a file that stands beside folders. It imports from those above it only. */
const rooms = [
  'service/core',
  'service/metrics',
  'service/redis',
  'service/doors',
  'service/workers',
  'service/config',
  'service/log-output.ts',
  'service/engine.ts', // what decides, without any door
  'service/open-doors.ts',
  'service/warm-doors.ts',
  'service/app.ts', // the composition root
  'service/signals.ts',
  'service/process.ts',
  'service/main.ts',
  'service/package',
  'prometheus',
  'chaos/printable.ts', // the lab's vocabulary, as far as `history.ts`
  'chaos/shape.ts',
  'chaos/ascending.ts',
  'chaos/errors.ts',
  'chaos/free-port.ts',
  'chaos/command.ts',
  'chaos/near.ts',
  'chaos/command-line.ts',
  'chaos/clock.ts',
  'chaos/scenario.ts',
  'chaos/outcome.ts',
  'chaos/failure.ts',
  'chaos/run-event.ts',
  'chaos/history.ts',
  'chaos/targets',
  'chaos/environment.ts',
  'chaos/bounds.ts',
  'chaos/host',
  'chaos/setup',
  'chaos/faults',
  'chaos/checks',
  'chaos/load',
  'chaos/watch',
  'chaos/drivers',
  'chaos/undo',
  'chaos/run',
  'chaos/report',
  'chaos/arena',
  'chaos/simulation',
  'chaos/console',
  'scenarios',
  'grafana',
  'test/support',
  'test',
] as const;

/** Arrows up that are left, until somebody turns them. Only ever shortened. */
const arrowsLeft: readonly string[] = [];

const topFolders = ['service', 'prometheus', 'chaos', 'scenarios', 'grafana', 'test'];

const files = topFolders
  .flatMap((folder) =>
    readdirSync(join(projectDirectory, folder), { recursive: true, encoding: 'utf8' }).map((file) =>
      join(folder, file),
    ),
  )
  .filter((file) => /\.(ts|js|lua)$/.test(file));

const textOf = (file: string) => readFileSync(join(projectDirectory, file), 'utf8');

/** The project's own files that a file imports, static or not, as paths from the project's directory. */
function importsOf(file: string): string[] {
  const specifiers = textOf(file).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'(\.[^']+)'/g);
  return [...specifiers].map(([, specifier]) => relative('.', join(dirname(file), specifier as string)));
}

const graph = new Map(files.map((file) => [file, importsOf(file)]));

/** Where the file's room stands in the list, the innermost where two hold it; -1 when none does. */
const roomOf = (file: string): number => rooms.findIndex((room) => file === room || file.startsWith(`${room}/`));

/** `room -> room` for every import that goes up the list, with the files that have it. */
function arrowsUp(imports: ReadonlyMap<string, readonly string[]>): Map<string, string[]> {
  const up = new Map<string, string[]>();
  for (const [file, imported] of imports) {
    for (const path of imported.filter((path) => roomOf(path) > roomOf(file))) {
      const arrow = `${rooms[roomOf(file)]} -> ${rooms[roomOf(path)]}`;
      up.set(arrow, [...(up.get(arrow) ?? []), `${file} imports ${path}`]);
    }
  }
  return up;
}

/** The first import cycle found, as the files on it; empty when there is none. */
function cycleIn(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const next of imports.get(file) ?? []) {
      const cycle = visit(next, [...path, file]);
      if (cycle.length > 0) return cycle;
    }
    done.add(file);
    return [];
  };
  for (const file of imports.keys()) {
    const cycle = visit(file, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}

/** Who of `folder` imports something that none of `allowed` holds. */
const importersBeyond = (folder: string, allowed: readonly string[]): string[] =>
  [...graph]
    .filter(([file]) => file.startsWith(folder))
    .filter(([, imports]) => imports.some((path) => !allowed.some((prefix) => path.startsWith(prefix))))
    .map(([file]) => file);

describe('the source', () => {
  it('is found by this test, and its imports with it', () => {
    expect(files.length).toBeGreaterThan(200);
    expect(graph.get('chaos/checks/trip.ts')).toEqual([
      'chaos/history.ts',
      'chaos/scenario.ts',
      'chaos/checks/calm.ts',
      'chaos/checks/check.ts',
      'chaos/checks/fault-bit.ts',
      'chaos/checks/outage.ts',
      'chaos/checks/store-failure.ts',
      'chaos/checks/windows.ts',
    ]);
  });

  it('has a place in the order of rooms, every file of it, and every room of the order exists', () => {
    expect(files.filter((file) => roomOf(file) === -1)).toEqual([]);
    expect(rooms.filter((_, room) => !files.some((file) => roomOf(file) === room))).toEqual([]);
  });

  it('leaves the words of the wire to the targets: no check knows how a limiter says who decided', () => {
    const ofRedis = /^chaos\/(drivers|faults|host|setup|undo)\//; // Redis the program
    const inLab = files.filter((file) => file.startsWith('chaos/') && !file.startsWith('chaos/targets/'));
    const known = inLab.flatMap((file) => {
      const words = ofRedis.test(file) ? /X-RateLimit-|\/readyz/i : /X-RateLimit-|\/readyz|['"`](redis|fallback)['"`]/i;
      return textOf(file)
        .split('\n')
        .flatMap((line) => (words.test(line) ? [`${file}: ${line.trim()}`] : []));
    });
    expect(known).toEqual([
      "chaos/scenario.ts: readonly family: 'steady' | 'load' | 'network' | 'clients' | 'observers' | 'redis' | 'process' | 'topology';",
      "chaos/scenario.ts: export const sharedStoreName = 'redis';",
    ]);
  });

  it('imports down that order only', () => {
    const up = Object.fromEntries([...arrowsUp(graph)].filter(([arrow]) => !arrowsLeft.includes(arrow)));
    expect(up).toEqual({});
  });

  it('has every arrow up that this test still lets pass', () => {
    const up = arrowsUp(graph);
    expect(arrowsLeft.filter((arrow) => !up.has(arrow))).toEqual([]);
  });

  it('would be caught importing up', () => {
    const imports = new Map([
      ['service/redis/store.ts', ['service/core/store.ts', 'service/redis/errors.ts']],
      ['service/core/shard.ts', ['service/redis/store.ts', 'service/core/batcher.ts']],
      ['chaos/clock.ts', ['chaos/history.ts']],
      ['test/support/redis.ts', ['test/service/service.test.ts', 'chaos/host/processes.ts']],
    ]);
    expect(Object.fromEntries(arrowsUp(imports))).toEqual({
      'service/core -> service/redis': ['service/core/shard.ts imports service/redis/store.ts'],
      'chaos/clock.ts -> chaos/history.ts': ['chaos/clock.ts imports chaos/history.ts'],
      'test/support -> test': ['test/support/redis.ts imports test/service/service.test.ts'],
    });
  });

  it('of the lab imports nothing from the service, so that a check shares no defect with what it judges', () => {
    const lab = ['prometheus', 'chaos', 'scenarios', 'grafana'];
    const importers = lab.flatMap((folder) => importersBeyond(`${folder}/`, lab));
    // But for the files that give the simulation the code which it is to run.
    expect(importers.filter((file) => !file.startsWith('scenarios/simulated/'))).toEqual([]);
  });

  it('of the service imports nothing from the lab', () => {
    expect(importersBeyond('service/', ['service/'])).toEqual([]);
  });

  it('of the core names no store behind it and no door in front of it, not even in a comment', () => {
    const core = files.filter((file) => file.startsWith('service/core/'));
    const named = core.flatMap((file) => {
      const lines = textOf(file).split('\n');
      return lines.filter((line) => /redis|lua|http|express/i.test(line)).map((line) => `${file}: ${line.trim()}`);
    });
    expect([core.length > 5, named]).toEqual([true, []]);
  });

  it('has no import cycles', () => {
    expect(cycleIn(graph)).toEqual([]);
  });

  it('would be caught in a cycle', () => {
    const imports = new Map([
      ['a', ['b']],
      ['b', ['c', 'd']],
      ['c', []],
      ['d', ['b']],
    ]);
    expect(cycleIn(imports)).toEqual(['b', 'd', 'b']);
  });

  it(`keeps every file to ${linesMax} lines, tests apart`, () => {
    const long = files
      .filter((file) => !file.endsWith('.test.ts') && !tooLong.includes(file))
      .map((file) => [file, textOf(file).trimEnd().split('\n').length] as const);
    expect(long.filter(([, lines]) => lines > linesMax)).toEqual([]);
  });

  it('is still too long wherever this test lets that pass', () => {
    const long = (file: string) => textOf(file).trimEnd().split('\n').length > linesMax;
    expect(tooLong.filter((file) => !long(file))).toEqual([]);
  });
});
