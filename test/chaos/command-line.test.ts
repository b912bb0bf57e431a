// What all commands of the lab make of their command lines.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { commandLine, outDirectory, typedIn } from '../../chaos/command-line.ts';
import { UsageError } from '../../chaos/errors.ts';
import { run, temporaryDirectory } from '../support/lab-processes.ts';

const options = { rate: { type: 'string' }, json: { type: 'boolean' } } as const;
const says = (...args: string[]) => {
  try {
    return commandLine({ args, options }, 'usage');
  } catch (error) {
    return error;
  }
};
const refusal = (mistake: string) => new UsageError(`${mistake} Options: --rate, --json, --help.\nusage`);

it.each([
  [['--rat', '1'], "Unknown option '--rat'; did you mean --rate?"],
  [['--colour'], "Unknown option '--colour'."],
  [['-x'], "Unknown option '-x'."],
  [['--rate'], "Option '--rate <value>' argument missing."],
  [['--rate', '-1'], '--rate has no value; one that begins with a dash is written --rate=VALUE.'],
  [['--json=yes'], "Option '--json' does not take an argument."],
  [['partition'], "Unexpected argument 'partition'."],
])('%j is refused in one line, and then the usage', (args, mistake) => {
  expect(says(...args)).toEqual(refusal(mistake));
});

describe('an option that npm has taken, since no "--" stands before it', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('is not ignored: another limiter than the one that was named would get the verdict', () => {
    const all = { ...options, 'target-env': { type: 'string' } } as const;
    vi.stubEnv('npm_config_rate', 'true');
    vi.stubEnv('npm_config_target_env', 'A=B');
    const taken = 'npm took --rate, --target-env for itself; options are typed after a "--".\nusage';
    expect(() => commandLine({ args: [], options: all }, 'usage')).toThrow(new UsageError(taken));
  });

  it('is one of this command, and is not typed once more', () => {
    vi.stubEnv('npm_config_rate', '7');
    vi.stubEnv('npm_config_colour', 'always');
    vi.stubEnv('npm_config_json', '');
    expect(says('--rate', '8')).toMatchObject({ values: { rate: '8' } });
    expect(says('--rate=8')).toMatchObject({ values: { rate: '8' } });
  });
});

describe('a directory for results', () => {
  it('is seen from where the command was typed', () => {
    expect(outDirectory('results')).toBe(join(typedIn, 'results'));
    expect(outDirectory('/results')).toBe('/results');
  });

  it('is not a file, and has a name', () => {
    using directory = temporaryDirectory();
    const file = join(directory.path, 'runs');
    writeFileSync(file, '');
    for (const out of [file, '']) {
      const allowed = `--out is "${out}"; allowed: a directory, or what is not there yet.`;
      expect(() => outDirectory(out)).toThrow(new UsageError(allowed));
    }
  });
});

it.each(['a\nb', 'a\tb', 'a\u001b[2Jb'])('a directory for results is not %j, which no line could tell', (out) => {
  const allowed = `--out is ${JSON.stringify(out)}; allowed: a directory without control characters in its name.`;
  expect(() => outDirectory(out)).toThrow(new UsageError(allowed));
});

it('a run is looked for where the command was typed, also when npm starts it elsewhere', async () => {
  using directory = temporaryDirectory();
  writeFileSync(join(directory.path, 'events.ndjson'), '{}\n');
  const { stderr } = await run(['chaos/report/main.ts', '.'], { INIT_CWD: directory.path });
  expect(stderr).toMatch(`${directory.path}/events.ndjson holds nothing that a run records`);
});
