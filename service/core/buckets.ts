// What is done with buckets besides takes: they are looked at, filled again, or given back what one take cost.
//
//   look            ─▶ breaker closed? ─ yes ─▶ store ─▶ debts            no, or no answer in time: the fallback's
//   reset, refund   ─▶ breaker closed? ─ yes ─▶ store ─▶ what is remembered here and beside follows        else: rejected
//
// None of it moves a breaker: only takes say whether the store is fit for takes.

import { decisionOfTake } from './decision.ts';
import type { ForgivenDebt, GiveBack, GivenBack } from './give-back.ts';
import type { Limiter } from './limiter.ts';
import type { LocalStore } from './local-store.ts';
import type { Topology } from './shard.ts';
import { type Decision, type Mechanism, StoreError, type Take } from './store.ts';
import { costUsOf, holds } from './token-bucket.ts';

export interface BucketsParts {
  readonly topology: Topology;
  readonly fallback: LocalStore;
  readonly limiter: Pick<Limiter, 'lookLocally' | 'remembered'>;
  /** Told what was given back, so that processes that remember the same buckets `forgive` it too; never rejects. */
  readonly onForgiven: (debts: readonly ForgivenDebt[]) => Promise<void>;
}

export interface Refund {
  /** No refund of the same id has been before. */
  readonly isNew: boolean;
  /** What the take would be told now. */
  readonly decision: Decision;
}

export class Buckets {
  readonly #parts: BucketsParts;

  constructor(parts: BucketsParts) {
    this.#parts = parts;
  }

  /**
   * What the take would be told, with the tokens that are there now: takes nothing, and counts nowhere. Rejects only on a
   * defect of ours.
   */
  async look(take: Take): Promise<Decision> {
    try {
      const { debtsUs, mechanism } = await this.#giveBack({ take, amount: 'nothing' });
      return decisionNow(take, debtsUs, mechanism);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return this.#parts.limiter.lookLocally(take, error);
    }
  }

  /**
   * What the take would be told by this instance, which may remember a denial that is no longer true: takes nothing. Rejects
   * as `look` does.
   */
  async foresee(take: Take): Promise<Decision> {
    return this.#parts.limiter.remembered(take) ?? this.look(take);
  }

  /**
   * Gives the take's buckets all their tokens: in the store, and where this instance remembers them. Resolves to what the
   * take would be told now. Other instances may repeat a denial for as long as they told its client to wait. Rejects with a `StoreError` when the store may not have
   * heard of it; then nothing has changed here.
   */
  async reset(take: Take): Promise<Decision> {
    const { debtsUs, mechanism } = await this.#giveBack({ take, amount: 'all' });
    await this.#forgiven(take.charges.map(({ bucket }) => ({ bucket, us: Number.POSITIVE_INFINITY })));
    return decisionNow(take, debtsUs, mechanism);
  }

  /**
   * Gives the cost of the take back to its buckets, once for each `id`, where there is one. Rejects as `reset` does; then it
   * can be tried again with the same id.
   */
  async refund(take: Take, id?: string): Promise<Refund> {
    const { isNew, debtsUs, mechanism } = await this.#giveBack({
      take,
      amount: 'cost',
      ...(id === undefined ? {} : { id }),
    });
    if (isNew) await this.#forgiven(costsOf(take));
    return { isNew, decision: decisionNow(take, debtsUs, mechanism) };
  }

  /**
   * Gives the take's buckets all their tokens where takes are decided now: in the store or, while that does not answer, in
   * this instance alone. Resolves to what the take would be told then. Rejects only on a defect of ours.
   */
  async resetAnyway(take: Take): Promise<Decision> {
    try {
      return await this.reset(take);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      await this.#forgiven(take.charges.map(({ bucket }) => ({ bucket, us: Number.POSITIVE_INFINITY })));
      return this.#parts.limiter.lookLocally(take, error);
    }
  }

  /** Gives the cost of the take back where takes are decided now, as `resetAnyway`; once more each time that it is called. */
  async refundAnyway(take: Take): Promise<Decision> {
    try {
      return (await this.refund(take)).decision;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      await this.#forgiven(costsOf(take));
      for (const charge of take.charges) this.#parts.fallback.giveBack(charge);
      return this.#parts.limiter.lookLocally(take, error);
    }
  }

  /** The store has given tokens back: what is remembered here of the buckets follows. */
  async forgive(debts: readonly ForgivenDebt[]): Promise<void> {
    await new Promise(setImmediate); // what the store answered before is remembered by then
    const { topology, fallback } = this.#parts;
    for (const debt of debts) {
      for (const { last } of topology.shards) last.forgive(debt);
      if (debt.us === Number.POSITIVE_INFINITY) fallback.forget(debt.bucket);
    }
  }

  async #giveBack(giveBack: GiveBack): Promise<GivenBack & { readonly mechanism: Mechanism }> {
    const shard = this.#parts.topology.shardOf(giveBack.take.key);
    if (!shard) throw new StoreError('disconnected', 'no store is known for this key');
    const { breaker, store } = shard;
    if (breaker.state !== 'closed') throw new StoreError('disconnected', `the breaker is ${breaker.state}`);
    return { ...(await store.giveBack(giveBack)), mechanism: store.mechanism };
  }

  async #forgiven(debts: readonly ForgivenDebt[]): Promise<void> {
    await this.forgive(debts);
    await this.#parts.onForgiven(debts);
  }
}

/** What the take takes from each of the store's buckets. */
function costsOf({ charges }: Take): ForgivenDebt[] {
  return charges.map(({ limit, bucket, cost }) => ({ bucket, us: costUsOf(limit.shared, cost) }));
}

function decisionNow(take: Take, debtsUs: readonly number[], mechanism: Mechanism): Decision {
  const allowed = take.charges.every(({ limit, cost }, i) => holds(limit.shared, debtsUs[i] as number, cost));
  return decisionOfTake(take, 'shared', allowed, debtsUs, mechanism);
}
