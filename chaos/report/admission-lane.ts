// Tokens admitted to one key by all instances together, against what they may admit, as both grow:
//
//   bound    (B + r·S)·[Redis was used] + B·(losses so far) + Σ over instances that used their fallback (β + ρ·D)
//   admitted a staircase that has to stay under it
//
// This is bound 2 of the judge (checks/fleet.ts) after each answer instead of once at the end. The key drawn is the one
// nearest to its bound.

import { driftRatio, type StateLoss, stateLosses } from '../checks/sources.ts';
import { type AnswerEvent, type History, isControl } from '../history.ts';

export interface AdmissionStep {
  readonly atMs: number;
  readonly admitted: number;
  readonly bound: number;
}

export interface AdmissionLane {
  readonly key: string;
  /** After each admission and at the last answer, in order of receipt. */
  readonly steps: readonly AdmissionStep[];
}

/** Undefined when nobody decided anything. */
export function admissionLane(history: History): AdmissionLane | undefined {
  const losses = stateLosses(history);
  const books = new Map<string, Book>();
  for (const answer of history.answers) {
    if (isControl(history, answer.instance)) continue;
    const book = books.get(answer.key) ?? new Book(history, lossesOf(losses, answer.key));
    books.set(answer.key, book);
    book.enter(answer);
  }
  const open = ({ admitted, boundAt }: Book) => admitted - boundAt(Number.POSITIVE_INFINITY);
  let nearest: [key: string, book: Book] | undefined;
  for (const entry of books) if (!nearest || open(entry[1]) > open(nearest[1])) nearest = entry;
  if (!nearest) return undefined;
  const [key] = nearest;
  return { key, steps: stepsOf(history, lossesOf(losses, key), key) };
}

function stepsOf(history: History, losses: readonly StateLoss[], key: string): AdmissionStep[] {
  const answers = history.answers.filter((answer) => answer.key === key && !isControl(history, answer.instance));
  answers.sort((a, b) => a.receivedMs - b.receivedMs);
  const book = new Book(history, losses);
  return answers.flatMap((answer, i) => {
    const before = book.admitted;
    book.enter(answer);
    if (book.admitted === before && i < answers.length - 1) return [];
    const { receivedMs: atMs } = answer;
    return [{ atMs, admitted: book.admitted, bound: book.boundAt(atMs) }];
  });
}

const lossesOf = (losses: readonly StateLoss[], key: string) => losses.filter(({ hits }) => hits(key));

/** What is known about one key: what it was admitted, and the span of each bucket that decided. */
class Book {
  admitted = 0;
  readonly #history: History;
  readonly #losses: readonly StateLoss[];
  readonly #redis: Span = { fromMs: Number.POSITIVE_INFINITY, toMs: 0 };
  readonly #fallbacks = new Map<string, Span>();

  constructor(history: History, losses: readonly StateLoss[]) {
    this.#history = history;
    this.#losses = losses;
  }

  enter(answer: AnswerEvent): void {
    if (answer.mechanism !== null && answer.status >= 200 && answer.status < 400) this.admitted++;
    if (answer.mechanism === 'redis') stretch(this.#redis, answer);
    if (answer.mechanism !== 'fallback') return;
    const span = this.#fallbacks.get(answer.instance) ?? { fromMs: Number.POSITIVE_INFINITY, toMs: 0 };
    this.#fallbacks.set(answer.instance, span);
    stretch(span, answer);
  }

  /** With the losses of Redis's data until then. */
  readonly boundAt = (atMs: number): number => {
    const { bounds } = this.#history.run;
    const losses = this.#losses.filter(({ beginMs }) => beginMs <= atMs).length;
    const isRedisUsed = this.#redis.toMs > 0;
    let bound = isRedisUsed ? bounds.capacity * (1 + losses) + bounds.refillPerSecond * seconds(this.#redis) : 0;
    for (const span of this.#fallbacks.values()) {
      bound += bounds.fallbackCapacity + bounds.fallbackRefillPerSecond * seconds(span);
    }
    return bound;
  };
}

interface Span {
  fromMs: number;
  toMs: number;
}

function stretch(span: Span, { sentMs, receivedMs }: AnswerEvent): void {
  span.fromMs = Math.min(span.fromMs, sentMs);
  span.toMs = Math.max(span.toMs, receivedMs);
}

/** Stretched by clock drift. */
function seconds({ fromMs, toMs }: Span): number {
  return ((toMs - fromMs) / 1000) * (1 + driftRatio);
}
