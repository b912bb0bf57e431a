import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { Due } from '../../../chaos/load/due.ts';

describe('what is due', () => {
  it('has to be told once until somebody has looked', () => {
    const due = new Due();
    const other = new Due(due.shared);
    expect([other.say(1), other.say(2), due.look(), other.say(3), due.look()]).toEqual([true, false, 2, true, 3]);
  });

  it('is never missed by one that looks when it is told', async () => {
    const due = new Due();
    const count = 100_000;
    const code = `
      import { parentPort, workerData } from 'node:worker_threads';
      const { Due } = await import(workerData.module);
      const due = new Due(workerData.shared);
      for (let i = 1; i <= workerData.count; i++) if (due.say(i)) parentPort.postMessage(null);
    `;
    const workerData = {
      module: new URL('../../../chaos/load/due.ts', import.meta.url).href,
      shared: due.shared,
      count,
    };
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), { workerData });
    let seen = 0;
    worker.on('message', () => {
      seen = due.look();
    });
    await new Promise((resolve) => worker.once('exit', resolve));
    expect(seen).toBe(count);
  });
});
