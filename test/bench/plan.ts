// How long a benchmark measures, and where its figures go.

import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';

export interface Plan {
  readonly rounds: number;
  /** Of one measurement. */
  readonly seconds: number;
  /** Before the first measurement, of each contender: what runs once a batch is compiled only after 10 s of load. */
  readonly warmUpS: number;
  /** Directory for the results. */
  readonly out: string;
}

/** Leaves the figures in a file, with the machine and the plan that they are of, and says where. `kind`: part of its name. */
export function leaveResults({ rounds, seconds, warmUpS, out }: Plan, kind: string, figures: object): void {
  mkdirSync(out, { recursive: true });
  const at = new Date();
  const file = join(out, `bench-${kind}${at.toISOString().replace(/[-:]|\.\d+/g, '')}.json`);
  const result = {
    at: at.toISOString(),
    cpu: `${cpus().length} × ${cpus()[0]?.model}`,
    loadAverage: loadavg(),
    node: process.version,
    rounds,
    seconds,
    warmUpS,
    ...figures,
  };
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  process.stdout.write(`\nLoad average ${loadAverage()}\n${file}\n`);
}

/** Of the last minute: how many wanted a core at a time. */
function loadAverage(): string {
  return `${loadavg()[0]?.toFixed(1)} on ${cpus().length} cores`;
}
