// What is counted by policy. Its names come from a file of the operator's, so the number of series is known at the start.

import { Counter, type Registry } from 'prom-client';
import type { Decision } from '../core/store.ts';

/** Names of policies. */
export interface PolicyNames {
  readonly all: readonly string[];
  /** Those that are only tried out. */
  readonly shadow: readonly string[];
}

export class PolicyMetrics {
  readonly #shadow: Counter;
  readonly #mistakes: Counter;

  constructor({ all, shadow }: PolicyNames, registry: Registry) {
    this.#shadow = new Counter({
      name: 'rate_limit_shadow_requests_total',
      help: 'Decisions of policies that are only tried out.',
      labelNames: ['policy', 'status'],
      registers: [registry],
    });
    this.#mistakes = new Counter({
      name: 'rate_limit_request_mistakes_total',
      help: 'Requests that a policy could not count: without its key, or with a cost that is not allowed.',
      labelNames: ['policy'],
      registers: [registry],
    });
    for (const policy of all) this.#mistakes.inc({ policy }, 0);
    for (const policy of shadow) for (const status of ['allowed', 'blocked']) this.#shadow.inc({ policy, status }, 0);
  }

  shadowDecided(policy: string, { allowed }: Decision): void {
    this.#shadow.inc({ policy, status: allowed ? 'allowed' : 'blocked' });
  }

  mistaken(policy: string): void {
    this.#mistakes.inc({ policy });
  }
}
