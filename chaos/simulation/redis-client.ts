// In the place of ioredis: a client that keeps one connection and tries again when it breaks, without queues and without
// sending anything twice, as the shipped code has ioredis do. It has what that code uses of ioredis, by the same names.

import { EventEmitter } from 'node:events';
import { Connection } from './connection.ts';
import { kernel, type Link } from './network.ts';
import type { Command, SimulatedRedis } from './redis.ts';
import type { Process } from './virtual-time.ts';

export interface ClientOptions {
  /** Milliseconds until the n-th attempt to connect again. */
  retryStrategy: (attempt: number) => number;
  /** Whether an error that Redis says is a reason to connect again. */
  reconnectOnError: (error: Error) => boolean;
  /** Milliseconds. */
  readonly connectTimeout: number;
}

export interface ClientParts {
  readonly redis: SimulatedRedis;
  readonly link: Link;
  readonly process: Process;
  /** Told of each attempt that Redis accepts. */
  readonly onAccepted: () => void;
}

/** What is to be known of the socket. */
interface Stream {
  destroyed: boolean;
  destroy(error?: Error): void;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class SimulatedClient extends EventEmitter {
  status: 'wait' | 'connecting' | 'ready' | 'close' | 'reconnecting' | 'end' = 'wait';
  readonly options: ClientOptions;
  stream: Stream | undefined;
  connection: Connection | undefined;
  readonly #parts: ClientParts;
  readonly #waiting = new Set<Waiting>();
  #attempts = 0;

  constructor(parts: ClientParts, options: ClientOptions) {
    super();
    this.#parts = parts;
    this.options = options;
  }

  evalsha(script: string, keyCount: number, ...args: string[]): Promise<unknown> {
    return this.#send({ name: 'evalsha', script, keyCount, args });
  }

  eval(script: string, keyCount: number, ...args: string[]): Promise<unknown> {
    return this.#send({ name: 'eval', script, keyCount, args: args.map(String) });
  }

  connect(): void {
    const { redis, link, process } = this.#parts;
    this.status = 'connecting';
    const connection = new Connection({
      redis,
      link,
      process,
      onReset: () => stream.destroy(failure('read ECONNRESET', 'ECONNRESET')),
    });
    const stream: Stream = {
      destroyed: false,
      destroy: (error) => {
        if (stream.destroyed) return;
        stream.destroyed = true;
        connection.close();
        if (error) setImmediate(() => this.emit('error', error));
        setImmediate(() => this.#closed());
      },
    };
    this.stream = stream;
    this.connection = connection;
    const timer = setTimeout(
      () => stream.destroy(failure('connect ETIMEDOUT', 'ETIMEDOUT')),
      this.options.connectTimeout,
    );
    const answered = (happen: () => void) =>
      link.send(link.back, process, () => {
        clearTimeout(timer);
        if (!stream.destroyed) happen();
      });
    link.send(link.there, kernel, () => {
      if (!redis.isUp) {
        answered(() => stream.destroy(failure('connect ECONNREFUSED', 'ECONNREFUSED')));
        return;
      }
      if (stream.destroyed) return;
      redis.connections.add(connection);
      this.#parts.onAccepted();
      answered(() => {
        this.status = 'ready';
        this.emit('connect');
        this.emit('ready');
      });
    });
  }

  /** For good. */
  disconnect(): void {
    this.status = 'end';
    this.stream?.destroy();
  }

  #send(command: Command): Promise<unknown> {
    const { connection, stream } = this;
    if (this.status !== 'ready' || !connection || !stream || stream.destroyed)
      return Promise.reject(new Error("Stream isn't writeable and enableOfflineQueue options is false"));
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { resolve, reject };
      this.#waiting.add(waiting);
      connection.send(command, (result) => {
        if (!this.#waiting.delete(waiting)) return;
        if (!(result instanceof Error)) {
          resolve(result);
          return;
        }
        if (this.options.reconnectOnError(result)) stream.destroy();
        reject(result);
      });
    });
  }

  #closed(): void {
    const isOver = this.status === 'end';
    if (!isOver) this.status = 'close';
    this.emit('close');
    for (const { reject } of this.#waiting)
      reject(new Error('Reached the max retries per request limit (which is 0).'));
    this.#waiting.clear();
    if (isOver) return;
    const inMs = this.options.retryStrategy(++this.#attempts);
    this.status = 'reconnecting';
    setTimeout(() => {
      if (this.status === 'reconnecting') this.connect();
    }, inMs);
  }
}

function failure(message: string, code: string): Error {
  return Object.assign(new Error(message), { code });
}
