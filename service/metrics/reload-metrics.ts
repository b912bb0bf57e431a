// What is counted of policies and rules that are read again: by the process that reads them.

import { Counter, Gauge, type Registry } from 'prom-client';

/** How often something was read again, and what is in force. */
export interface Reloads {
  readonly accepted: number;
  readonly refused: number;
  /** Whether what was read last is in force; else it was refused. */
  readonly isLastAccepted: boolean;
  /** When what is in force was read, in seconds of Unix time. */
  readonly loadedAt: number;
  /** Of what is in force: a whole number that is the same where it is. */
  readonly hash: number;
}

/** Something that is read again. */
export interface Reloaded {
  readonly name: 'policies' | 'rules';
  /** Asked when the page is. */
  readonly reloads: Reloads;
}

export function countReloads(reloaded: Reloaded, registry: Registry): void {
  const { name } = reloaded;
  const registers = [registry];
  new Counter({
    name: `rate_limit_${name}_reloads_total`,
    help: `Times that the ${name} were read again, by what became of it.`,
    labelNames: ['result'],
    registers,
    collect() {
      this.reset();
      const { accepted, refused } = reloaded.reloads;
      this.inc({ result: 'accepted' }, accepted);
      this.inc({ result: 'refused' }, refused);
    },
  });
  new Gauge({
    name: `rate_limit_${name}_last_reload_successful`,
    help: '1 when what was read last is in force, 0 when it was refused.',
    registers,
    collect() {
      this.set(reloaded.reloads.isLastAccepted ? 1 : 0);
    },
  });
  new Gauge({
    name: `rate_limit_${name}_loaded_timestamp_seconds`,
    help: `When the ${name} in force were read.`,
    registers,
    collect() {
      this.set(reloaded.reloads.loadedAt);
    },
  });
  new Gauge({
    name: `rate_limit_${name}_hash`,
    help: `Of the ${name} in force: instances with the same number have the same ${name}.`,
    registers,
    collect() {
      this.set(reloaded.reloads.hash);
    },
  });
}
