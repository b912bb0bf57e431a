// What a fault is: one file says all of it. It knows what it takes, what it hits, what it forces on a sound limiter, how it
// begins and ends, what an independent probe sees while it lasts, and how to tell of it. Nobody else knows its name.

import { z } from 'zod';
import type { Environment, Instance } from '../environment.ts';
import { LabError } from '../errors.ts';
import type { FaultFacts } from '../history.ts';
import type { Ping } from '../host/ping.ts';
import {
  type Bounds,
  type Effect,
  type Ending,
  type FaultSpec,
  type Lever,
  observerName,
  type Reach,
  type StateEffect,
  sharedStoreName,
} from '../scenario.ts';

export interface FaultDefinition<Parameters> {
  readonly kind: string;
  readonly family: 'network' | 'clients' | 'observers' | 'redis' | 'process' | 'topology';
  /** What it takes beside its kind, with units in the names. */
  readonly params: z.ZodType<Parameters>;
  /** Parameters that show what it can be; the documents list them, and tests try them. */
  readonly examples: readonly [Partial<Parameters>, ...Partial<Parameters>[]];
  readonly needs: readonly Lever[];
  /** What it can hit, the usual first. */
  readonly reaches: readonly [Reach, ...Reach[]];
  readonly effect: (params: Parameters, bounds: Bounds) => Effect;
  readonly state: StateEffect;
  readonly endsBy: Ending;
  /** Of one that makes clocks drift: by how much more than usual, as a share. */
  readonly clockDriftRatio?: (params: Parameters) => number;
  /** Puts it on a target. */
  readonly inject: (environment: Environment, target: Target, params: Parameters) => Promise<void>;
  /** Takes it off again. Safe to call when it was never put on. */
  readonly heal: (environment: Environment, target: Target, params: Parameters) => Promise<void>;
  /** How the lab looks at an instance to see it: one look, within `msMax`. Through its store link when it says nothing. */
  readonly look?: (environment: Environment, target: Target, msMax: number) => Promise<Ping>;
  /** What the lab asks through a store link to see it; a PING when it says nothing. */
  readonly probe?: readonly string[];
  /** Of a fault that comes and goes: the probe is repeated for so long, and its slowest answer counts. */
  readonly lookMs?: (params: Parameters) => number;
  /** Of a fault that some connections escape: how many the lab looks through, so that one of them is hit. */
  readonly looks?: (params: Parameters) => number;
  /** Whether the probe through a faulted store link, the quickest of several, ended as only this fault makes it end. */
  readonly bites: (ping: Ping, params: Parameters) => boolean;
  /** What was broken, as a sentence without its full stop. */
  readonly describe: (params: Parameters) => string;
}

/** What a fault is put on: an instance, or a link of it; or, without an instance, the store that all share, or who observes them. */
export interface Target {
  readonly name: string;
  readonly instance: Instance | undefined;
  /** What of the instance, or who observes it; its store link, or the store, when undefined. */
  readonly at?: 'front-link' | 'instance' | 'observer';
}

/** A fault with its parameters, ready to be put on. */
export interface Fault {
  readonly kind: string;
  readonly needs: readonly Lever[];
  readonly reaches: readonly [Reach, ...Reach[]];
  readonly facts: (bounds: Bounds, reach?: Reach) => FaultFacts;
  /** By so much more than usual it makes clocks drift. */
  readonly clockDriftRatio: number;
  readonly inject: (environment: Environment, target: Target) => Promise<void>;
  readonly heal: (environment: Environment, target: Target) => Promise<void>;
  readonly look: FaultDefinition<unknown>['look'] | undefined;
  readonly probe: readonly string[] | undefined;
  readonly lookMs: number | undefined;
  /** How many connections the lab looks through; undefined where the fault is on all. */
  readonly looks: number | undefined;
  readonly bites: (ping: Ping) => boolean;
}

/** A kind of fault, which makes faults from what scenarios say. Throws a `LabError` that names every mistake in that. */
export interface FaultKind {
  readonly kind: string;
  readonly examples: readonly FaultSpec[];
  readonly of: (spec: FaultSpec) => Fault;
}

export function defineFault<Parameters>(definition: FaultDefinition<Parameters>): FaultKind {
  const {
    kind,
    params,
    examples,
    needs,
    reaches,
    effect,
    state,
    endsBy,
    clockDriftRatio,
    inject,
    heal,
    look,
    probe,
    lookMs,
    looks,
    bites,
    describe,
  } = definition;
  return {
    kind,
    examples: examples.map((example) => ({ kind, ...example })),
    of({ kind: _, ...given }) {
      const parsed = params.safeParse(given);
      if (!parsed.success) throw new LabError(`fault ${kind}: ${mistakesIn(parsed.error)}`);
      const parameters = parsed.data;
      return {
        kind,
        needs,
        reaches,
        facts: (bounds, reach = reaches[0]) => ({
          ...{ fault: kind, effect: effect(parameters, bounds), state, endsBy, reach },
          description: describe(parameters),
        }),
        clockDriftRatio: clockDriftRatio?.(parameters) ?? 0,
        inject: (environment, target) => inject(environment, target, parameters),
        heal: (environment, target) => heal(environment, target, parameters),
        look,
        probe,
        lookMs: lookMs?.(parameters),
        looks: looks?.(parameters),
        bites: (ping) => bites(ping, parameters),
      };
    },
  };
}

/** Of a fault that takes nothing beside its kind. */
export const nothing = z.strictObject({});

/** The instances that faults are put on. */
export function faulted(environment: Environment): Instance[] {
  return environment.instances.filter(({ control }) => !control);
}

/** What a fault of that reach is put on, by name. */
export function targetNamesOf(reach: Reach, instances: readonly Pick<Instance, 'name' | 'control'>[]): string[] {
  const links = instances.filter(({ control }) => !control).map(({ name }) => name);
  switch (reach) {
    case 'store-links':
    case 'front-links':
      return links;
    case 'one-store-link':
    case 'one-front-link':
    case 'one-instance':
      return links.slice(0, 1);
    case 'observers':
      return [observerName];
    case 'one-shard':
    case 'shared-store':
      return [sharedStoreName];
    default:
      return reach satisfies never;
  }
}

/** What a fault of that reach is put on. */
export function targetsOf(reach: Reach, { instances }: Pick<Environment, 'instances'>): Target[] {
  const byName = (name: string) => instances.find((instance) => instance.name === name);
  return targetNamesOf(reach, instances).map((name) => ({ name, instance: byName(name), ...placeOf(reach) }));
}

function placeOf(reach: Reach): Pick<Target, 'at'> {
  if (reach === 'one-instance') return { at: 'instance' };
  if (reach === 'observers') return { at: 'observer' };
  return reach === 'front-links' || reach === 'one-front-link' ? { at: 'front-link' } : {};
}

function mistakesIn({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => `${path.length > 0 ? `${path.join('.')}: ` : ''}${message}`).join('; ');
}
