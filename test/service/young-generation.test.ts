import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { freePort } from '../../chaos/free-port.ts';
import { projectDirectory } from '../support/lab-processes.ts';
import { startChild } from '../support/process.ts';
import { until } from '../support/until.ts';

const connections = 400;
const roundsEach = 100;

describe('the young generation', () => {
  it('is where everything is made, also after a burst in which much of it outlived a collection', async () => {
    const port = await freePort();
    const env = { PORT: String(port), REDIS_ADDR: '127.0.0.1:1', RATE_LIMIT: '1000000', RATE_LIMIT_BURST: '1000000' };
    const child = startChild(process.execPath, ['--trace-pretenuring-statistics', 'service/main.ts'], {
      cwd: projectDirectory,
      env,
    });
    try {
      await until('the service listens', () => child.stdout().includes('listening on'));
      await Promise.all(Array.from({ length: connections }, () => ask(port, roundsEach)));
    } finally {
      await child.stop();
    }
    expect(child.stdout()).not.toMatch(/ tenured=[1-9]/);
  });
});

/** So many requests in turn, over one connection. */
function ask(port: number, rounds: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let left = rounds;
    const send = () => socket.write('GET / HTTP/1.1\r\nHost: limiter\r\n\r\n');
    socket.on('connect', send);
    socket.on('data', () => {
      if (--left > 0) send();
      else socket.destroy();
    });
    socket.on('close', resolve);
    socket.on('error', reject);
  });
}
