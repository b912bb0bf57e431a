// The shared buckets behind one connection: every take of a call in one run of token-bucket.lua, within one deadline.
//
//   decideMany ──▶ token-bucket.lua ──▶ decisions
//   giveBack   ──▶ give-back.lua
//
// With Redis Cluster the keys of one script must share a slot, so there is one run for each hash tag among the takes.

import type { GiveBack, GivenBack } from '../core/give-back.ts';
import { type BatchStore, type Outcome, StoreError, type Take } from '../core/store.ts';
import { storeErrorOf } from './errors.ts';
import { giveBackCall, givenBackOf, idNameOf } from './give-back.ts';
import { outcomesOf, type ScriptReply, scriptReplyOf } from './reply.ts';
import { scriptIn } from './script.ts';
import { isOnTheMove, ScriptRunner, type ScriptRunnerOptions } from './script-runner.ts';
import { shapeArgumentsOf } from './shapes.ts';
import { type Group, probeIn, SlotGroups } from './slot-groups.ts';

const script = scriptIn('./token-bucket.lua');

export interface RedisStoreOptions extends ScriptRunnerOptions {
  /** What stands for a key in Redis; without it, the key itself. */
  readonly hashKey?: (key: string) => string;
  /** With Redis Cluster: the hash tag of a key, and one that leads to this store's master now. */
  readonly tags?: { readonly of: (key: string) => string; readonly probe: () => string };
}

/** A group's fate: Redis's reply, or why there is none. */
type Run =
  | { readonly group: Group; readonly reply: ScriptReply; readonly error?: undefined }
  | { readonly group: Group; readonly reply?: undefined; readonly error: StoreError };

export class RedisStore implements BatchStore {
  readonly mechanism = 'redis';
  readonly #options: RedisStoreOptions;
  readonly #groups: SlotGroups;
  readonly #scripts: ScriptRunner;
  /** Why takes cannot be sent; undefined when they can. */
  #down: StoreError | undefined = new StoreError('disconnected', 'not connected yet');

  constructor(options: RedisStoreOptions) {
    this.#options = options;
    const { tags, hashKey, nowUs } = options;
    this.#groups = new SlotGroups({ tagOf: tags?.of, hashKey, nowUs });
    this.#scripts = new ScriptRunner(options);
  }

  /** Whether takes can be sent at all. */
  get ready(): boolean {
    return this.#down === undefined;
  }

  /**
   * There is a connection, perhaps to another Redis with another clock: learns it before the first take needs it.
   * Takes are sent when this resolves, to why Redis did not answer a probe, if it didn't; it never rejects.
   */
  async connected(): Promise<StoreError | undefined> {
    this.#scripts.forgetClock();
    const lostBefore = this.#down;
    const refused = await this.#probe().then(
      () => undefined,
      (error) => {
        const why = storeErrorOf(error);
        this.#scripts.clockUnknown(why);
        return why;
      },
    );
    if (this.#down === lostBefore) this.#down = undefined;
    return refused;
  }

  /** The connection is gone; takes fail at once, for this reason. */
  lost(error: unknown): void {
    const { reason, message } = storeErrorOf(error);
    this.#down = new StoreError(reason, message);
  }

  async decideMany(takes: readonly Take[]): Promise<Outcome[]> {
    this.#assertUp();
    const untilUs = this.#scripts.untilUs();
    const groups = this.#groups.of(takes);
    const [first] = groups;
    const runs =
      groups.length === 1 && first
        ? await this.#runGroup(first, untilUs)
        : (await Promise.all(groups.map((group) => this.#runGroup(group, untilUs)))).flat();
    const [only] = runs;
    if (runs.length === 1 && only?.reply) return outcomesOf(only.reply, takes, this.mechanism);
    const failed = runs.find((run) => run.error !== undefined);
    if (failed && runs.every(({ error }) => error !== undefined)) throw failed.error;
    const outcomes: Outcome[] = [];
    for (const { group, reply, error } of runs) {
      const ofGroup = error ? group.at.map(() => error) : outcomesOf(reply, group.takes, this.mechanism);
      for (const [i, at] of group.at.entries()) outcomes[at] = ofGroup[i] as Outcome;
    }
    return outcomes;
  }

  /**
   * One take that costs nothing, of a bucket that is nobody's: resolves when Redis would answer takes within the deadline.
   * It writes, so that a Redis that refuses writes (READONLY, OOM, MISCONF) does not look healthy.
   */
  async probe(): Promise<void> {
    this.#assertUp();
    await this.#probe();
  }

  async #probe(): Promise<void> {
    await this.#run(probeIn(this.#options.tags?.probe()), this.#scripts.untilUs());
  }

  /** Gives tokens back. Rejects with a `StoreError` when Redis did not say within the deadline that it did. */
  async giveBack(giveBack: GiveBack): Promise<GivenBack> {
    this.#assertUp();
    const { take, id } = giveBack;
    const names = this.#groups.namesOf(take);
    const idNames = id === undefined ? [] : [this.#groups.nameBeside(take, idNameOf(id, this.#groups.ownerOf(take)))];
    const call = giveBackCall(giveBack, [...names, ...idNames]);
    return givenBackOf(await this.#scripts.run(call, this.#scripts.untilUs()));
  }

  #assertUp(): void {
    if (this.#down) throw new StoreError(this.#down.reason, this.#down.message);
  }

  /** Never rejects. A group whose slot is on the move goes again, key by key: the script did not run. */
  async #runGroup(group: Group, untilUs: number): Promise<Run[]> {
    try {
      return [{ group, reply: await this.#run(group, untilUs) }];
    } catch (cause) {
      const error = storeErrorOf(cause);
      const apart = isOnTheMove(error) ? this.#groups.apart(group) : [group];
      if (apart.length === 1) return [{ group, error }];
      return (await Promise.all(apart.map((one) => this.#runGroup(one, untilUs)))).flat();
    }
  }

  /** Runs the script for the group. Rejects with a `StoreError` by the deadline `untilUs` at the latest. */
  #run(group: Group, untilUs: number): Promise<ScriptReply> {
    const { names, takes, isProbe } = group;
    return this.#scripts.run(
      {
        script,
        keys: names,
        args: shapeArgumentsOf(takes),
        isProbe,
        replyOf: (reply) => scriptReplyOf(reply, takes),
        onMove: () => this.#groups.keepApart(group),
      },
      untilUs,
    );
  }
}
