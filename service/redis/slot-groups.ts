// Which takes of a call travel together. With one Redis, all; with Redis Cluster the keys of one script must share a
// slot, so those with the same hash tag. While a slot moves from one master to another even that is refused (TRYAGAIN:
// some of the keys have moved already), so for a while its takes travel in a script for each bucket, which Redis
// redirects one by one.

import { createLimit } from '../core/limit.ts';
import { type Take, takeOf } from '../core/store.ts';

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
/** How long a slot counts as moving after Redis last said so. Too long costs scripts, too short costs an answer. */
const apartForMs = 10_000;

export class SlotGroups {
  readonly #tagOf: ((key: string) => string) | undefined;
  readonly #nowUs: () => number;
  /** Until when a tag's buckets travel each in their own script. */
  readonly #apartUntilUs = new Map<string, number>();

  /** `tagOf`: a key's hash tag, with Redis Cluster. */
  constructor(tagOf: ((key: string) => string) | undefined, nowUs: () => number) {
    this.#tagOf = tagOf;
    this.#nowUs = nowUs;
  }

  /** Groups in the order of their first take; the takes of one bucket are always in one group, in their order. */
  of(takes: readonly Take[]): Group[] {
    const groups = new Map<string, Group>();
    for (const [i, take] of takes.entries()) {
      const tag = this.#tagOf?.(take.key);
      add(groups, this.#isApart(tag) ? ownId(take) : (tag ?? ''), tag, take, i);
    }
    return [...groups.values()];
  }

  /** The names in Redis of what belongs to a key. */
  namesOf(key: string, own: readonly string[]): string[] {
    return namesIn(this.#tagOf?.(key), own);
  }

  /** A group for each bucket of the group. */
  apart({ tag, takes, at }: Group): Group[] {
    const groups = new Map<string, Group>();
    for (const [i, take] of takes.entries()) add(groups, ownId(take), tag, take, at[i] as number);
    return [...groups.values()];
  }

  /** Redis says that the slot of this group is on the move. */
  keepApart({ tag }: Group): void {
    if (tag !== undefined) this.#apartUntilUs.set(tag, this.#nowUs() + apartForMs * 1000);
  }

  #isApart(tag: string | undefined): boolean {
    if (tag === undefined || this.#apartUntilUs.size === 0) return false;
    return this.#nowUs() < (this.#apartUntilUs.get(tag) ?? 0);
  }
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

function namesIn(tag: string | undefined, own: readonly string[]): string[] {
  const prefix = tag === undefined ? namePrefix : `${namePrefix}{${tag}}:`;
  return own.map((name) => prefix + name);
}

function add(groups: Map<string, Group>, id: string, tag: string | undefined, take: Take, at: number): void {
  let group = groups.get(id);
  if (!group) {
    group = { tag, takes: [], names: [], at: [], isProbe: false };
    groups.set(id, group);
  }
  group.takes.push(take);
  group.names.push(
    ...namesIn(
      tag,
      take.charges.map(({ bucket }) => bucket),
    ),
  );
  group.at.push(at);
}
