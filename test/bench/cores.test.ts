import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { coresApart, startedOn } from './cores.ts';

const statusOf = (list: string) => `Name:\tnode\nCpus_allowed:\tff\nCpus_allowed_list:\t${list}\nMems_allowed:\t1\n`;

describe('coresApart', () => {
  it.each([
    ['0-1', { load: '1', loaded: '0' }],
    ['0-3', { load: '3', loaded: '0,1,2' }],
    ['2,5-7,11', { load: '11', loaded: '2,5,6,7' }],
  ])('of %s, gives the load the last one', (list, expected) => {
    expect(coresApart(statusOf(list))).toEqual({ ...expected, all: list });
  });

  it('tells that there is none to give where there is one only, or where nothing is told', () => {
    expect([coresApart(statusOf('3')), coresApart('')]).toEqual([undefined, undefined]);
  });
});

it.runIf(coresApart())('starts a program where it belongs', () => {
  const { loaded } = coresApart() as NonNullable<ReturnType<typeof coresApart>>;
  const { command, args } = startedOn(loaded, { command: 'cat', args: ['/proc/self/status'] });
  const { stdout } = spawnSync(command, args, { encoding: 'utf8' });
  expect(coresApart(`${stdout}`)?.load ?? /Cpus_allowed_list:\s*(.*)/.exec(stdout)?.[1]).toBe(loaded.split(',').at(-1));
});
