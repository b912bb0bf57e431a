// Which driver a run uses, and why.
//
//   auto   compose if this project's stack is up, else native if its programs are there, else containers if Docker answers

import type { Driver } from '../environment.ts';
import { LabError, UsageError } from '../errors.ts';
import { faultOf } from '../faults/index.ts';
import { binaries, find } from '../host/binaries.ts';
import { noNamespaceBecause } from '../host/namespace.ts';
import { noProcessorBecause } from '../host/processors.ts';
import type { Lever, Scenario, Topology } from '../scenario.ts';
import { isOwn } from '../targets/index.ts';
import type { Target } from '../targets/target.ts';
import { address } from './address.ts';
import { findStack, otherImage } from './compose-stack.ts';
import { native } from './native.ts';
import { noClockBecause } from './settable-clock.ts';

/** `address` is of targets that already run, and of no others. */
export type DriverName = 'native' | 'containers' | 'compose' | 'address';

/** Who can pull which lever. */
const levers: Readonly<Record<Lever, readonly DriverName[]>> = {
  toxics: ['native', 'containers', 'compose'],
  'front-toxics': ['native', 'containers'],
  netns: ['native'],
  connections: ['native', 'containers', 'compose'],
  'redis-process': ['native', 'containers', 'compose'],
  'redis-config': ['native', 'containers', 'compose'],
  'redis-program': ['native'],
  'redis-clock': ['native'],
  'limiter-process': ['native'],
  'busy-processes': ['native'],
  'limiter-clock': ['native'],
  'prometheus-process': ['native'],
  topology: ['native', 'containers'],
};

/** Of a lever that takes more than its driver: what this machine lacks; undefined when it lacks nothing. */
const lacks: Partial<Readonly<Record<Lever, () => string | undefined>>> = {
  netns: noNamespaceBecause,
  'redis-clock': noClockBecause,
  'limiter-clock': noClockBecause,
  'busy-processes': noProcessorBecause,
};

/** What this one can pull on this machine. */
export function leversOf(driver: DriverName): ReadonlySet<Lever> {
  const names = Object.keys(levers) as Lever[];
  return new Set(names.filter((lever) => levers[lever].includes(driver) && lacks[lever]?.() === undefined));
}

/** Who can start, or is, which Redis. */
const topologies: Readonly<Record<Topology, readonly DriverName[]>> = {
  single: ['native', 'containers', 'compose', 'address'],
  cluster: ['native', 'containers'],
  sentinel: ['native', 'containers'],
};

/** Who can give an instance a file of its own. */
const policies: readonly DriverName[] = ['native'];

export interface DriverEntry {
  readonly name: DriverName;
  /** Looks whether it can do what is asked for, on this machine. */
  readonly look: () => Promise<Look>;
  readonly start: Driver;
}

export interface Look {
  readonly usable: boolean;
  readonly why: string;
  /** It is not the machine that is in the way, but what the caller asks for. */
  readonly contradicts?: boolean;
}

const composeEntry: DriverEntry = {
  name: 'compose',
  async look() {
    const stack = await findStack();
    if (stack.state === 'unusable') return { usable: false, why: stack.why };
    const why = await otherImage(stack.ids);
    if (why !== undefined) return { usable: false, why, contradicts: true };
    return { usable: true, why: "this project's Compose stack is up" };
  },
  // Loaded when it is used: half a second that the other drivers need not pay.
  start: async (options) => (await import('./compose.ts')).compose(options),
};

const nativeEntry: DriverEntry = {
  name: 'native',
  async look() {
    if (process.env.LIMITER_IMAGE) {
      const why = 'LIMITER_IMAGE names an image, which only the containers driver runs';
      return { usable: false, why, contradicts: true };
    }
    const found = await Promise.all(binaries.map(async (binary) => ({ name: binary.name, at: await find(binary) })));
    const missing = found.filter(({ at }) => at === undefined).map(({ name }) => name);
    if (missing.length > 0) return { usable: false, why: `not installed: ${missing.join(', ')}. Type: npm run setup` };
    return { usable: true, why: `${found.map(({ name }) => name).join(', ')} are installed` };
  },
  start: native,
};

const containersEntry: DriverEntry = {
  name: 'containers',
  async look() {
    const { findEngine } = await import('../host/engine.ts');
    return findEngine().then(
      () => ({ usable: true, why: 'Docker answers' }),
      (error: Error) => ({ usable: false, why: error.message }),
    );
  },
  start: async (options) => (await import('./containers.ts')).containers(options),
};

const addressEntry: DriverEntry = {
  name: 'address',
  look: async () => ({ usable: true, why: 'the target already runs' }),
  start: address,
};

/** In the order in which `auto` tries them. */
export const drivers: readonly DriverEntry[] = [composeEntry, nativeEntry, containersEntry];
export const driverNames: readonly string[] = ['auto', 'native', 'containers', 'compose'];

export interface Choice {
  readonly driver: DriverEntry;
  /** Why it is this one, in words. */
  readonly why: string;
}

/** The driver of that name, or the first of all that can work here. Throws when none can, and says what to do. */
export async function chooseDriver(name: string, candidates = drivers): Promise<Choice> {
  const asked = [...candidates, addressEntry].filter((driver) =>
    name === 'auto' ? driver !== addressEntry : driver.name === name,
  );
  const refused: string[] = [];
  for (const driver of asked) {
    const { usable, why, contradicts } = await driver.look();
    if (usable) return { driver, why: name === 'auto' ? [why, ...refused].join('; ') : 'asked for' };
    if (name !== 'auto') {
      const message = `The ${name} driver cannot work: ${why}`;
      throw contradicts ? new UsageError(message) : new LabError(message);
    }
    refused.push(`${driver.name}: ${why}`);
  }
  throw new LabError(`No driver can work on this machine. Type: npm run setup   (${refused.join('; ')})`);
}

/** Who starts a limiter of somebody else's, or finds it running. */
function starterOf({ start }: Target): DriverName {
  if ('url' in start) return 'address';
  return 'image' in start ? 'containers' : 'native';
}

/** The driver that `auto` stands for when this limiter is under test. */
export function driverFor(name: string, target: Target): string {
  return name === 'auto' && !isOwn(target) ? starterOf(target) : name;
}

/** Why the driver cannot run the target in the scenario; undefined when it can. */
export function targetRefusal(
  driver: DriverName,
  {
    name,
    topology = 'single',
    faults = [],
    withoutStore,
  }: Pick<Scenario, 'name' | 'topology' | 'faults' | 'withoutStore'>,
  target: Target,
): string | undefined {
  const starter = starterOf(target);
  if (starter === 'address' && driver !== starter)
    return `The target ${target.name} already runs, so no driver starts it. Leave out --driver ${driver}.`;
  if (starter === 'address' && faults.length > 0)
    return `The target ${target.name} already runs, and the lab cannot break its store, as ${name} does. Scenarios that break nothing can judge it, such as baseline.`;
  if (!isOwn(target) && driver !== starter)
    return `The ${driver} driver cannot start the target ${target.name}. The driver that can: ${starter}.`;
  if (withoutStore && target.answer.withoutStore === undefined)
    return `The target ${target.name} cannot be told to ${withoutStore.answer} requests without its store, which ${name} needs.`;
  if (!target.topologies.includes(topology))
    return `The target ${target.name} cannot use Redis as ${topology}, which ${name} needs. It can use: ${target.topologies.join(', ')}.`;
  return undefined;
}

/** Why the driver cannot run the scenario; undefined when it can. */
export function refusal(
  driver: DriverName,
  { name, faults = [], topology = 'single', withoutStore }: Scenario,
  able = levers,
): string | undefined {
  const cannot = (what: string, drivers: readonly DriverName[]) =>
    `The ${driver} driver cannot ${what}, which ${name} needs. Drivers that can: ${drivers.join(', ')}.`;
  if (!topologies[topology].includes(driver)) return cannot(`give it Redis as ${topology}`, topologies[topology]);
  if (withoutStore && !policies.includes(driver)) return cannot('give the limiter a policies file', policies);
  for (const { use } of faults) {
    const lever = faultOf(use).needs.find((need) => !able[need].includes(driver));
    if (lever) return cannot(`do ${use.kind} (it has no ${lever})`, able[lever]);
    const lack = faultOf(use).needs.flatMap((need) => lacks[need]?.() ?? [])[0];
    if (lack) return `This machine cannot do ${use.kind}, which ${name} needs: ${lack}.`;
  }
  return undefined;
}
