// The hash of all that happened in a world: two runs with the same one were the same, to the byte.

import { createHash } from 'node:crypto';
import type { AnswerEvent, BreakerEvent, FaultEvent } from '../history.ts';
import type { Observer, TakenToken } from './observer.ts';

const linesPerUpdate = 1000;

export class Fingerprint implements Observer {
  readonly #hash = createHash('sha256');
  #lines: string[] = [];

  answered({ instance, key, sentMs, receivedMs, status, source, remaining }: AnswerEvent): void {
    this.#add(`a ${instance} ${key} ${sentMs} ${receivedMs} ${status} ${source} ${remaining}`);
  }

  moved({ instance, atMs, from, to }: BreakerEvent): void {
    this.#add(`b ${instance} ${atMs} ${from} ${to}`);
  }

  taken({ key, instance, atMs, sentMs }: TakenToken): void {
    this.#add(`t ${instance} ${key} ${sentMs} ${atMs}`);
  }

  accepted(instance: string, atMs: number): void {
    this.#add(`c ${instance} ${atMs}`);
  }

  lost({ target, fault, beginMs }: FaultEvent): void {
    this.#add(`l ${target} ${fault} ${beginMs}`);
  }

  counted(instance: string, count: number, atMs: number): void {
    this.#add(`n ${instance} ${count} ${atMs}`);
  }

  /** 64 hexadecimal digits. Nothing can be added after that. */
  digest(): string {
    this.#hash.update(this.#lines.join(''));
    return this.#hash.digest('hex');
  }

  #add(line: string): void {
    this.#lines.push(`${line}\n`);
    if (this.#lines.length < linesPerUpdate) return;
    this.#hash.update(this.#lines.join(''));
    this.#lines = [];
  }
}
