// A command that the door knows, and what one client's connection is to it.

import type { Command } from './command-reader.ts';
import type { Protocol } from './replies.ts';

export interface Session {
  /** Of the connection. */
  readonly id: number;
  protocol: Protocol;
  /** It may use what asks for a password. */
  isKnown: boolean;
  /** What the client calls its connection. */
  name: string;
  /** Answered, it is closed. */
  isOver: boolean;
}

export interface CommandKind {
  /** In small letters. */
  readonly name: string;
  /** Of how many words it is, its name among them: from, to. */
  readonly words: readonly [number, number];
  /** For who has not said the password too. */
  readonly isOpen?: true;
  /** Waits for the answers to what came before, and what comes after waits for its own. */
  readonly isAlone?: (command: Command) => boolean;
  readonly summary: string;
  /** What it takes, as it is typed. */
  readonly usage: string;
  /** The answer, as it goes over the wire, or a promise of it; undefined where `later` is told it, which costs less. */
  readonly run: (command: Command, session: Session, later: Later) => string | Promise<string> | undefined;
}

/** The place of an answer that is still to come, among the others. */
export interface Later {
  answered(reply: string): void;
  /** On a defect of ours. */
  failed(defect: unknown): void;
}
