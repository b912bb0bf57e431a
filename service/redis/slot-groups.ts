// Which takes of a call travel together. With one Redis, all; with Redis Cluster the keys of one script must share a
// slot, so those with the same hash tag. While a slot moves from one master to another even that is refused (TRYAGAIN:
// some of the keys have moved already), so for a while its takes travel in a script for each key, which Redis redirects
// one by one.

import type { Take } from '../core/store.ts';

/** Takes of one script, and where each stands in the call. */
export interface Group {
  /** The hash tag that its keys share; undefined with one Redis. */
  readonly tag: string | undefined;
  readonly keys: string[];
  readonly costs: string[];
  readonly at: number[];
  /** It asks whether the store would answer, and takes nothing. */
  readonly isProbe: boolean;
}

const keyPrefix = 'rl:';
/** How long a slot counts as moving after Redis last said so. Too long costs scripts, too short costs an answer. */
const apartForMs = 10_000;

export class SlotGroups {
  readonly #tagOf: ((key: string) => string) | undefined;
  readonly #nowUs: () => number;
  /** Until when a tag's keys travel each in their own script. */
  readonly #apartUntilUs = new Map<string, number>();

  /** `tagOf`: a key's hash tag, with Redis Cluster. */
  constructor(tagOf: ((key: string) => string) | undefined, nowUs: () => number) {
    this.#tagOf = tagOf;
    this.#nowUs = nowUs;
  }

  /** Groups in the order of their first take; the takes of one key are always in one group, in their order. */
  of(takes: readonly Take[]): Group[] {
    const groups = new Map<string, Group>();
    for (const [i, { key, cost }] of takes.entries()) {
      const tag = this.#tagOf?.(key);
      const name = nameIn(tag, key);
      add(groups, this.#isApart(tag) ? name : (tag ?? ''), tag, name, String(cost), i);
    }
    return [...groups.values()];
  }

  /** The key's name in Redis. */
  nameOf(key: string): string {
    return nameIn(this.#tagOf?.(key), key);
  }

  /** A group for each of the group's keys. */
  apart({ tag, keys, costs, at }: Group): Group[] {
    const groups = new Map<string, Group>();
    for (const [i, name] of keys.entries()) add(groups, name, tag, name, costs[i] as string, at[i] as number);
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

/** One take of a key that is nobody's, in the slot of the tag. */
export function probeIn(tag: string | undefined): Group {
  return { tag, keys: [tag === undefined ? keyPrefix : `${keyPrefix}{${tag}}`], costs: ['0'], at: [0], isProbe: true };
}

function nameIn(tag: string | undefined, key: string): string {
  return tag === undefined ? keyPrefix + key : `${keyPrefix}{${tag}}:${key}`;
}

function add(
  groups: Map<string, Group>,
  id: string,
  tag: string | undefined,
  name: string,
  cost: string,
  at: number,
): void {
  let group = groups.get(id);
  if (!group) {
    group = { tag, keys: [], costs: [], at: [], isProbe: false };
    groups.set(id, group);
  }
  group.keys.push(name);
  group.costs.push(cost);
  group.at.push(at);
}
