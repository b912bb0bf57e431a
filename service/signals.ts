// The signals of the process, heard from its first moment on: one that nobody listens for ends it, and a container's first
// process does not hear it at all. Until the service says what they do, SIGHUP waits, and the others end the process.

type Signal = 'SIGTERM' | 'SIGINT' | 'SIGHUP';

export class Signals {
  #listener: ((signal: Signal) => void) | undefined;
  #wasHungUp = false;

  constructor() {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => this.#hear(signal));
  }

  /** Tells each from now on, and a SIGHUP that has waited. */
  listen(listener: (signal: Signal) => void): void {
    this.#listener = listener;
    if (this.#wasHungUp) listener('SIGHUP');
  }

  #hear(signal: Signal): void {
    if (this.#listener) this.#listener(signal);
    else if (signal === 'SIGHUP') this.#wasHungUp = true;
    else process.exit(0); // as after a stop: nothing was accepted yet
  }
}
