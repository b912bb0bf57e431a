// The runs that lie in the runs directory, newest first. Others may write there too, so what is not a run's is left out:
// links, pipes, files that say something else.

import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isDirectory, isFile, readIfFile } from '../host/run-files.ts';
import { type JudgedRun, judgedRunOf } from '../report/journal-shape.ts';
import type { PastRun } from './messages.ts';

const shownMax = 30;
const journalBytesMax = 64 << 20;
const reportBytesMax = 64 << 20;
/** `20261124T034000Z-partition-1`, and a number behind it where there were two. */
const namePattern = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-([\w-]+)-(\d+)$/;

export function reportPath(name: string): string {
  return `/runs/${name}/report.html`;
}

export class PastRuns {
  readonly directory: string;
  readonly #known = new Map<string, { readonly changedMs: number; readonly run: PastRun }>();

  constructor(directory: string) {
    this.directory = directory;
  }

  /** None where there is no directory. */
  names(): string[] {
    try {
      return readdirSync(this.directory).filter((name) => this.#isRun(name));
    } catch {
      return [];
    }
  }

  newest(): PastRun[] {
    return this.names()
      .sort()
      .reverse()
      .slice(0, shownMax)
      .flatMap((name) => this.#read(name) ?? []);
  }

  hasReport(name: string): boolean {
    return this.#isRun(name) && isFile(join(this.directory, name, 'report.html'));
  }

  /** The report's text; undefined when there is no such run or no report of it. */
  report(name: string): string | undefined {
    return this.#isRun(name) ? readIfFile(join(this.directory, name, 'report.html'), reportBytesMax) : undefined;
  }

  /** Undefined when the run was not judged. */
  journal(name: string): JudgedRun | undefined {
    const text = this.#isRun(name)
      ? readIfFile(join(this.directory, name, 'journal.json'), journalBytesMax)
      : undefined;
    return text === undefined ? undefined : judgedRunOf(text);
  }

  #isRun(name: string): boolean {
    return namePattern.test(name) && isDirectory(join(this.directory, name));
  }

  /** Undefined when it has gone meanwhile. */
  #read(name: string): PastRun | undefined {
    const changedMs = lstatSync(join(this.directory, name), { throwIfNoEntry: false })?.mtimeMs;
    if (changedMs === undefined) return undefined;
    const known = this.#known.get(name);
    if (known?.changedMs === changedMs) return known.run;
    const [, year, month, day, hour, minute, second, scenario = '', seed] = namePattern.exec(name) ?? [];
    const journal = this.journal(name);
    const told = journal && isNamedAfter(name, journal) ? journal : { scenario, seed: Number(seed) };
    const run: PastRun = {
      name,
      scenario: told.scenario,
      seed: told.seed,
      startedAt: `${year}-${month}-${day}T${hour}:${minute}:${second}Z`,
      verdict: journal?.status === 'completed' ? journal.verdict : 'interrupted',
      report: this.hasReport(name) ? reportPath(name) : null,
    };
    this.#known.set(name, { changedMs, run });
    return run;
  }
}

/** A name alone does not tell: `latency-1-5` is `latency-1` with seed 5, or the fifth `latency` with seed 1 in a second. */
function isNamedAfter(name: string, { scenario, seed }: JudgedRun): boolean {
  const rest = name.slice(name.indexOf('Z-') + 2);
  return rest === `${scenario}-${seed}` || rest.replace(/-\d+$/, '') === `${scenario}-${seed}`;
}
