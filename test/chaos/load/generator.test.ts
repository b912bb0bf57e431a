import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { monotonicUs } from '../../../chaos/clock.ts';
import { LabError } from '../../../chaos/errors.ts';
import type { AnswerEvent } from '../../../chaos/history.ts';
import { startOf } from '../../../chaos/host/process-identity.ts';
import { UndoLog } from '../../../chaos/host/undo-log.ts';
import { Generator } from '../../../chaos/load/generator.ts';
import type { LoadPlan } from '../../../chaos/load/load.ts';
import { failopen } from '../../../chaos/targets/failopen.ts';
import { targetFrom } from '../../../chaos/targets/file.ts';
import { projectDirectory, temporaryDirectory } from '../../support/lab-processes.ts';
import { until } from '../../support/until.ts';

let temporary: ReturnType<typeof temporaryDirectory>;
let server: Server;
/** How long the limiter takes for an answer. */
let answerMs: number;
/** The keys that it was asked for. */
let asked: Set<string>;

beforeEach(async () => {
  temporary = temporaryDirectory();
  answerMs = 0;
  asked = new Set();
  server = createServer(({ headers }, response) => {
    asked.add(String(headers['x-key']));
    setTimeout(() => response.end(), answerMs);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  temporary[Symbol.dispose]();
});

function planned(): LoadPlan {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    seed: 1,
    rate: 100,
    durationMs: 500,
    keys: { count: 10, skew: 0 },
    keySuffix: '-0a1b2c3d4e',
    target: failopen,
    targets: [{ instance: 'limiter-1', url }],
  };
}

/** Keeps which processes were noted to be undone. */
class Noted extends UndoLog {
  readonly pids: number[] = [];
  override process(name: string, pid: number): void {
    super.process(name, pid);
    if (name === 'load generator') this.pids.push(pid);
  }
}
const noted = () => new Noted(join(temporary.path, 'undo'));

describe('the generator', () => {
  it('leaves nothing running when it is not ready in time', async () => {
    answerMs = 100;
    const undo = noted();
    await expect(Generator.start(planned(), undo, () => {}, 100)).rejects.toThrow(
      new LabError('the load generator was not ready within 0.1 s'),
    );
    expect(undo.pids.map(startOf)).toEqual([undefined]);
  });

  it('is ready for a limiter that hangs with its warm-up, and records that in the run', async () => {
    answerMs = 60_000;
    const answers: AnswerEvent[] = [];
    await using generator = await Generator.start(planned(), noted(), (more) => answers.push(...more), 20_000);
    await generator.run(monotonicUs() + 100_000);
    expect(answers.length).toBeGreaterThan(20);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([0]));
  }, 60_000);

  it('asks a limiter that is too slow for its whole warm-up all the same', async () => {
    answerMs = 100; // 10,000 requests over 32 connections would take half a minute
    const answers: AnswerEvent[] = [];
    await using generator = await Generator.start(planned(), noted(), (more) => answers.push(...more), 20_000);
    await generator.run(monotonicUs() + 100_000);
    expect(answers.length).toBeGreaterThan(20);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });

  it('that was ended is told by what waits for it, and by nothing else', async () => {
    const undo = noted();
    await using generator = await Generator.start(planned(), undo, () => {}, 20_000);
    const [pid] = undo.pids;
    process.kill(pid as number, 'SIGKILL');
    await until('its end', () => startOf(pid as number) === undefined);
    await expect(generator.run(monotonicUs())).rejects.toThrow(new LabError('the load generator ended in mid-run'));
  });

  it("asks for the run's own keys, and tells the answers by them", async () => {
    const answers: AnswerEvent[] = [];
    await using generator = await Generator.start(planned(), noted(), (more) => answers.push(...more));
    await generator.run(monotonicUs() + 100_000);
    const told = new Set(answers.map(({ key }) => key));
    expect([...told].filter((key) => !/^k\d-0a1b2c3d4e$/.test(key))).toEqual([]);
    const others = [...asked].filter((key) => key !== 'undefined' && !key.startsWith('warm-up-'));
    expect(new Set(others)).toEqual(told);
  });

  it('is ready with all connections open, also to a limiter that closes idle ones soon', async () => {
    const soon = createServer((_request, response) => response.end());
    soon.keepAliveTimeout = 2000; // the warm-up of the others lasts longer
    await new Promise<void>((resolve) => soon.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(soon.address() as AddressInfo).port}`;
    answerMs = 50;
    const [slow] = planned().targets;
    const plan = {
      ...planned(),
      targets: [{ instance: 'limiter-1', url }],
      control: { instance: 'control', url: slow?.url ?? '' },
    };
    await using _generator = await Generator.start(plan, noted(), () => {}, 20_000);
    const open = await new Promise((resolve) => soon.getConnections((_error, count) => resolve(count)));
    soon.close();
    expect(open).toBe(128);
  });

  it('asks by POST with a body, and reads the answer in the body, where a target file says so', async () => {
    server.removeAllListeners('request').on('request', (request: IncomingMessage, response: ServerResponse) => {
      request.setEncoding('utf8').on('data', (body) => {
        const { key, cost } = JSON.parse(body);
        const isAsked = `${request.method} ${request.url} ${cost}` === 'POST /check 1';
        response.end(JSON.stringify({ allowed: isAsked && /^k[0-4]-/.test(key), remaining: 3 }));
      });
      request.on('end', () => response.end());
    });
    const target = targetFrom('chaos/targets/example.yaml', projectDirectory, []);
    const answers: AnswerEvent[] = [];
    await using generator = await Generator.start({ ...planned(), target }, noted(), (more) => answers.push(...more));
    await generator.run(monotonicUs() + 100_000);
    const told = new Set(
      answers.map(({ key, status, outcome, remaining }) => [key[1], status, outcome, remaining].join(' ')),
    );
    const allowed = ['0', '1', '2', '3', '4'].map((rank) => `${rank} 200  3`);
    const denied = ['5', '6', '7', '8', '9'].map((rank) => `${rank} 200 denied 3`);
    expect([...told].sort()).toEqual([...allowed, ...denied]);
  });
});
