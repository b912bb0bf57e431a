// The hash of all that happened in a world: two runs with the same one were the same, to the byte.

import { createHash } from 'node:crypto';
import type { AnswerEvent, BreakerEvent, FaultEvent } from '../history.ts';
import type { Observer, TakenToken } from './observer.ts';

/** What happened, by its kind. */
const kinds = { answered: 0, moved: 1, taken: 2, accepted: 3, lost: 4, counted: 5 } as const;
/** Numbers that are hashed at a time. */
const numbersMax = 8192;
/** The most that one event adds. */
const eventMax = 8;

export class Fingerprint implements Observer {
  readonly #hash = createHash('sha256');
  readonly #numbers = new Float64Array(numbersMax);
  #length = 0;
  /** Each word that was said, by its number. */
  readonly #words = new Map<string | null, number>();

  answered({ instance, key, sentMs, receivedMs, status, source, remaining }: AnswerEvent): void {
    this.#begin(kinds.answered);
    this.#say(instance);
    this.#say(key);
    this.#say(source);
    this.#put(sentMs);
    this.#put(receivedMs);
    this.#put(status);
    this.#put(remaining ?? Number.NaN);
  }

  moved({ instance, atMs, from, to }: BreakerEvent): void {
    this.#begin(kinds.moved);
    this.#say(instance);
    this.#say(from);
    this.#say(to);
    this.#put(atMs);
  }

  taken({ key, instance, atMs, sentMs }: TakenToken): void {
    this.#begin(kinds.taken);
    this.#say(instance);
    this.#say(key);
    this.#put(sentMs);
    this.#put(atMs);
  }

  accepted(instance: string, atMs: number): void {
    this.#begin(kinds.accepted);
    this.#say(instance);
    this.#put(atMs);
  }

  lost({ target, fault, beginMs }: FaultEvent): void {
    this.#begin(kinds.lost);
    this.#say(target);
    this.#say(fault);
    this.#put(beginMs);
  }

  counted(instance: string, count: number, atMs: number): void {
    this.#begin(kinds.counted);
    this.#say(instance);
    this.#put(count);
    this.#put(atMs);
  }

  /** 64 hexadecimal digits. Nothing can be added after that. */
  digest(): string {
    this.#flush();
    return this.#hash.update(JSON.stringify([...this.#words.keys()])).digest('hex');
  }

  /** An event of that kind follows. */
  #begin(kind: number): void {
    if (this.#length + eventMax > numbersMax) this.#flush();
    this.#put(kind);
  }

  #put(number: number): void {
    this.#numbers[this.#length++] = number;
  }

  /** Words are numbered in the order in which they are first said. */
  #say(word: string | null): void {
    let number = this.#words.get(word);
    if (number === undefined) {
      number = this.#words.size;
      this.#words.set(word, number);
    }
    this.#put(number);
  }

  #flush(): void {
    this.#hash.update(this.#numbers.subarray(0, this.#length));
    this.#length = 0;
  }
}
