import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../chaos/errors.ts';
import { failopen } from '../../../chaos/targets/failopen.ts';
import { type TargetOptions, targetNames, targetOf } from '../../../chaos/targets/index.ts';
import { plain } from '../../../chaos/targets/target.ts';

const asked = (options: Partial<TargetOptions>) =>
  targetOf({ target: 'failopen', variables: [], directory: '/somewhere', ...options });

describe('the target that a command line asks for', () => {
  it("is this project's own where it names that one", () => {
    expect(asked({})).toBe(failopen);
  });

  it('is a command with its variables, started where it was typed', () => {
    const variables = ['STORE=redis://{redis}', 'EMPTY=', 'TWO=a=b'];
    expect(asked({ target: 'command', command: "node 'my api.js'", variables })).toEqual({
      ...plain,
      name: 'command',
      start: { command: ['node', 'my api.js'], directory: '/somewhere' },
      env: { STORE: 'redis://{redis}', EMPTY: '', TWO: 'a=b' },
    });
  });

  it.each<[Partial<TargetOptions>, string]>([
    [
      { target: 'nobody' },
      `There is no target "nobody". Targets: ${targetNames.join(', ')}, or a file such as my-api.yaml.`,
    ],
    [{ target: 'command' }, "--target command needs --command 'CMD'."],
    [{ command: 'node x' }, '--command needs --target command.'],
    [{ variables: ['A=b'] }, '--target-env needs --target command.'],
    [{ target: 'command', command: ' ' }, '--command is " ", which names no program.'],
    [
      { target: 'command', command: 'a && b' },
      `--command is "a && b", which has &, which only a shell understands; write sh -c '…'.`,
    ],
    [
      { target: 'command', command: 'x', variables: ['A'] },
      '--target-env is "A"; allowed: NAME=VALUE, where {redis} in the value is host:port.',
    ],
    [
      { target: 'command', command: 'x', variables: ['PORT=1'] },
      '--target-env PORT: the lab gives each instance its own.',
    ],
  ])('is none for %j, and one sentence says why', (options, message) => {
    expect(() => asked(options)).toThrow(new UsageError(message));
  });
});

it('no file of the lab but a target knows a header or a path of a limiter’s', () => {
  const lab = join(import.meta.dirname, '..', '..', '..', 'chaos');
  const naming = readdirSync(lab, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(ts|js|html|css|json)$/.test(file) && !file.startsWith('targets'))
    .filter((file) => /x-ratelimit-|\/readyz/i.test(readFileSync(join(lab, file), 'utf8')));
  expect(naming).toEqual([]);
});
