// What the lab knows of a limiter under test: how it is started, how a take is asked for, and how its answer is read. All
// of it is data, so that it can be sent to the load generator, and be written in a file by somebody else.

import type { Reportable, SourceKind } from '../history.ts';
import { type Bounds, type Topology, topologies, type WithoutStore } from '../scenario.ts';

/** The header in which clients send the key, unless a target says otherwise. */
export const keyHeader = 'x-key';

export interface Target {
  readonly name: string;
  readonly start: Start;
  /** Over what every limiter is told. In a value `{redis}`, `{host}` and `{port}` are filled in. */
  readonly env: Readonly<Record<string, string>>;
  /** The kinds of Redis that it can use. */
  readonly topologies: readonly Topology[];
  readonly take: Take;
  /** How its takes travel; by HTTP/1.1 to the port of everything else where it is not said. */
  readonly transport?: Transport;
  readonly answer: Answer;
  /** It is ready as soon as one of these holds of its answer to a GET. */
  readonly ready: readonly Readiness[];
  /** A path that it answers without a take. */
  readonly idlePath: string;
  /** Where it tells how its breaker moves; absent where it does not. */
  readonly breaker?: { readonly path: string };
  /** What it tells of itself. What its first answers tell when it says nothing. */
  readonly gives?: readonly Reportable[];
  /** What its file says that its answers tell, and where. */
  readonly promises?: readonly Reportable[];
  /** It counts in fixed windows: around the turn of one it may admit its limit twice. */
  readonly fixedWindow?: boolean;
  /** What the judge holds it to, over what the settings of the run say. */
  readonly bounds?: Partial<Bounds>;
}

/** A target of the lab's own list. */
export interface KnownTarget extends Target {
  /** What it is, in one line of Markdown. The documents list it. */
  readonly about: string;
}

/** The variables of where an instance listens: the lab gives each its own. */
export const ownVariables: readonly string[] = ['HOST', 'PORT'];

/**
 * A file that Node runs; a command's words, in which `{redis}`, `{host}` and `{port}` are filled in; an image that listens
 * on `port`; or, where it already runs, its address without a path.
 */
export type Start =
  | { readonly node: string }
  | { readonly command: readonly string[]; readonly directory: string }
  | { readonly image: string; readonly port: number }
  | { readonly url: string };

/**
 * Takes go to a port of their own, which the target is told in the variable.
 *
 * By gRPC the `path` of a take is that of the method, and its `body` and the answer's are the messages in JSON.
 * By RESP the `method` of a take is the command's name, its `body` is the command's arguments as a list in JSON, and the
 * answer's is the reply in JSON.
 */
export interface Transport {
  readonly protocol: 'grpc' | 'resp';
  readonly portVariable: string;
}

/** In `path`, in the values of `headers` and in `body`, `{key}` and `{cost}` are filled in. */
export interface Take {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What is neither allowed nor denied has failed. */
export interface Answer {
  readonly allowed: Condition;
  readonly denied: Condition;
  /** Where it says how many tokens are left; the first place at which there is a number counts. */
  readonly remaining: readonly Place[];
  /** Where it says who decided, and in which words: `redis` and `fallback` unless it has its own. */
  readonly source?: Place & { readonly words?: Readonly<Record<SourceKind, string>> };
  /** Absent where it cannot be told what to answer without its store. */
  readonly withoutStore?: {
    /** What it then says of who decided. */
    readonly words: Readonly<Record<WithoutStore['answer'], string>>;
    readonly refused: Condition;
  };
}

/** All of what it names has to hold. */
export interface Condition {
  /** A status, or a class such as `2xx`. */
  readonly status?: number | string;
  /** JSON Pointer (RFC 6901) to a value in the body, and what that value has to be. */
  readonly pointer?: string;
  readonly equals?: string | number | boolean | null;
}

export interface Readiness extends Condition {
  readonly path: string;
}

/** A header, or a JSON Pointer to a value in the body. */
export type Place = { readonly header: string } | { readonly pointer: string };

/** A GET with the key in a header; 2xx is allowed, 429 is denied. What targets usually have in common. */
export const plain = {
  topologies,
  env: {},
  take: { method: 'GET', path: '/', headers: { [keyHeader]: '{key}' } },
  answer: {
    allowed: { status: '2xx' },
    denied: { status: 429 },
    remaining: [{ header: 'X-RateLimit-Remaining' }, { header: 'RateLimit' }],
    source: { header: 'X-RateLimit-Mechanism' },
  },
  ready: [{ path: '/healthz', status: '2xx' }, { path: '/' }],
  idlePath: '/healthz',
} as const satisfies Partial<Target>;

/** Of a limiter that decides by its store or not at all. */
export const withoutFallback = {
  fallbackCapacity: 0,
  fallbackRefillPerSecond: 0,
} as const satisfies Partial<Bounds>;

/** Fills in what stands in braces; what is not known stays. */
export function filled(text: string, values: Readonly<Record<string, string>>): string {
  return text.includes('{') ? text.replace(/\{([a-z]+)\}/g, (all, name) => values[name] ?? all) : text;
}
