// What is counted of a policies file that is read again: by the process that reads it.

import { Counter, Gauge, type Registry } from 'prom-client';

/** How often the file was read again, and what is in force. */
export interface Reloads {
  readonly accepted: number;
  readonly refused: number;
  /** When the policies in force were read, in seconds of Unix time. */
  readonly loadedAt: number;
  /** Of the policies in force: a whole number that is the same where they are. */
  readonly hash: number;
}

/** `reloads` is asked when the page is. */
export function countReloads(reloads: () => Reloads, registry: Registry): void {
  const registers = [registry];
  new Counter({
    name: 'rate_limit_policies_reloads_total',
    help: 'Times that the policies file was read again, by what became of it.',
    labelNames: ['result'],
    registers,
    collect() {
      this.reset();
      const { accepted, refused } = reloads();
      this.inc({ result: 'accepted' }, accepted);
      this.inc({ result: 'refused' }, refused);
    },
  });
  new Gauge({
    name: 'rate_limit_policies_loaded_timestamp_seconds',
    help: 'When the policies in force were read.',
    registers,
    collect() {
      this.set(reloads().loadedAt);
    },
  });
  new Gauge({
    name: 'rate_limit_policies_hash',
    help: 'Of the policies in force: instances with the same number have the same policies.',
    registers,
    collect() {
      this.set(reloads().hash);
    },
  });
}
