// Clients of Redis that send pipelines, each the next one as soon as its last is answered whole. Commands are made once, and
// of the answers no more than their lines are counted, so that the load costs little beside what it loads.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Pipelines {
  readonly port: number;
  /** Each is sent in one write, one after another, again and again. */
  readonly pipelines: readonly Buffer[];
  /** Commands in each, and lines of the answer to one. */
  readonly commands: number;
  readonly lines: number;
  readonly connections: number;
  readonly seconds: number;
}

export interface PipelinesRun {
  /** Commands. */
  readonly answered: number;
  /** Commands. */
  readonly perSecond: number;
  /** Of a pipeline, from its write to its last answer. */
  readonly p99Ms: number;
}

const lineEnd = 10;

/** Rejects at the first answer that is an error, and at the first connection that is lost. */
export async function pipelinesOf(load: Pipelines, signal: AbortSignal): Promise<PipelinesRun> {
  const { port, pipelines, commands, lines, connections, seconds } = load;
  const sockets = await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true });
      await once(socket, 'connect', { signal });
      return socket;
    }),
  );
  const { promise: failed, reject } = Promise.withResolvers<never>();
  const latenciesMs: number[] = [];
  let sent = 0;
  const run = (socket: Socket) => {
    let sentMs = 0;
    let linesLeft = 0;
    const send = () => {
      sentMs = performance.now();
      linesLeft = commands * lines;
      socket.write(pipelines[sent++ % pipelines.length] as Buffer);
    };
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the server closed the connection')));
    socket.on('data', (chunk: Buffer) => {
      if (chunk[0] === '-'.charCodeAt(0) || chunk.includes('\n-')) reject(new Error(String(chunk.subarray(0, 200))));
      for (let i = 0; i < chunk.length; i++) if (chunk[i] === lineEnd) linesLeft--;
      if (linesLeft > 0) return;
      latenciesMs.push(performance.now() - sentMs);
      send();
    });
    send();
  };
  const startedMs = performance.now();
  for (const socket of sockets) run(socket);
  try {
    await Promise.race([sleep(seconds * 1000, undefined, { signal }), failed]);
  } finally {
    for (const socket of sockets) socket.removeAllListeners('close').destroy();
  }
  const answered = commands * latenciesMs.length;
  const perSecond = (1000 * answered) / (performance.now() - startedMs);
  latenciesMs.sort((one, other) => one - other);
  return { answered, perSecond, p99Ms: latenciesMs[Math.ceil(latenciesMs.length * 0.99) - 1] ?? Number.NaN };
}

/** A command as a client sends it. */
export function commandOf(...words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}
