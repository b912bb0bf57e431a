import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { directHosts } from '../../chaos/command.ts';
import { LabCommand, projectDirectory, temporaryDirectory } from '../support/lab-processes.ts';

/** Nothing listens there: whatever is sent through this proxy is refused. */
const deadProxies = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy'].map(
  (name) => [name, 'http://127.0.0.1:9'] as const,
);
const proxied = { NODE_USE_ENV_PROXY: '1', ...Object.fromEntries(deadProxies) };
const command = join(projectDirectory, 'chaos', 'command.ts');

describe('every command of the lab', () => {
  const { scripts } = JSON.parse(readFileSync(join(projectDirectory, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const programs = Object.values(scripts).flatMap(
    (script) => /^(?:\w+=\S+ )?exec node (?:--\S+ )*(\S+)/.exec(script)?.[1] ?? [],
  );
  const ofLab = programs.filter((program) => !program.startsWith('service/'));

  it.each([...new Set([...ofLab, 'chaos/console/manual.ts'])])('begins as all of them do: %s', (program) => {
    expect(readFileSync(join(projectDirectory, program), 'utf8')).toMatch(
      /^import '(\.\.?\/)+(chaos\/)?command\.ts';$/m,
    );
  });
});

describe('what no proxy is asked for', () => {
  const loopback = '127.0.0.1,localhost,::1,[::1]';
  it.each([
    [{}, loopback],
    [{ NO_PROXY: 'a.example, .b.example' }, `a.example,.b.example,${loopback}`],
    [{ no_proxy: 'c.example 127.0.0.1' }, 'c.example,127.0.0.1,localhost,::1,[::1]'],
    [{ NO_PROXY: 'a.example', no_proxy: 'b.example' }, `a.example,b.example,${loopback}`],
    [{ NO_PROXY: '*' }, '*'],
  ])('is loopback beside %j', (environment, hosts) => {
    expect(directHosts(environment)).toBe(hosts);
  });
});

describe('with a proxy in the environment that is dead', () => {
  /** What a script of these lines prints. */
  const printed = async (...lines: string[]) =>
    (
      await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', lines.join('\n')], {
        env: { ...proxied, PATH: process.env.PATH ?? '' },
      })
    ).stdout;
  const ask = (imported: string) => [
    imported,
    "import { createServer } from 'node:http';",
    "const server = createServer((_request, response) => response.end('direct'));",
    "await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));",
    "const asked = fetch('http://127.0.0.1:' + server.address().port).then((answer) => answer.text());",
    "process.stdout.write(await asked.catch((error) => error.cause.code) + ' ' + (process.env.NO_PROXY ?? ''));",
    'server.close();',
    'server.closeAllConnections();',
  ];

  it('Node asks the proxy even for loopback', async () => {
    expect(await printed(...ask(''))).toBe('ECONNREFUSED ');
  });

  it('a command asks loopback itself, and so do its children', async () => {
    expect(await printed(...ask(`import ${JSON.stringify(command)};`))).toBe('direct 127.0.0.1,localhost,::1,[::1]');
  });

  it('a run starts all of its parts', async () => {
    using runs = temporaryDirectory();
    const args = ['scenarios/main.ts', 'partition', '--driver', 'native', '--out', runs.path];
    await using runner = new LabCommand(args, proxied);
    await runner.says(/^partition: warm-up /m, 60_000);
    runner.kill('SIGTERM');
    expect((await runner.ended).status).toBe(143);
  });
});
