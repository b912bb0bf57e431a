// A limiter of an application's: an engine that is asked by a policy's name, or by limits.

import { capacityMax } from '../config/limit-text.ts';
import type { Limit } from '../core/limit.ts';
import { type Take, takeOf } from '../core/store.ts';
import { bucketKeyOf } from '../doors/bucket-key.ts';
import { shown } from '../doors/json/field-mistakes.ts';
import type { Engine } from '../engine.ts';
import type { Decision, Limiter, LimiterStatus, TakeOptions } from './limiter.ts';
import { asSeen, isMapping, standardPolicy } from './limits-option.ts';
import { type OpenEngine, openEngine } from './open-engine.ts';
import type { LimiterSettings } from './options.ts';
import { ClosedError, OptionsError } from './options-error.ts';

/** Of `TakeOptions`. A misspelled one would mean other limits than the application wants. */
const fieldNames: readonly string[] = ['cost', 'policy', 'limits'] satisfies (keyof TakeOptions)[];

export class EngineLimiter implements Limiter {
  readonly #settings: LimiterSettings;
  readonly #opened: OpenEngine;
  readonly #engine: Engine;
  /** Of the policy that is meant where a take names none. */
  readonly #standard: readonly Limit[] | undefined;
  #isClosed = false;

  constructor(settings: LimiterSettings) {
    const { policies } = settings;
    this.#settings = settings;
    this.#standard = policies.get(standardPolicy) ?? (policies.size === 1 ? [...policies.values()][0] : undefined);
    this.#opened = openEngine(settings);
    this.#engine = this.#opened.engine;
  }

  take(key: string, options?: TakeOptions): Promise<Decision> {
    try {
      return Promise.resolve(this.#engine.limiter.decide(this.#takeOf(key, options)) as Decision | Promise<Decision>);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async look(key: string, options?: TakeOptions): Promise<Decision> {
    return (await this.#engine.buckets.look(this.#takeOf(key, options))) as Decision;
  }

  async reset(key: string, options?: TakeOptions): Promise<Decision> {
    return (await this.#engine.buckets.resetAnyway(this.#takeOf(key, options))) as Decision;
  }

  async refund(key: string, options?: TakeOptions): Promise<Decision> {
    return (await this.#engine.buckets.refundAnyway(this.#takeOf(key, options))) as Decision;
  }

  get status(): LimiterStatus {
    const { mechanism, causes, instances } = this.#engine.readiness();
    return {
      mechanism,
      causes: causes.map(({ shard: redis, reason, message }) => ({ redis, reason, message })),
      instances,
    };
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#opened.close();
  }

  check(options: TakeOptions = {}): void {
    const capacityMin = Math.min(...this.#limitsFor(options).map(({ shared }) => shared.capacity));
    const { cost = 1 } = options;
    if (cost <= capacityMin) return;
    const allowed = `up to ${capacityMin}, the smallest capacity of its limits`;
    throw new OptionsError('take', [`cost is ${cost}; allowed: ${allowed}`]);
  }

  /** Throws for what no take can be. */
  #takeOf(key: string, options: TakeOptions = {}): Take {
    if (this.#isClosed) throw new ClosedError();
    if (typeof key !== 'string' || key === '')
      throw new OptionsError('take', [`key is ${shown(key)}; allowed: a text that is not empty`]);
    return takeOf(this.#limitsFor(options), bucketKeyOf(key), options.cost ?? 1);
  }

  #limitsFor(options: TakeOptions): readonly Limit[] {
    if (!isMapping(options)) {
      const allowed = `an object with the fields ${fieldNames.join(', ')}`;
      throw new OptionsError('take', [`the options is ${shown(asSeen(options))}; allowed: ${allowed}`]);
    }
    const mistakes: string[] = [];
    for (const name in options)
      if (!fieldNames.includes(name)) mistakes.push(`${name} is no field; allowed: ${fieldNames.join(', ')}`);
    const { cost = 1, policy, limits } = options;
    if (!Number.isInteger(cost) || cost < 1 || cost > capacityMax)
      mistakes.push(`cost is ${shown(cost)}; allowed: a whole number from 1 to ${capacityMax}`);
    if (policy !== undefined && limits !== undefined)
      mistakes.push('policy and limits are both there; allowed: one of them');
    const found = limits === undefined ? this.#limitsOf(policy, mistakes) : this.#settings.ownLimits.of(limits);
    if (mistakes.length > 0 || !found) throw new OptionsError('take', mistakes);
    return found;
  }

  #limitsOf(policy: string | undefined, mistakes: string[]): readonly Limit[] | undefined {
    const { policies } = this.#settings;
    const found = policy === undefined ? this.#standard : policies.get(policy);
    if (found) return found;
    const known = [...policies.keys()].join(', ');
    const allowed = known === '' ? 'none, since the limiter has no policies; limits may be given' : `one of ${known}`;
    mistakes.push(`policy is ${shown(policy)}; allowed: ${allowed}`);
    return undefined;
  }
}
