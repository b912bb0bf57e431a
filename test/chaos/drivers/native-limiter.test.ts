import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startLimiter } from '../../../chaos/drivers/native-limiter.ts';
import { loopback, NativeParts } from '../../../chaos/drivers/native-parts.ts';
import { UsageError } from '../../../chaos/errors.ts';
import { freePort } from '../../../chaos/free-port.ts';
import { startOf } from '../../../chaos/host/process-identity.ts';
import { commandTarget } from '../../../chaos/targets/command.ts';
import { failopen } from '../../../chaos/targets/failopen.ts';
import { targetFrom } from '../../../chaos/targets/file.ts';
import { givenBy, ReadyLook } from '../../../chaos/targets/first-look.ts';
import { plain, type Target } from '../../../chaos/targets/target.ts';
import { temporaryDirectory } from '../../support/lab-processes.ts';
import { until } from '../../support/until.ts';

let directory: ReturnType<typeof temporaryDirectory>;
let parts: NativeParts;

beforeEach(() => {
  directory = temporaryDirectory();
  mkdirSync(join(directory.path, 'logs'));
  parts = NativeParts.create(join(directory.path, 'logs'));
});
afterEach(async () => {
  await parts[Symbol.asyncDispose]();
  directory[Symbol.dispose]();
});

/** Starts the program as a command, with the variables, and gives its address. */
function started(program: string, variables: readonly string[] = [], command = 'node limiter.cjs {port}') {
  return startedAs(commandTarget(command, variables, directory.path), program);
}

async function startedAs(target: Target, program: string) {
  writeFileSync(join(directory.path, 'limiter.cjs'), program);
  const port = String(await freePort());
  const url = `http://${loopback}:${port}`;
  const told = { HOST: loopback, PORT: port, REDIS_ADDR: `${loopback}:7`, RATE_LIMIT: '10' };
  await startLimiter(parts, target, 'limiter-1', told, url);
  return { url, target };
}

const serving = (answer: string) =>
  `require('node:http').createServer((request, response) => { ${answer} }).listen(process.env.PORT, process.env.HOST);`;

it('this project’s own limiter says which of its settings has a mistake, which is the caller’s', async () => {
  const told = { HOST: loopback, PORT: String(await freePort()), LOG_LEVEL: 'loud' };
  const starting = startLimiter(parts, failopen, 'limiter-1', told, `http://${loopback}:${told.PORT}`);
  const refused = expect(starting).rejects;
  await refused.toThrow(UsageError);
  await refused.toThrow('LOG_LEVEL is "loud"; allowed: one of silent, ');
});

describe('a command as the limiter', () => {
  it('is told where to listen, where its Redis is, its limit and what the caller wants, and nothing else', async () => {
    const tell = 'response.end(JSON.stringify({ env: process.env, args: process.argv.slice(2) }))';
    const { url } = await started(serving(tell), ['STORE=redis://{redis}/0', 'RATE_LIMIT=11']);
    const { env, args } = (await (await fetch(url)).json()) as { env: Record<string, string>; args: string[] };
    const { PATH: _, HOME: __, ...told } = env;
    const port = new URL(url).port;
    expect({ told, args }).toEqual({
      told: {
        FAILOPEN_LAB_RUN: expect.any(String),
        HOST: loopback,
        PORT: port,
        REDIS_ADDR: '127.0.0.1:7',
        RATE_LIMIT: '11',
        STORE: 'redis://127.0.0.1:7/0',
      },
      args: [port],
    });
  });

  it.each([
    ["response.statusCode = request.url === '/healthz' ? 200 : 500; response.end()"],
    ["response.statusCode = request.url === '/' ? 429 : 404; response.end()"],
    ['response.statusCode = 500; response.end()'],
  ])('is ready when it answers: %s', async (answer) => {
    await expect(started(serving(answer))).resolves.toBeDefined();
  });

  it('gives what its first answers tell', async () => {
    const silent = await started(serving('response.end()'));
    expect(await givenBy(silent.target, silent.url)).toEqual([]);
    const headers = `{ 'X-RateLimit-Mechanism': 'redis', RateLimit: '"a";r=1;t=1' }`;
    const telling = await started(serving(`response.writeHead(429, ${headers}).end()`));
    expect(await givenBy(telling.target, telling.url)).toEqual(['source', 'remaining']);
  });

  it('gives what an answer tells that leads elsewhere, and not what is there', async () => {
    const elsewhere = "if (request.url === '/app') return response.writeHead(500).end();";
    const headers = "{ location: '/app', 'X-RateLimit-Mechanism': 'redis' }";
    const { target, url } = await started(serving(`${elsewhere} response.writeHead(302, ${headers}).end()`));
    const answer = { ...target.answer, allowed: { status: 302 } };
    expect(await givenBy({ ...target, answer }, url)).toEqual(['source']);
    expect(await new ReadyLook({ ...target, ready: [{ path: '/', status: 302 }] }, url).isReady()).toBe(true);
    expect(await new ReadyLook({ ...target, ready: [{ path: '/', status: '2xx' }] }, url).isReady()).toBe(false);
  });

  it('that does not tell what its file says it tells is refused with what it says there', async () => {
    const headers = "{ 'X-Decided-By': 'REDIS', 'X-Left': '3' }";
    const { target, url } = await started(serving(`response.writeHead(200, ${headers}).end()`));
    const file = (answer: string) => {
      const path = join(directory.path, 'my-api.yaml');
      writeFileSync(path, `name: my-api\nstart: {command: node limiter.cjs}\nanswer: ${answer}\n`);
      return { ...targetFrom(path, '/', []), take: target.take };
    };
    const left = 'remaining: {header: x-left}';
    const looks = (answer: string) => givenBy(file(answer), url);
    await expect(looks(`{${left}, source: {header: X-Decided-By, redis: REDIS}}`)).resolves.toEqual([
      'source',
      'remaining',
    ]);
    const begin = 'The target my-api cannot be judged: its file says that answer.';
    const end = 'there: status 200 without a body';
    const refusals = await Promise.all(
      [
        `{${left}, source: {header: X-Decided-By}}`,
        `{${left}, source: {pointer: /by}}`,
        '{remaining: {header: x-decided-by}}',
      ].map((answer) => looks(answer).catch((error: Error) => error)),
    );
    expect(refusals).toEqual(
      [
        `source is the header X-Decided-By, and of its first answers to GET / none tells it; allowed: redis, fallback. The last says "REDIS" ${end}`,
        `source is the value at /by, and of its first answers to GET / none tells it; allowed: redis, fallback. The last says nothing ${end}`,
        `remaining is the header x-decided-by, and of its first answers to GET / none tells it; allowed: a number from 0. The last says "REDIS" ${end}`,
      ].map((what) => new UsageError(`${begin}${what}`)),
    );
  });

  it('that ends before it is ready is refused with the end of what it said', async () => {
    const failing = started("console.log('one'); console.error('no such store'); process.exit(3)");
    await expect(failing).rejects.toThrow(UsageError);
    await expect(failing).rejects.toThrow(
      /^The command "node limiter.cjs \d+" cannot be judged: limiter-1 exited with status 3, and never answered a GET of \/healthz or \/ at http:\/\/127\.0\.0\.1:\d+\. Its last output:\none\nno such store$/,
    );
  });

  it('that is no program is refused', async () => {
    const failing = started('', [], 'no-such-program-anywhere');
    await expect(failing).rejects.toThrow(UsageError);
    await expect(failing).rejects.toThrow(/limiter-1 cannot be started: spawn no-such-program-anywhere ENOENT$/);
  });

  it.each<[string, (file: string) => Target, boolean]>([
    ['is a command', () => commandTarget('node limiter.cjs', [], directory.path), false],
    ['is in the box', (file) => ({ ...plain, name: 'other', start: { node: file } }), false],
    ["is this project's own", (file) => ({ ...plain, name: 'failopen', start: { node: file } }), true],
  ])(
    'that ends later and %s is judged by its missing answers, or breaks the lab',
    async (_what, targetOf, isTrouble) => {
      const target = targetOf(join(directory.path, 'limiter.cjs'));
      const ending = serving("if (request.url === '/end') setImmediate(() => process.exit(1)); response.end()");
      const { url } = await startedAs(target, ending);
      let broken: unknown;
      parts.broken.catch((error) => {
        broken = error;
      });
      await fetch(`${url}/end`);
      await until('its end', () =>
        fetch(url).then(
          () => false,
          () => true,
        ),
      );
      if (isTrouble) await until('the trouble', () => broken !== undefined);
      else await delay(50);
      expect(broken !== undefined).toBe(isTrouble);
    },
  );

  it('leaves nothing of what it started itself', async () => {
    const child = `require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']).pid`;
    const { url } = await started(`const child = ${child}; ${serving('response.end(String(child))')}`);
    const pid = Number(await (await fetch(url)).text());
    expect(startOf(pid)).toBeDefined();
    await parts[Symbol.asyncDispose]();
    await until('the end of its child', () => startOf(pid) === undefined);
  });

  it('is ended beside the others, and not after them', async () => {
    const lingering = `const { existsSync, writeFileSync } = require('node:fs');
      const { PORT, OTHER } = process.env;
      process.on('SIGTERM', () => {
        writeFileSync(\`told-\${PORT}\`, '');
        setInterval(() => {
          if (!existsSync(\`told-\${OTHER}\`)) return;
          writeFileSync(\`ended-\${PORT}\`, '');
          process.exit(0);
        }, 10);
      });
      ${serving('response.end()')}`;
    writeFileSync(join(directory.path, 'limiter.cjs'), lingering);
    const [one, other] = [String(await freePort()), String(await freePort())];
    const start = (name: string, port: string, OTHER: string) => {
      const target = commandTarget('node limiter.cjs', [`OTHER=${OTHER}`], directory.path);
      return startLimiter(parts, target, name, { HOST: loopback, PORT: port }, `http://${loopback}:${port}`);
    };
    await Promise.all([start('limiter-1', one, other), start('limiter-2', other, one)]);
    await parts[Symbol.asyncDispose]();
    const ended = [one, other].map((port) => existsSync(join(directory.path, `ended-${port}`)));
    expect(ended).toEqual([true, true]);
  });
});
