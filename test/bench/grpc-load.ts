// Calls of `ShouldRateLimit` for 10,000 keys over four connections: as many as are answered, or so many a second.

import { setTimeout as sleep } from 'node:timers/promises';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { loadProtocol, rlsServiceName } from '../../service/doors/rls/protocol.ts';
import { GrpcConnection } from './grpc-connection.ts';

export const keyCount = 10_000;
const connectionCount = 4;
/** How long the last answers may take after the last call. */
const overdueMsMax = 10_000;

export interface CallsRun {
  readonly answered: number;
  readonly perSecond: number;
  readonly p99Ms: number;
}

export interface PacedRun {
  /** From when a call was due; of one that is never answered, to when it is given up. */
  readonly p99Ms: number;
  /** Calls that no message answered. */
  readonly failed: number;
}

/** Keeps `underWay` calls under way. Rejects at the first one that is not answered. */
export async function callsOf(port: number, underWay: number, seconds: number, signal: AbortSignal): Promise<CallsRun> {
  const { connections, next } = clientOf(port);
  const { promise: failed, reject } = Promise.withResolvers<never>();
  const latenciesMs: number[] = [];
  const callIn = (connection: GrpcConnection) => {
    const sentMs = performance.now();
    connection.call(next(), (error) => {
      if (error) return reject(error);
      latenciesMs.push(performance.now() - sentMs);
      callIn(connection);
    });
  };
  const startedMs = performance.now();
  for (let i = 0; i < underWay; i++) callIn(connections[i % connectionCount] as GrpcConnection);
  try {
    await Promise.race([sleep(seconds * 1000, undefined, { signal }), failed]);
  } finally {
    for (const connection of connections) connection.close();
  }
  const answered = latenciesMs.length;
  const perSecond = (1000 * answered) / (performance.now() - startedMs);
  return { answered, perSecond, p99Ms: p99Of(latenciesMs) };
}

/** Sends so many a second, whatever is answered. `onSent` is called when the last is sent. */
export async function callsAt(
  port: number,
  perSecond: number,
  seconds: number,
  onSent: () => void,
  signal: AbortSignal,
): Promise<PacedRun> {
  const { connections, next } = clientOf(port);
  const latenciesMs: number[] = [];
  const { promise: allAnswered, resolve } = Promise.withResolvers<void>();
  const count = perSecond * seconds;
  const waitingSinceMs = new Set<number>();
  let failed = 0;
  const startMs = performance.now();
  const call = (i: number) => {
    const dueMs = startMs + (1000 * i) / perSecond;
    waitingSinceMs.add(dueMs);
    connections[i % connectionCount]?.call(next(), (error) => {
      if (!waitingSinceMs.delete(dueMs)) return; // the connection told of its end twice
      if (error) failed++;
      latenciesMs.push(performance.now() - dueMs);
      if (latenciesMs.length === count) resolve();
    });
  };
  try {
    for (let sent = 0; sent < count; await sleep(1, undefined, { signal })) {
      const due = Math.min(count, ((performance.now() - startMs) * perSecond) / 1000);
      for (; sent < due; sent++) call(sent);
    }
    onSent();
    await Promise.race([allAnswered, sleep(overdueMsMax, undefined, { signal })]);
  } finally {
    for (const connection of connections) connection.close();
  }
  const nowMs = performance.now();
  const givenUpMs = [...waitingSinceMs].map((dueMs) => nowMs - dueMs);
  return { p99Ms: p99Of([...latenciesMs, ...givenUpMs]), failed: failed + givenUpMs.length };
}

/** `next`: the message for the next key. */
function clientOf(port: number) {
  const service = loadProtocol()[rlsServiceName] as ServiceDefinition;
  const { path, requestSerialize } = service.ShouldRateLimit as MethodDefinition<object, unknown>;
  const messages = Array.from({ length: keyCount }, (_, i) =>
    requestSerialize({ domain: 'bench', descriptors: [{ entries: [{ key: 'key', value: `key-${i}` }] }] }),
  );
  let sent = 0;
  return {
    connections: Array.from({ length: connectionCount }, () => new GrpcConnection(port, path)),
    next: () => messages[sent++ % keyCount] as Buffer,
  };
}

function p99Of(latenciesMs: number[]): number {
  const sorted = latenciesMs.toSorted((one, other) => one - other);
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.NaN;
}
