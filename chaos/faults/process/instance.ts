// One limiter instance as a process: how it is reached, and how the lab sees whether it lives.

import { until } from '../../clock.ts';
import type { Environment, Restartable } from '../../environment.ts';
import { LabError } from '../../errors.ts';
import { httpLook, livenessPath } from '../../host/http-look.ts';
import type { Fault, Target } from '../fault.ts';

const answerMsMax = 500;
/** How long it is given to answer again; whether it does is for the judge. */
const readyMsMax = 10_000;

/** Throws when the driver has no way to it. */
export function processOf({ driver }: Environment, { name, instance }: Target): Restartable {
  if (!instance?.process) throw new LabError(`The ${driver} driver cannot reach the process of ${name}`);
  return instance.process;
}

/** Asks the instance itself, past its front link. */
export const look: NonNullable<Fault['look']> = async (_environment, { instance }, msMax) =>
  httpLook(`${instance?.url}${livenessPath}`, msMax);

/** Resolves when it answers, or has had time enough. */
export async function answering({ instance }: Target): Promise<void> {
  if (!instance) return;
  const isAnswering = async () =>
    (await httpLook(`${instance.url}${livenessPath}`, answerMsMax)).outcome === 'pong' || undefined;
  await until(readyMsMax, 20, isAnswering);
}
