// One Redis of several, and a connection of the lab's own to it, by which a topology is formed and watched.

import { Redis } from 'ioredis';
import { until } from '../clock.ts';
import type { NodeHandle, RedisHandle } from '../environment.ts';
import { LabError } from '../errors.ts';

export interface RedisNode {
  /** Where the lab reaches it. */
  readonly host: string;
  readonly port: number;
  /** `host:port` as the nodes and the limiters know it. */
  readonly address: string;
  /** Commands to a node that is away are rejected at once. */
  readonly admin: Redis;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again, empty, where it was; resolves when it answers. */
  start(): Promise<void>;
}

/** One that is asked, and nothing else done to. */
export type AskedNode = Pick<RedisNode, 'host' | 'port' | 'address' | 'admin'>;

/** What a fault is given of one. */
export function handleOf(node: AskedNode): NodeHandle {
  return { address: node.address, command: commandTo(node) };
}

/** What is said to it. Rejects with what it refuses a command with, or with a `LabError` when it says nothing. */
export function commandTo({
  address,
  admin,
}: Pick<AskedNode, 'address' | 'admin'>): NonNullable<RedisHandle['command']> {
  return (name, ...args) =>
    admin.call(name, ...args).catch((error: Error) => {
      if (error.message !== timedOut) throw error;
      throw new LabError(`Redis at ${address} did not answer ${name} within ${commandMsMax / 1000} s`);
    });
}

/** Arguments of a redis-server that keeps its data nowhere. */
export function serverArgs(settings: Readonly<Record<string, string>>): string[] {
  return argsOf({ save: '', appendonly: 'no', ...settings });
}

/** Of settings that stand twice among the arguments the last counts. */
export function argsOf(settings: Readonly<Record<string, string>>): string[] {
  return Object.entries(settings).flatMap(([option, value]) => [`--${option}`, value]);
}

/** Of Redis and of the lab, which both may be held up on a busy machine: a run must not break for that. */
const commandMsMax = 5000;
/** What ioredis says of a command that took longer. */
const timedOut = 'Command timed out';
const reconnectMs = 250;

/** Connects to a node that is up, and again whenever it comes back. `disconnect()` ends it. */
export async function adminOf(host: string, port: number): Promise<Redis> {
  const admin = new Redis({
    host,
    port,
    lazyConnect: true,
    enableReadyCheck: false, // no INFO; a Sentinel and a cluster without slots are ready for what is asked of them here
    disableClientInfo: true, // no CLIENT SETINFO: Redis before 7.2 answers it with an error
    enableOfflineQueue: false, // what a node that is away cannot tell, it shall not tell later
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    commandTimeout: commandMsMax,
    retryStrategy: () => reconnectMs,
  });
  admin.on('error', () => {}); // not up, or killed: its commands are rejected, which says so
  await admin.connect();
  return admin;
}

/** Resolves when `ask` is true; it may reject while nodes are coming up. */
export async function formed(what: string, msMax: number, ask: () => Promise<boolean>): Promise<void> {
  const done = await until(msMax, 50, () =>
    ask().then(
      (yes) => yes || undefined,
      () => undefined,
    ),
  );
  if (!done) throw new LabError(`${what} did not come together within ${msMax / 1000} s`);
}
