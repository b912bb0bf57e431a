// What is counted by policy. Its names come from a file of the operator's, so the number of series is known at the start.

import { Counter, type Registry } from 'prom-client';
import type { Decision } from '../core/store.ts';

/** Names of policies. */
export interface PolicyNames {
  readonly all: readonly string[];
  /** Those that are only tried out, and those with a candidate. */
  readonly shadow: readonly string[];
}

const statuses = ['allowed', 'blocked'] as const;

export class PolicyMetrics {
  readonly #shadow: Counter;
  readonly #mistakes: Counter;

  #all: readonly string[] = [];
  #tried: ReadonlySet<string> = new Set();

  constructor(names: PolicyNames, registry: Registry) {
    this.#shadow = new Counter({
      name: 'rate_limit_shadow_requests_total',
      help: 'Decisions of what is only tried out: a policy that is a shadow, or the candidate of one.',
      labelNames: ['policy', 'status'],
      registers: [registry],
    });
    this.#mistakes = new Counter({
      name: 'rate_limit_request_mistakes_total',
      help: 'Requests that a policy could not count: without its key, or with a cost that is not allowed.',
      labelNames: ['policy'],
      registers: [registry],
    });
    this.names = names;
  }

  /** Those that are counted from now on. The series of others end, so that there are never more than there are policies. */
  set names({ all, shadow }: PolicyNames) {
    for (const policy of this.#all) if (!all.includes(policy)) this.#mistakes.remove({ policy });
    for (const policy of this.#tried)
      if (!shadow.includes(policy)) for (const status of statuses) this.#shadow.remove({ policy, status });
    for (const policy of all) this.#mistakes.inc({ policy }, 0);
    for (const policy of shadow) for (const status of statuses) this.#shadow.inc({ policy, status }, 0);
    this.#all = all;
    this.#tried = new Set(shadow);
  }

  /** Of a policy that has gone meanwhile, nothing is counted. */
  shadowDecided(policy: string, { allowed }: Decision): void {
    if (!this.#tried.has(policy)) return;
    this.#shadow.inc({ policy, status: allowed ? 'allowed' : 'blocked' });
  }

  mistaken(policy: string): void {
    this.#mistakes.inc({ policy });
  }
}
