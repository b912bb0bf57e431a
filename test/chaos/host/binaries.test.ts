import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LabError } from '../../../chaos/errors.ts';
import { type Binary, binaries, find } from '../../../chaos/host/binaries.ts';
import { temporaryDirectory } from '../../support/lab-processes.ts';

const redis = binaries.find(({ name }) => name === 'redis-server') as Binary;

let temporary: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  temporary = temporaryDirectory();
});
afterEach(() => {
  vi.unstubAllEnvs();
  temporary[Symbol.dispose]();
});

/** A program of this name that prints this. */
function program(name: string, prints: string): string {
  const path = join(temporary.path, name);
  writeFileSync(path, `#!/bin/sh\necho '${prints}'\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('finding a program', () => {
  it('takes the one that the environment variable names, with its version', async () => {
    const path = program('my-redis', 'Redis server v=9.8.7 sha=0');
    vi.stubEnv('REDIS_SERVER_BIN', path);
    expect(await find(redis)).toEqual({ path, version: '9.8.7' });
  });

  it('takes the first on PATH otherwise', async () => {
    const path = program('redis-server', 'Redis server v=9.8.6 sha=0');
    vi.stubEnv('REDIS_SERVER_BIN', '');
    vi.stubEnv('PATH', `${temporary.path}:${process.env.PATH}`);
    expect(await find(redis)).toEqual({ path, version: '9.8.6' });
  });

  it('finds nothing where there is nothing', async () => {
    vi.stubEnv('REDIS_SERVER_BIN', '');
    vi.stubEnv('PATH', temporary.path);
    expect(await find({ ...redis, name: 'no-such-server' as Binary['name'] })).toBeUndefined();
  });

  it('throws when the environment variable names what cannot be run', async () => {
    const notExecutable = join(temporary.path, 'notes.txt');
    writeFileSync(notExecutable, 'no program', { mode: 0o644 });
    for (const path of ['/nonexistent', notExecutable]) {
      vi.stubEnv('REDIS_SERVER_BIN', path);
      const message = `REDIS_SERVER_BIN is ${path}, which is not a program that can be run`;
      await expect(find(redis)).rejects.toThrow(new LabError(message));
    }
  });

  it('throws when the environment variable names a directory', async () => {
    vi.stubEnv('REDIS_SERVER_BIN', temporary.path);
    await expect(find(redis)).rejects.toThrow(LabError);
  });

  it('throws when it is another program, and names both', async () => {
    vi.stubEnv('REDIS_SERVER_BIN', '/bin/true');
    await expect(find(redis)).rejects.toThrow(/^\/bin\/true is not redis-server: its --version says "/);
  });

  it('throws when the program fails', async () => {
    vi.stubEnv('REDIS_SERVER_BIN', '/bin/false');
    await expect(find(redis)).rejects.toThrow(
      /^\/bin\/false --version did not work: |^\/bin\/false is not redis-server/,
    );
  });
});
