// Who watches a world: told of everything that happens, in order, as it happens. The lab outside sees only the answers and
// the breakers; what a simulation sees besides is when each token was taken, and when each connection was accepted.

import type { AnswerEvent, BreakerEvent, FaultEvent } from '../history.ts';

export interface TakenToken {
  readonly key: string;
  readonly instance: string;
  readonly atMs: number;
  /** When the instance sent the script. */
  readonly sentMs: number;
}

export interface Observer {
  answered?(answer: AnswerEvent): void;
  moved?(move: BreakerEvent): void;
  /** A script took a token of the key's bucket in Redis. */
  taken?(token: TakenToken): void;
  /** Redis ran a command, whoever sent it. */
  ran?(atMs: number): void;
  /** Redis accepted a connection of the instance. */
  accepted?(instance: string, atMs: number): void;
  /** Buckets were lost: in Redis, or of an instance that ended. */
  lost?(loss: FaultEvent): void;
  /** The instance goes by so many instances from now on. */
  counted?(instance: string, count: number, atMs: number): void;
}
