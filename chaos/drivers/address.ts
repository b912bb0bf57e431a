// The driver of a target that already runs: it starts nothing, and breaks nothing. The lab reaches neither the target's
// store nor the way to it. The control is the same limiter, asked for keys of its own: it tells how slow the machine, the
// way and the limiter are together, which no fault explains.

import { until } from '../clock.ts';
import type { Driver, Instance } from '../environment.ts';
import { LabError, UsageError } from '../errors.ts';
import { controlName, limiterNames } from '../scenario.ts';
import { ReadyLook } from '../targets/first-look.ts';
import { machine } from './versions.ts';

const readyMs = 10_000;

export const address: Driver = async ({ target }) => {
  if (!('url' in target.start)) throw new LabError(`The target ${target.name} does not run yet`);
  const { url } = target.start;
  const look = new ReadyLook(target, url);
  const isReady = await until(readyMs, 200, async () => ((await look.isReady()) ? true : undefined));
  if (!isReady) throw new UsageError(`The target ${target.name} cannot be judged: it ${look.why}`);
  const instance = (name: string): Instance => ({
    name,
    control: name === controlName,
    frontUrl: url,
    url,
    storeLink: { proxy: undefined, host: '', port: 0 }, // nobody's: no fault is put on it, so nobody probes it
  });
  return {
    driver: 'address',
    instances: [instance(limiterNames[0]), instance(controlName)],
    toxiproxy: { addToxic: unreachable, changeToxic: unreachable, removeToxics: unreachable, setEnabled: unreachable },
    redis: { kill: unreachable, start: unreachable },
    prometheusUrl: '',
    versions: { node: process.version, ...machine() },
    broken: new Promise(() => {}), // nothing of the lab's own runs
    async [Symbol.asyncDispose]() {},
  };
};

async function unreachable(): Promise<never> {
  throw new LabError('The lab cannot break what it has not started');
}
