import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import { projectDirectory } from '../../support/lab-processes.ts';
import { startChild } from '../../support/process.ts';

async function failopen(...args: string[]) {
  const cli = join(projectDirectory, 'service/package/cli.ts');
  const child = startChild(process.execPath, [cli, ...args], { cwd: projectDirectory, env: {} });
  const { code: status } = await child.ended;
  return { status, stdout: child.stdout(), stderr: child.stderr() };
}

describe('the command failopen', () => {
  let directory: string;
  const inDirectory = (name: string) => join(directory, name);
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'failopen-cli-'));
    const policies = (limit: string) => `policies:\n  - name: api\n    key: address\n    limits: [${limit}]\n`;
    await writeFile(inDirectory('good.yaml'), policies('5 per hour'));
    await writeFile(inDirectory('bad.yaml'), policies('5 per fortnight'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('says what it can do, and which version it is', async () => {
    const help = await failopen('--help');
    expect([help.status, help.stderr]).toEqual([0, '']);
    expect(help.stdout).toContain('failopen check-config PATH ');
    expect(await failopen('check-config', '--help')).toEqual(help);
    for (const line of help.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect(await failopen('--version')).toEqual({ status: 0, stdout: `${packageJson.version}\n`, stderr: '' });
  });

  it.each([
    ['start'],
    ['check-config'],
    ['check-config', 'a', 'b'],
    ['check-config', '--strict'],
    ['--version', '--help'],
    ['-h'],
  ])('refuses in one sentence what it is not called with: %s %s', async (...args) => {
    const given = args.map((argument) => JSON.stringify(argument)).join(' ');
    const { status, stdout, stderr } = await failopen(...args);
    expect([status, stdout]).toEqual([64, '']);
    expect(stderr).toMatch(`failopen is called with ${given}; allowed:\nfailopen  `);
  });

  it('tells whether a file of policies is good, and what is wrong with it', async () => {
    const good = inDirectory('good.yaml');
    expect(await failopen('check-config', good)).toEqual({
      status: 0,
      stdout: `${good} is usable; policies: 1\n`,
      stderr: '',
    });
    const bad = await failopen('check-config', inDirectory('bad.yaml'));
    expect([bad.status, bad.stdout]).toEqual([78, '']);
    expect(bad.stderr).toMatch(
      `${inDirectory('bad.yaml')}:4 policies[0].limits[0] is "5 per fortnight"; allowed: COUNT`,
    );
    const none = inDirectory('none.yaml');
    expect((await failopen('check-config', none)).stderr).toMatch(`${none} cannot be read: ENOENT`);
  });

  it('tells the same of a directory of rules', async () => {
    const { status, stderr } = await failopen('check-config', directory);
    expect(status).toBe(78);
    expect(stderr).toContain(`${inDirectory('bad.yaml')}:1 domain is missing; allowed: `);
    expect(stderr).toContain(`${inDirectory('good.yaml')}:1 domain is missing; allowed: `);
  });
});
