// Limiters of somebody else's that cannot be judged, or that break while they are: one clear error, or a verdict, and
// nothing left behind.

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { targetFrom } from '../../../chaos/targets/file.ts';
import { baseline } from '../../../scenarios/baseline.ts';
import { notedBy, run, stillThere, temporaryDirectory } from '../../support/lab-processes.ts';
import { runOf } from '../../support/scenario-runs.ts';

let directory: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => directory[Symbol.dispose]());

/** A target file, and the program that it starts. Returns its path. */
function written(program: string, more = ''): string {
  writeFileSync(join(directory.path, 'limiter.cjs'), program);
  const file = join(directory.path, 'my-api.yaml');
  writeFileSync(file, `name: my-api\nstart: {command: node limiter.cjs}\n${more}`);
  return file;
}

async function refused(file: string) {
  const out = join(directory.path, 'runs');
  const { status, stdout, stderr, left } = await run(['scenarios/main.ts', 'baseline', '--target', file, '--out', out]);
  expect({ status, stdout, left }).toEqual({ status: 254, stdout: '', left: [] });
  return { stderr, hasBegun: existsSync(out) };
}

describe('a target that cannot be judged', () => {
  it('for mistakes in its file is refused before anything is started', async () => {
    const file = written('', 'tkae: {}\nanswer: {allowed: {status: 700}}\n');
    const { stderr, hasBegun } = await refused(file);
    const mistakes = [
      'answer.allowed.status is 700; allowed: a status from 100 to 599, or a class such as 2xx',
      'tkae is no field; allowed: name, start, topologies, take, answer, bounds, ready, breaker',
    ];
    expect(stderr).toBe(mistakes.map((mistake) => `${file}: ${mistake}\n`).join(''));
    expect(hasBegun).toBe(false);
  });

  it('since it ends before it is ready is refused with its last words, and all else is ended', async () => {
    const { stderr } = await refused(written("console.log('one'); console.error('no such store'); process.exit(3)"));
    expect(stderr).toMatch(/The command "node limiter\.cjs" cannot be judged: limiter-\S+ exited with status 3, /);
    expect(stderr).toMatch(/Its last output:\none\nno such store\n/);
  });
});

/** A target whose server is asked for a take, other than for its health, as `take` says. */
const taking = (take: string) => `
require('node:http').createServer((request, response) => {
  if (request.url === '/healthz') response.end();
  else ${take};
}).listen(process.env.PORT, process.env.HOST);`;
const lookMsMax = 60_000;

describe('a target that decides no take before anything is broken', () => {
  const wanted = 'neither allowed ({"status":"2xx"}) nor denied ({"status":429})';

  it.each([
    [
      'since its answers mean something else',
      "response.writeHead(404).end('no such route')",
      'status 404 with the body no such route',
    ],
    ['since it hangs', 'void 0', 'no answer within 2 s'],
    ['since it ends each connection', 'request.socket.destroy()', 'no answer: other side closed'],
  ])('%s is refused with its last answer, and is no latest run', { timeout: lookMsMax }, async (_why, take, last) => {
    const { stderr } = await refused(written(taking(take)));
    expect(stderr.trim().split('\n').at(-1)).toBe(
      `The target my-api cannot be judged: what it says to GET / is ${wanted}: ${last}`,
    );
    expect(existsSync(join(directory.path, 'runs', 'latest'))).toBe(false);
  });
});

const short = { ...baseline, timing: { warmupMs: 500, durationMs: 3000 } };

/** What `availability` finds, of a run that has left nothing behind. */
async function availabilityOf(program: string) {
  const target = targetFrom(written(program), '/', []);
  const { checks, verdict } = await runOf(short, directory.path, { target, rate: 200 });
  expect(stillThere(notedBy(process.pid))).toEqual([]);
  const found = checks.find(({ name }) => name === 'availability');
  return { verdict, availability: found?.verdict, detail: found?.detail };
}

/** Answers in HTTP, but a take, by its key, as `answer` says. */
const serving = (answer: string) => `
require('node:net').createServer((socket) => {
  socket.on('error', () => {});
  socket.on('data', (data) => {
    const ofTheRun = /x-key: k/.test(data.toString());
    if (ofTheRun) { ${answer} }
    else socket.write('HTTP/1.1 200 OK\\r\\ncontent-length: 0\\r\\n\\r\\n');
  });
}).listen(process.env.PORT, process.env.HOST);`;

describe('a target that breaks in the run', () => {
  it('by ending fails by its missing answers', async () => {
    const { verdict, availability, detail } = await availabilityOf(serving('process.exit(1)'));
    expect({ verdict, availability }).toEqual({ verdict: 'fail', availability: 'fail' });
    expect(detail).toMatch(/^first: .*(closed|ECONN|EPIPE)/);
  });

  it('by answering what is no HTTP fails by that', async () => {
    const garbage = "socket.write('\\u0000\\u001b[2J garbage\\r\\n\\r\\n')";
    const { verdict, availability, detail } = await availabilityOf(serving(garbage));
    expect({ verdict, availability }).toEqual({ verdict: 'fail', availability: 'fail' });
    expect(detail).toMatch(/^first: no HTTP\/1\.1 answer: "\\u0000\\u001b\[2J garbage/);
  });

  it('by answers of no known meaning fails by those', async () => {
    const { verdict, availability, detail } = await availabilityOf(
      serving("socket.write('HTTP/1.1 418 No\\r\\nx-ratelimit-remaining: NaN\\r\\ncontent-length: 0\\r\\n\\r\\n')"),
    );
    expect({ verdict, availability }).toEqual({ verdict: 'fail', availability: 'fail' });
    expect(detail).toMatch(/^first: status 418/);
  });
});
