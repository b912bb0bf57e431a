// How far a simulation is: one line that is rewritten, on a terminal only.

import type { Observer } from '../chaos/simulation/observer.ts';

const everyNs = 250_000_000n;
/** The clock is asked once in so many answers. */
const answersEach = 1000;

export class SimProgress implements Observer {
  readonly #stream: NodeJS.WriteStream;
  readonly #seeds: number;
  readonly #minutes: number;
  #seed = 0;
  #answers = 0;
  #answersShown = 0;
  /** Of this machine: JavaScript's other clocks are the simulation's meanwhile. */
  #shownNs = process.hrtime.bigint();

  constructor({ seeds, minutes }: { readonly seeds: number; readonly minutes: number }, stream: NodeJS.WriteStream) {
    this.#seeds = seeds;
    this.#minutes = minutes;
    this.#stream = stream;
  }

  /** The next world begins. */
  begin(): void {
    this.#seed++;
  }

  answered({ receivedMs }: { readonly receivedMs: number }): void {
    if (++this.#answers % answersEach !== 0) return;
    const nowNs = process.hrtime.bigint();
    const passedNs = nowNs - this.#shownNs;
    if (passedNs < everyNs) return;
    const perSecond = ((this.#answers - this.#answersShown) * 1e9) / Number(passedNs);
    [this.#shownNs, this.#answersShown] = [nowNs, this.#answers];
    const minute = (receivedMs / 60_000).toFixed(1);
    this.#rewrite(
      `seed ${this.#seed} of ${this.#seeds}, minute ${minute} of ${this.#minutes}, ${Math.round(perSecond)} takes/s`,
    );
  }

  clear(): void {
    this.#rewrite('');
  }

  #rewrite(text: string): void {
    if (this.#stream.isTTY) this.#stream.write(`\r\u001b[2K${text.slice(0, (this.#stream.columns || 80) - 1)}`);
  }
}
