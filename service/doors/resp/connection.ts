// One client's connection: reads commands, has them run, and answers in their order. What comes together is answered
// together: takes of one piece are one batch to the limiter, and answers that are there go out in one write.
//
//   socket ─▶ reader ─▶ run ─▶ answers, in order ─▶ socket
//                │ too many unanswered, answers unread, or others' turn: the rest stays in the socket
//
// A client is cut that sends half a command, or does not read what it asked for, and stays so.

import type { Socket } from 'node:net';
import { Answers } from './answers.ts';
import type { CommandKind, Session } from './command.ts';
import { type Command, CommandReader, ProtocolError } from './command-reader.ts';
import { error } from './replies.ts';
import type { Turns } from './turns.ts';

/** Commands of one connection that are read and not answered, at the most: as many takes as one call to the store has. */
export const unansweredMax = 128;
/** How long half a command may be, and an answer unread. */
const stuckMsMax = 10_000;
/** How long nothing at all may come. */
const idleMsMax = 300_000;
/** How long a client that is told to go has to read its last answer. */
const lingerMs = 1000;

export interface ConnectionParts {
  readonly socket: Socket;
  readonly session: Session;
  readonly kinds: ReadonlyMap<string, CommandKind>;
  readonly turns: Turns;
  readonly onDefect: (error: unknown) => void;
}

export class Connection {
  readonly #parts: ConnectionParts;
  readonly #reader = new CommandReader();
  readonly #answers: Answers;
  /** In the queue for a later turn. */
  #waits = false;
  /** A command that nothing may overtake is being answered. */
  #isAlone = false;
  /** Read, and put off until all before it is answered. */
  #next: Command | undefined;
  /** Nothing is read any more: the client has sent its last, or is told to go. */
  #isLast = false;
  #isEnded = false;
  #commandsRead = 0;
  #commandsReadAtCheck = 0;
  #stuckSinceMs: number | undefined;
  #heardAtMs = performance.now();

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    const { socket, onDefect } = parts;
    this.#answers = new Answers({ socket, onDefect, onAllWritten: () => this.#allAnswered() });
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('drain', () => {
      this.#stuckSinceMs = undefined;
      this.#goOn();
    });
    socket.on('end', () => {
      this.#isLast = true;
      this.#goOn();
    });
    socket.on('error', () => {}); // its close says so
  }

  /** Everything that came is answered and sent. */
  get isQuiet(): boolean {
    const { socket } = this.#parts;
    return this.#answers.pending === 0 && !this.#next && !this.#waits && socket.writableLength === 0;
  }

  /** Closes it as soon as what has come is answered. */
  end(): void {
    this.#isLast = true;
    this.#goOn();
  }

  /** Cuts it if it has been stuck or silent for too long. */
  check(nowMs: number): void {
    const { socket } = this.#parts;
    const isHalf = this.#reader.isInside && this.isQuiet && this.#commandsRead === this.#commandsReadAtCheck;
    this.#commandsReadAtCheck = this.#commandsRead;
    this.#stuckSinceMs = isHalf || socket.writableLength > 0 ? (this.#stuckSinceMs ?? nowMs) : undefined;
    if (this.#stuckSinceMs !== undefined && nowMs - this.#stuckSinceMs >= stuckMsMax) socket.destroy();
    else if (this.isQuiet && nowMs - this.#heardAtMs >= idleMsMax) this.end();
  }

  #take(chunk: Buffer): void {
    if (this.#isEnded) return; // what a client sends that is told to go
    this.#heardAtMs = performance.now();
    this.#reader.add(chunk);
    if (this.#waits || this.#isFull) this.#parts.socket.pause();
    else this.#readOn();
  }

  /** No more commands are read for now. */
  get #isFull(): boolean {
    return this.#isAlone || this.#answers.pending >= unansweredMax || this.#parts.socket.writableNeedDrain;
  }

  /** Runs the commands that have come, as far as it may. */
  #readOn(): void {
    const { socket, turns } = this.#parts;
    if (socket.destroyed) return;
    for (let read = 1; !this.#isFull; read++) {
      const command = this.#nextCommand();
      if (command === undefined) {
        if (this.#isLast) this.#endWhenAnswered();
        else if (socket.isPaused()) socket.resume();
        return;
      }
      this.#commandsRead++;
      this.#run(command);
      if (read % 16 === 0 && !turns.hasTime) {
        this.#wait();
        break;
      }
    }
    socket.pause();
  }

  #nextCommand(): Command | undefined {
    if (this.#isEnded || this.#parts.session.isOver) return undefined;
    if (this.#next) {
      const command = this.#next;
      this.#next = undefined;
      return command;
    }
    try {
      return this.#reader.next(this.#parts.session.isKnown);
    } catch (thrown) {
      if (!(thrown instanceof ProtocolError)) throw thrown;
      this.#parts.session.isOver = true;
      this.#isLast = true;
      this.#answers.add(error(`ERR Protocol error: ${thrown.message}`));
      return undefined;
    }
  }

  #run(command: Command): void {
    const { session, kinds } = this.#parts;
    const kind = kinds.get(command[0] as string) ?? kinds.get((command[0] as string).toLowerCase());
    const refusal = refusalOf(command, kind, session);
    if (!kind || refusal !== undefined) {
      // A web page can make a browser send these; as Redis, so that no line of their body is taken for a command.
      if (/^(post|host:)$/i.test(command[0] as string)) this.#parts.socket.destroy();
      this.#answers.add(refusal as string);
      return;
    }
    const isAlone = kind.isAlone?.(command) === true;
    if (isAlone && this.#answers.pending > 0) {
      this.#next = command;
      this.#isAlone = true;
      return;
    }
    const place = this.#answers.place();
    const reply = kind.run(command, session, place);
    if (session.isOver) this.#isLast = true;
    if (typeof reply === 'string') {
      this.#answers.add(reply);
      return;
    }
    this.#isAlone = isAlone;
    this.#answers.keep(place);
    reply?.then(
      (text) => place.answered(text),
      (defect) => place.failed(defect),
    );
  }

  #allAnswered(): void {
    this.#isAlone = false;
    this.#goOn();
  }

  /** Something that was waited for is there. */
  #goOn(): void {
    if (this.#waits || this.#answers.pending > 0 || this.#parts.socket.writableNeedDrain) return;
    if (this.#parts.socket.isPaused() || this.#isLast || this.#next) this.#wait();
  }

  #wait(): void {
    if (this.#waits) return;
    this.#waits = true;
    this.#parts.turns.wait(() => {
      this.#waits = false;
      this.#readOn();
    });
  }

  /** The client has sent its last, and is answered: it is told so, and has some time to read it. */
  #endWhenAnswered(): void {
    const { socket } = this.#parts;
    if (this.#isEnded || !this.#answers.areOut) return;
    this.#isEnded = true;
    socket.end();
    socket.resume(); // what it still sends is read past: a reset could take the last answer from it
    const over = setTimeout(() => socket.destroy(), lingerMs);
    socket.once('close', () => clearTimeout(over));
  }
}

/** Why a command is not run; undefined when it is. */
function refusalOf(command: Command, kind: CommandKind | undefined, { isKnown }: Session): string | undefined {
  if (!isKnown && !kind?.isOpen) return error('NOAUTH Authentication required.');
  if (!kind) return unknownCommand(command);
  const [min, max] = kind.words;
  const { length } = command;
  return length < min || length > max ? error(`ERR wrong number of arguments for '${kind.name}' command`) : undefined;
}

function unknownCommand([name = '', ...rest]: Command): string {
  const shown = rest.map((text) => `'${text.slice(0, 128)}' `).join('');
  return error(`ERR unknown command '${name.slice(0, 128)}', with args beginning with: ${shown.slice(0, 128)}`);
}
