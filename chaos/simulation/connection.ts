// One TCP connection of an instance to Redis, with what each side takes it for: either may have forgotten it while the
// other has not.

import { Lane, type Link } from './network.ts';
import type { Command, Peer, SimulatedRedis } from './redis.ts';
import type { Process } from './virtual-time.ts';

export interface ConnectionOptions {
  readonly redis: SimulatedRedis;
  readonly link: Link;
  /** The instance's. */
  readonly process: Process;
  /** The other side ended it. */
  readonly onReset: () => void;
}

export class Connection implements Peer {
  readonly process: Process;
  /** Something on the way has forgotten it, and drops its packets without a word. */
  isForgotten = false;
  readonly #options: ConnectionOptions;
  readonly #there: Lane;
  readonly #back: Lane;
  #isOpen = true;

  constructor(options: ConnectionOptions) {
    const { redis, link, process } = options;
    this.#options = options;
    this.process = process;
    this.#there = new Lane(link, link.there, redis.process);
    this.#back = new Lane(link, link.back, process);
  }

  send(command: Command, reply: (result: unknown) => void): void {
    const { redis, link } = this.#options;
    const sentUs = link.time.nowUs;
    this.#there.send(() => {
      if (this.isForgotten) return;
      if (!redis.connections.has(this)) this.resetByServer();
      else redis.receive(command, sentUs, this, (result) => this.#back.send(() => this.#isHeard && reply(result)));
    });
  }

  /** The instance ends it. */
  close(): void {
    const { redis, link } = this.#options;
    this.#isOpen = false;
    this.#there.close();
    this.#back.close();
    link.send(link.there, redis.process, () => redis.connections.delete(this));
  }

  resetByServer(): void {
    const { link } = this.#options;
    if (this.isForgotten) return;
    link.send(link.back, this.process, () => this.#isHeard && this.#options.onReset());
  }

  /** Whether what arrives here still means something. */
  get #isHeard(): boolean {
    return this.#isOpen && !this.isForgotten;
  }
}
