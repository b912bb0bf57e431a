// Which takes of a call travel together. With one Redis, all; with Redis Cluster the keys of one script must share a
// slot, so those with the same hash tag. While a slot moves from one master to another even that is refused (TRYAGAIN:
// some of the keys have moved already), so for a while its takes travel in a script for each bucket, which Redis
// redirects one by one.

import { createLimit } from '../core/limit.ts';
import { type Charge, type Take, takeOf } from '../core/store.ts';

/** Takes of one script, and where each stands in the call. */
export interface Group {
  /** The hash tag that its keys share; undefined with one Redis. */
  readonly tag: string | undefined;
  readonly takes: Take[];
  /** The names in Redis of the buckets of all its takes, one take after another. */
  readonly names: string[];
  readonly at: number[];
  /** It asks whether the store would answer, and takes nothing. */
  readonly isProbe: boolean;
}

const namePrefix = 'rl:';
/** What all names begin with in the slot of a tag; with one Redis, in all of it. */
function prefixIn(tag: string | undefined): string {
  return tag === undefined ? namePrefix : `${namePrefix}{${tag}}:`;
}

/** How long a slot counts as moving after Redis last said so. Too long costs scripts, too short costs an answer. */
const apartForMs = 10_000;

export interface SlotGroupsOptions {
  /** With Redis Cluster: a key's hash tag. */
  readonly tagOf: ((key: string) => string) | undefined;
  /** What stands for a key in the names of its buckets; without it, the key itself. */
  readonly hashKey: ((key: string) => string) | undefined;
  readonly nowUs: () => number;
}

export class SlotGroups {
  readonly #options: SlotGroupsOptions;
  /** Until when a tag's buckets travel each in their own script. */
  readonly #apartUntilUs = new Map<string, number>();

  constructor(options: SlotGroupsOptions) {
    this.#options = options;
  }

  /** Groups in the order of their first take; the takes of one bucket are always in one group, in their order. */
  of(takes: readonly Take[]): Group[] {
    const { tagOf } = this.#options;
    if (!tagOf) {
      const group = emptyGroup(undefined);
      for (let i = 0; i < takes.length; i++) this.#put(group, takes[i] as Take, i);
      return [group];
    }
    const groups = new Map<string, Group>();
    for (const [i, take] of takes.entries()) {
      const tag = tagOf(take.key);
      this.#put(groupIn(groups, this.#isApart(tag) ? ownId(take) : tag, tag), take, i);
    }
    return [...groups.values()];
  }

  /** The names in Redis of the take's buckets. */
  namesOf({ key, charges }: Take): string[] {
    const prefix = prefixIn(this.#options.tagOf?.(key));
    return charges.map((charge) => this.#nameOf(charge, prefix));
  }

  /** Whose buckets the take's are, by which policy, whatever its limits: a reload may put others in their place. */
  ownerOf({ key, charges }: Take): string {
    const { hashKey } = this.#options;
    return `${charges[0]?.limit.policy}/${hashKey ? hashKey(key) : key}`;
  }

  /** A name in the slot of the take's buckets. */
  nameBeside({ key }: Take, text: string): string {
    return prefixIn(this.#options.tagOf?.(key)) + text;
  }

  /** A group for each bucket of the group. */
  apart({ tag, takes, at }: Group): Group[] {
    const groups = new Map<string, Group>();
    for (const [i, take] of takes.entries()) this.#put(groupIn(groups, ownId(take), tag), take, at[i] as number);
    return [...groups.values()];
  }

  /** Redis says that the slot of this group is on the move. */
  keepApart({ tag }: Group): void {
    if (tag !== undefined) this.#apartUntilUs.set(tag, this.#options.nowUs() + apartForMs * 1000);
  }

  #isApart(tag: string): boolean {
    if (this.#apartUntilUs.size === 0) return false;
    return this.#options.nowUs() < (this.#apartUntilUs.get(tag) ?? 0);
  }

  #put({ tag, takes, names, at: places }: Group, take: Take, at: number): void {
    const prefix = prefixIn(tag);
    takes.push(take);
    for (const charge of take.charges) names.push(this.#nameOf(charge, prefix));
    places.push(at);
  }

  #nameOf({ limit, bucket }: Charge, prefix: string): string {
    const { hashKey } = this.#options;
    return hashKey ? prefix + limit.prefix + hashKey(bucket.slice(limit.prefix.length)) : prefix + bucket;
  }
}

function emptyGroup(tag: string | undefined): Group {
  return { tag, takes: [], names: [], at: [], isProbe: false };
}

function groupIn(groups: Map<string, Group>, id: string, tag: string | undefined): Group {
  let group = groups.get(id);
  if (!group) {
    group = emptyGroup(tag);
    groups.set(id, group);
  }
  return group;
}

const nothing = takeOf([createLimit({ name: 'probe', capacity: 1, refillPerSecond: 1 })], '', 0);

/** One take of nothing from a bucket that is nobody's, in the slot of the tag. */
export function probeIn(tag: string | undefined): Group {
  return {
    tag,
    takes: [nothing],
    names: [tag === undefined ? namePrefix : `${namePrefix}{${tag}}`],
    at: [0],
    isProbe: true,
  };
}

/** No hash tag begins like it. */
function ownId({ charges }: Take): string {
  return `:${charges[0]?.bucket}`;
}
