// The package as an application has it: packed, installed from the archive outside the project, and asked.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import { pageForNpm } from '../../../service/package/npm-page.ts';
import { projectDirectory } from '../../support/lab-processes.ts';
import { type RedisProcess, startRedis } from '../../support/redis.ts';

const run = promisify(execFile);

/** What the applications bring themselves, in the versions that the project is tested with. */
const { dependencies, devDependencies, peerDependencies } = packageJson;
const brought = Object.entries({ ...dependencies, ...devDependencies })
  .filter(([name]) =>
    /^(@hono\/node-server|@types\/express|@types\/node|express4?|fastify|hono|typescript)$/.test(name),
  )
  .map(([name, version]) => `${name}@${version}`);

/** An application of each framework, on a port that it prints; each key has two requests. */
const started = `
  const { port } = server.address();
  const statuses = [];
  for (let i = 0; i < 3; i++) {
    const answer = await fetch(\`http://127.0.0.1:\${port}/\`, { headers: { 'x-user': process.argv[2] } });
    statuses.push(answer.status, answer.headers.get('x-ratelimit-mechanism'));
    if (answer.status === 429) statuses.push((await answer.json()).title);
  }
  process.stdout.write(JSON.stringify(statuses));
  server.close();
  server.closeAllConnections?.();
  await limiter.close();
`;
const limiter = `
  import { createLimiter } from 'failopen';
  const limiter = createLimiter({
    redis: process.env.REDIS_URL, limits: { capacity: 2, windowSeconds: 86400, fallbackCapacity: 2 }, redisTimeoutMs: 2000,
  });
  if (process.env.REDIS_URL) while (limiter.status.mechanism !== 'redis') await new Promise((done) => setTimeout(done, 20));
`;
const ofExpress = (name: string) => `
  import express from '${name}';
  import { rateLimit } from 'failopen/express';
  ${limiter}
  const app = express();
  app.use(rateLimit({ limiter, key: (request) => request.get('x-user') }));
  app.get('/', (request, response) => response.send('hello'));
  const server = await new Promise((done) => { const it = app.listen(0, '127.0.0.1', () => done(it)); });
  ${started}
`;
const applications = {
  'Express 4': ofExpress('express4'),
  'Express 5': ofExpress('express'),
  Fastify: `
    import fastify from 'fastify';
    import { rateLimit } from 'failopen/fastify';
    ${limiter}
    const app = fastify();
    app.addHook('onRequest', rateLimit({ limiter, key: (request) => request.headers['x-user'] }));
    app.get('/', async () => 'hello');
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { server } = app;
    ${started}
  `,
  Hono: `
    import { serve } from '@hono/node-server';
    import { Hono } from 'hono';
    import { rateLimit } from 'failopen/hono';
    ${limiter}
    const app = new Hono();
    app.use(rateLimit({ limiter, key: (context) => context.req.header('x-user') }));
    app.get('/', (context) => context.text('hello'));
    const server = await new Promise((done) => {
      const it = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => done(it));
    });
    ${started}
  `,
} as const;

/** What an application's own compiler reads. */
const typed = `
  import express from 'express';
  import fastify from 'fastify';
  import { Hono } from 'hono';
  import { createLimiter, type Decision, type Limiter } from 'failopen';
  import { rateLimit as forExpress } from 'failopen/express';
  import { rateLimit as forFastify } from 'failopen/fastify';
  import { rateLimit as forHono } from 'failopen/hono';

  const limiter: Limiter = createLimiter({ redis: 'redis://localhost:6379', limits: '100 per minute' });
  const decision: Decision = await limiter.take('alice', { cost: 2 });
  const left: number | undefined = decision.remaining;
  express().use(forExpress({ limiter, key: (request) => request.get('x-user'), cost: 2 }));
  fastify().addHook('onRequest', forFastify({ limiter, key: (request) => String(request.headers['x-user']) }));
  new Hono().use(forHono({ limiter, key: (context) => context.req.header('x-user') }));
  // @ts-expect-error a cost is a number
  await limiter.take('alice', { cost: '2' });
  export { left };
`;
const compilerOptions = {
  ...{ target: 'es2024', module: 'nodenext', types: ['node'], strict: true, noUncheckedIndexedAccess: true },
  ...{ exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true },
};

let directory: string;
let redis: RedisProcess;
let packed: { readonly filename: string; readonly unpackedSize: number };

const inApplication = (command: string, ...args: string[]) => run(command, args, { cwd: directory });

/** What an application prints for a key that no other test has. */
async function statusesOf(name: keyof typeof applications, env: Readonly<Record<string, string>>): Promise<unknown> {
  const file = join(directory, `${name.replace(' ', '-')}.mjs`);
  await writeFile(file, applications[name]);
  const key = `${name} ${Object.keys(env)}`;
  const { stdout } = await run(process.execPath, [file, key], { cwd: directory, env: { ...process.env, ...env } });
  return JSON.parse(stdout);
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'failopen-package-'));
  redis = await startRedis();
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', directory], { cwd: projectDirectory });
  [packed] = JSON.parse(stdout.slice(stdout.indexOf('[\n')));
  await writeFile(join(directory, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  const quiet = ['--silent', '--no-audit', '--no-fund'];
  await inApplication('npm', 'install', ...quiet, ...brought, `./${packed.filename}`);
});
afterAll(async () => {
  await redis.stop();
  await rm(directory, { recursive: true, force: true });
});

describe('the package, installed outside the project', () => {
  it.each(Object.keys(applications) as (keyof typeof applications)[])('limits %s by Redis', async (name) => {
    const expected = [200, 'redis', 200, 'redis', 429, 'redis', expect.any(String)];
    expect(await statusesOf(name, { REDIS_URL: redis.url })).toEqual(expected);
  });

  it.each(Object.keys(applications) as (keyof typeof applications)[])('limits %s without Redis', async (name) => {
    const expected = [200, 'fallback', 200, 'fallback', 429, 'fallback', expect.any(String)];
    expect(await statusesOf(name, {})).toEqual(expected);
  });

  it('decides by Redis in an application that is bundled into one file', async () => {
    const input = join(directory, 'to-be-bundled.mjs');
    await writeFile(input, applications['Express 5']);
    const bundle = await rolldown({ input, platform: 'node', logLevel: 'silent' });
    const alone = await mkdtemp(join(tmpdir(), 'failopen-bundle-'));
    try {
      const file = join(alone, 'application.mjs');
      await bundle.write({ file, codeSplitting: false });
      const { stdout } = await run(process.execPath, [file, 'bundled'], {
        cwd: alone,
        env: { ...process.env, REDIS_URL: redis.url },
      });
      expect(JSON.parse(stdout).slice(0, 2)).toEqual([200, 'redis']);
    } finally {
      await rm(alone, { recursive: true, force: true });
    }
  });

  it('has types that a strict application compiles with', async () => {
    await writeFile(join(directory, 'typed.ts'), typed);
    await writeFile(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['typed.ts'] }));
    await inApplication(process.execPath, 'node_modules/typescript/bin/tsc');
  });

  it('has a page for npmjs.com, and leaves that of the project as it was', async () => {
    const page = await readFile(join(directory, 'node_modules/failopen/README.md'), 'utf8');
    const ofProject = (path: string) => readFile(join(projectDirectory, path), 'utf8');
    expect(page).toBe(pageForNpm(await ofProject('service/package/README.md')));
    expect(await ofProject('README.md')).not.toBe(page);
  });

  it('brings nothing of the lab, and is small', async () => {
    const { stdout } = await inApplication('npm', 'ls', '--all', '--json');
    const own = JSON.stringify(JSON.parse(stdout).dependencies.failopen);
    const named = (name: string) => own.includes(`"${name}":`);
    expect(Object.keys(dependencies).filter((name) => !named(name))).toEqual([]);
    const ofApplication = ['@types/node', ...Object.keys(peerDependencies)]; // protobufjs brings the first
    expect(Object.keys(devDependencies).filter(named).sort()).toEqual(ofApplication.filter(named).sort());
    expect(packed.unpackedSize).toBeLessThan(1_000_000);
  });

  it('is a command too', async () => {
    const { stdout } = await inApplication('npx', 'failopen', '--version');
    expect(stdout.trim()).toBe(packageJson.version);
  });
});
