// The commands as npm runs them: by a shell, which passes no signal on.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freePort } from '../../chaos/free-port.ts';
import { LabCommand, projectDirectory } from '../support/lab-processes.ts';
import { until } from '../support/until.ts';

const isServed = (url: string) => fetch(url).then(Boolean, () => false);

describe('a script of package.json', () => {
  const { scripts } = JSON.parse(readFileSync(join(projectDirectory, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };

  it.each(Object.entries(scripts))(
    'makes way for what it runs, so that npm’s signals reach it: %s',
    (_name, script) => {
      expect(script.split(' && ').at(-1)).toMatch(/^(\w+=\S+ )?exec /);
    },
  );
});

describe('npm start', () => {
  it('refuses an option, as it has none, and says where its settings are', async () => {
    await using npm = new LabCommand(['start', '--', '--port', '9000'], { REDIS_ADDR: '127.0.0.1:1' }, 'npm');
    const { status, stderr } = await npm.ended;
    expect([status, stderr]).toEqual([64, expect.stringContaining('Its settings are environment variables')]);
  });
});

describe('SIGTERM to npm', () => {
  it('ends the service that npm start runs', async () => {
    const port = String(await freePort());
    await using npm = new LabCommand(['start'], { PORT: port, REDIS_ADDR: '127.0.0.1:1' }, 'npm');
    const url = `http://127.0.0.1:${port}/healthz`;
    await until('the service', () => isServed(url));
    npm.kill('SIGTERM');
    const { status, stdout } = await npm.ended;
    try {
      expect({ status, told: stdout.includes('"msg":"stopped"'), served: await isServed(url) }).toEqual({
        status: 0,
        told: true,
        served: false,
      });
    } finally {
      const pid = /"pid":(\d+)/.exec(stdout)?.[1];
      if (await isServed(url)) process.kill(Number(pid), 'SIGKILL');
    }
  });

  it('ends the console that npm run console runs', async () => {
    await using npm = new LabCommand(['run', 'console', '--', '--port', '0'], {}, 'npm');
    const url = await until('the address', () => /console: (\S+)\n/.exec(npm.stdout)?.[1]);
    npm.kill('SIGTERM');
    expect((await npm.ended).status).toBe(0);
    expect(await isServed(url)).toBe(false);
  });
});
