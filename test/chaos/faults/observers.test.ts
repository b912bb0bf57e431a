import { createServer } from 'node:http';
import { expect, it } from 'vitest';
import type { Environment } from '../../../chaos/environment.ts';
import { LabError } from '../../../chaos/errors.ts';
import { targetsOf } from '../../../chaos/faults/fault.ts';
import { faultOf } from '../../../chaos/faults/index.ts';
import { freePort } from '../../../chaos/free-port.ts';
import { probeLinks, zeroIn } from '../../../chaos/watch/observer.ts';

const fault = faultOf({ kind: 'prometheus-gone' });
const environment = { driver: 'compose', instances: [{ name: 'limiter-1', control: false }] } as unknown as Environment;

it('a Prometheus that is gone is looked for by itself, until it is there again', async () => {
  const port = await freePort();
  const server = createServer((_request, response) => response.end('ready'));
  const start = () => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const prometheus = {
    start: async () => {
      if (!server.listening) await start();
    },
    kill: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
  const withIt = { ...environment, prometheus, prometheusUrl: `http://127.0.0.1:${port}` };
  const targets = targetsOf('observers', withIt);
  const look = async () =>
    (await probeLinks(withIt, fault, targets, 'broken', zeroIn(0))).map(({ instance, seen }) => `${instance} ${seen}`);
  const [target] = targets;
  if (!target) throw new Error('no target');
  await start();
  const before = await look();
  await fault.inject(withIt, target);
  const during = [await look(), await look(), await look()];
  await fault.heal(withIt, target);
  await fault.heal(withIt, target); // safe to repeat
  const after = await look();
  await prometheus.kill();
  expect(before).toEqual(['prometheus healthy']);
  expect(during.flat()).toEqual(Array(3).fill('prometheus broken'));
  expect(after).toEqual(['prometheus healthy']);
});

it('a Prometheus that the driver cannot kill is left alone, and the fault says so', async () => {
  const [target] = targetsOf('observers', environment);
  await expect(async () => target && fault.inject(environment, target)).rejects.toThrow(
    new LabError('The compose driver cannot kill the Prometheus that scrapes the limiters'),
  );
});
