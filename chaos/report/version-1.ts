// Reads what a lab of the first version wrote: a run had one fault at the most, named by its kind, and each injection said
// only whether Redis lost its data. What a fault says of itself today is asked of it.

import { faultOf } from '../faults/index.ts';
import type { FaultFacts } from '../history.ts';
import { type Bounds, type FaultSpec, reaches } from '../scenario.ts';

type Line = Readonly<Record<string, unknown>>;

/** Makes lines of version 1 into those of version 2. What it cannot read it leaves as it is. */
export class Version1 {
  readonly #bounds: Bounds;
  readonly #spec: FaultSpec | null;

  constructor(run: Line) {
    this.#bounds = run.bounds as Bounds;
    this.#spec = run.fault as FaultSpec | null;
  }

  upgraded(line: Line): Line {
    if (line.type === 'run') {
      const { fault: _, version: __, instances, ...rest } = line;
      const facts = this.#factsOf(this.#spec);
      // When it was planned was not recorded; the injections tell when it was.
      const schedule = facts ? [{ ...facts, reach: reachOf(facts), atMs: 0, forMs: 0 }] : [];
      return {
        ...rest,
        version: 2,
        gives: ['source', 'remaining', 'breaker'],
        schedule,
        instances: renamed(instances),
      };
    }
    if (line.type === 'fault') {
      const { fault, losesState, ...rest } = line;
      const planned = this.#spec?.kind === fault ? this.#spec : { kind: String(fault) };
      const state = losesState === 'perhaps' ? 'perhaps-lost' : losesState === true ? 'lost' : 'kept';
      const facts = this.#factsOf(planned) ?? unknownFault(String(fault));
      return { ...rest, ...facts, state, reach: reachOf(facts) };
    }
    return line;
  }

  #factsOf(spec: FaultSpec | null): FaultFacts | undefined {
    try {
      return spec ? faultOf(spec).facts(this.#bounds) : undefined;
    } catch {
      return undefined; // a kind, or a parameter, that is no more
    }
  }
}

/** Each injection named an instance, also of what all shared. */
function reachOf({ reach }: FaultFacts): FaultFacts['reach'] {
  return reach === 'shared-store' ? 'store-links' : reach;
}

/** What an instance reports was called what it tells. */
function renamed(instances: unknown): unknown {
  if (!Array.isArray(instances)) return instances;
  return instances.map((instance) => {
    if (typeof instance !== 'object' || instance === null || !('tellsBreaker' in instance)) return instance;
    const { tellsBreaker: reportsBreaker, ...rest } = instance;
    return { ...rest, reportsBreaker };
  });
}

function unknownFault(fault: string): FaultFacts {
  const description = `The fault “${fault}” was in place`;
  return { fault, effect: 'cut-off', state: 'kept', endsBy: 'heal', reach: reaches[0], description };
}
