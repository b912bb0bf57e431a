// The log of a service whose standard output nobody takes: a pipe that is full, or one whose reader has gone.

import { execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { freePort } from '../../chaos/free-port.ts';
import { LogOutput } from '../../service/log-output.ts';
import { projectDirectory, temporaryDirectory } from '../support/lab-processes.ts';
import { seriesOf } from '../support/metrics-page.ts';
import { startService } from '../support/service.ts';
import { until } from '../support/until.ts';

/** Of the service's grace of 10 s. */
const endMsMax = 3000;
const onLinux = process.platform === 'linux'; // elsewhere a named pipe cannot be opened to read and write

/** A pipe that holds what is written until `read` takes it. */
function pipe() {
  const directory = temporaryDirectory();
  const path = join(directory.path, 'pipe');
  execFileSync('mkfifo', [path]);
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  return {
    fd,
    /** Until it takes no more. */
    fill() {
      for (;;) {
        try {
          writeSync(fd, ' '.repeat(4096));
        } catch {
          return;
        }
      }
    },
    /** All that is in it now. */
    read() {
      let text = '';
      const buffer = Buffer.alloc(65_536);
      for (;;) {
        try {
          text += buffer.toString('utf8', 0, readSync(fd, buffer));
        } catch {
          return text;
        }
      }
    },
    [Symbol.dispose]() {
      closeSync(fd);
      directory[Symbol.dispose]();
    },
  };
}

const line = (i: number) => `${JSON.stringify({ i, text: 'x'.repeat(100 + (i % 300)) })}\n`;

describe.runIf(onLinux)('a pipe that nobody reads', () => {
  it('gets whole lines in order, of which 1 MiB waits; those beyond are dropped and counted', async () => {
    using out = pipe();
    const output = new LogOutput(out.fd);
    for (let i = 0; i < 20_000; i++) {
      output.write(line(i));
      if (i % 1000 === 0) await sleep(1);
    }
    let text = out.read();
    await until('the rest', async () => {
      text += out.read();
      await output.written(1);
      return text.split('\n').length === 20_000 - output.dropped + 1;
    });
    const taken = text
      .trimEnd()
      .split('\n')
      .map((it) => (JSON.parse(it) as { i: number }).i);
    expect(taken).toEqual(taken.toSorted((a, b) => a - b));
    expect([Math.round(text.length / 2 ** 20), taken[0]]).toEqual([1, 0]);

    const { dropped } = output;
    output.write(line(20_000));
    await output.written(1000);
    expect([out.read(), output.dropped]).toEqual([line(20_000), dropped]);
  });

  it.each([1, 2])('does not keep a service of %i workers from ending on SIGTERM', async (workers) => {
    using out = pipe();
    out.fill();
    const port = await freePort();
    const env = { PORT: String(port), REDIS_ADDR: '127.0.0.1:1', WORKERS: String(workers) };
    const child = spawn(process.execPath, ['service/main.ts'], {
      cwd: projectDirectory,
      env,
      stdio: ['ignore', out.fd, 'inherit'],
    });
    const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
    try {
      await until('an answer', () => fetch(`http://127.0.0.1:${port}/`).then(Boolean, () => false));
      const startMs = performance.now();
      child.kill('SIGTERM');
      expect(await Promise.race([ended, sleep(12_000, 'it lives')])).toEqual({ code: 0, signal: null });
      expect(performance.now() - startMs).toBeLessThan(endMsMax);
    } finally {
      child.kill('SIGKILL');
    }
  });
});

describe('a pipe whose reader has gone', () => {
  it.each([1, 2])('does not end a service of %i workers, which counts the lines', async (workers) => {
    await using service = await startService({ WORKERS: String(workers), BREAKER_RESET_MS: '10' });
    service.child.process.stdout?.destroy();
    service.child.process.stderr?.destroy();
    await until('lines that are dropped', async () => {
      await (await fetch(service.url)).text(); // its breaker moves, which is logged
      return ((await seriesOf(service)).get('rate_limit_log_lines_dropped_total') ?? 0) > 3;
    });
    service.child.process.kill('SIGTERM');
    expect(await service.child.ended).toEqual({ code: 0, signal: null });
  });
});
