// What a line of an undo record may say. It is written by the lab, and read by whoever puts things right later: by then
// anything may stand there, so each shape admits what the lab itself makes and nothing else.

import { z } from 'zod';
import { namespaceName } from './namespace.ts';

/** Of whoever writes the record: the first line. While it lives, nothing is put right. */
export const runnerLine = z.strictObject({
  kind: z.literal('runner'),
  pid: z.int().min(2).max(0x7fffffff),
  startedAt: z.string().max(100),
});

export const undoEntry = z.discriminatedUnion('kind', [
  /** A child of the runner. It holds the record open. */
  z.strictObject({
    kind: z.literal('process'),
    name: z.string().min(1).max(200),
    pid: z.int().min(2).max(0x7fffffff),
    startedAt: z.string().max(100),
  }),
  /** Temporary; the record's own name is part of its name. */
  z.strictObject({ kind: z.literal('directory'), path: z.string().min(1).max(4096) }),
  /** Of the network; the record's own number is its name's. */
  z.strictObject({ kind: z.literal('namespace'), name: z.string().regex(namespaceName) }),
  /** Of a target for a stack's Prometheus. */
  z.strictObject({ kind: z.literal('file'), path: z.string().min(1).max(4096) }),
  /** Containers and networks of ours: all that bear the label. */
  z.strictObject({
    kind: z.literal('labelled'),
    label: z.strictObject({ name: z.literal('failopen.run'), value: z.string().regex(/^[0-9a-f]{16}$/) }),
  }),
  /** A container that is not ours and that we break: it must run, with the settings of this digest. */
  z.strictObject({
    kind: z.literal('container'),
    name: z.literal('redis'),
    id: z.string().regex(/^[0-9a-f]{64}$/),
    settings: z.string().regex(/^[0-9a-f]{64}$/),
  }),
  /** A Toxiproxy that is not ours: its `links` get toxics, and the `proxies` are our own. */
  z.strictObject({
    kind: z.literal('toxiproxy'),
    url: z.string().regex(/^http:\/\/(127\.0\.0\.1|localhost|\[::1\]):\d{1,5}$/, 'must be http://127.0.0.1:PORT'),
    links: z.array(z.string().regex(/^limiter-\d{1,3}-store$/)).max(100),
    proxies: z.array(z.string().regex(/^(lab|limiter-control-(store|front))$/)).max(100),
  }),
]);

export type RunnerLine = z.infer<typeof runnerLine>;
export type UndoEntry = z.infer<typeof undoEntry>;
