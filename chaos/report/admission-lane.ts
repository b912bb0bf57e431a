// Tokens admitted to one key by all instances together, against what they may admit, as both grow:
//
//   bound    (B + r·S)·[Redis was used] + B·(losses so far) + Σ over instances that used their fallback (β + ρ·D)
//   admitted a staircase that has to stay under it
//
// This is bound 2 of the judge (checks/fleet.ts) after each answer instead of once at the end. The key drawn is the one
// nearest to its bound.

import { driftRatio, type StateLoss, stateLosses } from '../checks/sources.ts';
import { type AnswerEvent, type FaultEvent, type History, isControl, type PlacementEvent } from '../history.ts';

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
    const book = books.get(answer.key) ?? new Book(history, losses, answer.key);
    books.set(answer.key, book);
    book.enter(answer);
  }
  const key = nearestIn(books);
  return key === undefined ? undefined : { key, steps: stepsOf(history, losses, key) };
}

function stepsOf(history: History, losses: readonly StateLoss[], key: string): AdmissionStep[] {
  const answers = history.answers.filter((answer) => answer.key === key && !isControl(history, answer.instance));
  answers.sort((a, b) => a.receivedMs - b.receivedMs);
  const book = new Book(history, losses, key);
  return answers.flatMap((answer, i) => {
    const before = book.admitted;
    book.enter(answer);
    if (book.admitted === before && i < answers.length - 1) return [];
    const { receivedMs: atMs } = answer;
    return [{ atMs, admitted: book.admitted, bound: book.boundAt(atMs) }];
  });
}

/** The same while a run lasts: answers and faults as they come, each key's steps as they are made. */
export class Admissions {
  #history: History;
  readonly #losses: StateLoss[] = [];
  readonly #books = new Map<string, { readonly book: Book; readonly steps: AdmissionStep[] }>();

  /** `history`: what is known at the beginning. */
  constructor(history: History) {
    this.#history = history;
  }

  /** What decides which of Redis's buckets are lost, and when. */
  learn(event: FaultEvent | PlacementEvent): void {
    this.#history =
      event.type === 'fault'
        ? { ...this.#history, faults: [...this.#history.faults, event] }
        : { ...this.#history, placement: event };
    this.#losses.splice(0, Number.POSITIVE_INFINITY, ...stateLosses(this.#history));
  }

  /** An answer of a faulted instance, in order of receipt. */
  enter(answer: AnswerEvent): void {
    const known = this.#books.get(answer.key) ?? { book: new Book(this.#history, this.#losses, answer.key), steps: [] };
    this.#books.set(answer.key, known);
    const { book, steps } = known;
    const before = book.admitted;
    book.enter(answer);
    const { receivedMs: atMs } = answer;
    if (book.admitted > before) steps.push({ atMs, admitted: book.admitted, bound: book.boundAt(atMs) });
  }

  /** Of the key that is nearest to its bound now; undefined when nobody decided anything. */
  get lane(): AdmissionLane | undefined {
    const nearest = nearestIn(new Map([...this.#books].map(([key, { book }]) => [key, book])));
    return nearest === undefined ? undefined : { key: nearest, steps: this.#books.get(nearest)?.steps ?? [] };
  }
}

function nearestIn(books: ReadonlyMap<string, Book>): string | undefined {
  const open = ({ admitted, boundAt }: Book) => admitted - boundAt(Number.POSITIVE_INFINITY);
  let nearest: [key: string, open: number] | undefined;
  for (const [key, book] of books) {
    const value = open(book);
    if (!nearest || value > nearest[1]) nearest = [key, value];
  }
  return nearest?.[0];
}

/** What is known about one key: what it was admitted, and the span of each bucket that decided. */
class Book {
  admitted = 0;
  readonly #history: History;
  readonly #losses: readonly StateLoss[];
  readonly #key: string;
  readonly #redis: Span = { fromMs: Number.POSITIVE_INFINITY, toMs: 0 };
  readonly #fallbacks = new Map<string, Span>();

  constructor(history: History, losses: readonly StateLoss[], key: string) {
    this.#history = history;
    this.#losses = losses;
    this.#key = key;
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
    const losses = this.#losses.filter(({ beginMs, hits }) => beginMs <= atMs && hits(this.#key)).length;
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
