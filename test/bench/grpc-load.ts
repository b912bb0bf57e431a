// Calls of `ShouldRateLimit` for 10,000 keys over four connections: as many as are answered, or so many a second.

import { setTimeout as sleep } from 'node:timers/promises';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { callHeaders } from '../../chaos/load/grpc-call.ts';
import { GrpcConnection } from '../../chaos/load/grpc-connection.ts';
import { framed } from '../../chaos/load/rls-messages.ts';
import { loadProtocol, rlsServiceName } from '../../service/doors/rls/protocol.ts';

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
  const { connections, callIn } = clientOf(port);
  const { promise: failed, reject } = Promise.withResolvers<never>();
  const latenciesMs: number[] = [];
  const keepCalling = (connection: number) => {
    const sentMs = performance.now();
    callIn(connection, (error) => {
      if (error) return reject(error);
      latenciesMs.push(performance.now() - sentMs);
      keepCalling(connection);
    });
  };
  const startedMs = performance.now();
  for (let i = 0; i < underWay; i++) keepCalling(i % connectionCount);
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
  const { connections, callIn } = clientOf(port);
  const latenciesMs: number[] = [];
  const { promise: allAnswered, resolve } = Promise.withResolvers<void>();
  const count = perSecond * seconds;
  const waitingSinceMs = new Set<number>();
  let failed = 0;
  const startMs = performance.now();
  const call = (i: number) => {
    const dueMs = startMs + (1000 * i) / perSecond;
    waitingSinceMs.add(dueMs);
    callIn(i % connectionCount, (error) => {
      waitingSinceMs.delete(dueMs);
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

/** `callIn`: a call for the next key in a connection. `done` is told when it is answered with a message, or why it is not. */
function clientOf(port: number) {
  const service = loadProtocol()[rlsServiceName] as ServiceDefinition;
  const { path, requestSerialize } = service.ShouldRateLimit as MethodDefinition<object, unknown>;
  const messages = Array.from({ length: keyCount }, (_, i) =>
    framed(requestSerialize({ domain: 'bench', descriptors: [{ entries: [{ key: 'key', value: `key-${i}` }] }] })),
  );
  const url = `http://127.0.0.1:${port}`;
  const headers = callHeaders(url, path);
  const connections = Array.from({ length: connectionCount }, () => new GrpcConnection(url, overdueMsMax));
  let sent = 0;
  const callIn = (connection: number, done: (error?: Error) => void) =>
    connections[connection]?.call(headers, messages[sent++ % keyCount] as Buffer, (end) => {
      if (end.status === undefined) done(new Error(end.error));
      else if (end.status !== '0') done(new Error(`gRPC status ${end.status}: ${end.text}`));
      else if (end.body.length === 0) done(new Error('the call was not answered with a message'));
      else done();
    });
  return { connections, callIn };
}

function p99Of(latenciesMs: number[]): number {
  const sorted = latenciesMs.toSorted((one, other) => one - other);
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.NaN;
}
