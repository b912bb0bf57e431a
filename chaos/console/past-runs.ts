// The runs that lie in the runs directory, newest first.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Journal } from '../report/journal.ts';
import type { PastRun } from './messages.ts';

const shownMax = 30;
/** `20261124T034000Z-partition-1`, and a number behind it where there were two. */
const namePattern = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-([\w-]+?)-(\d+)(?:-\d+)?$/;

export function reportPath(name: string): string {
  return `/runs/${name}/report.html`;
}

export class PastRuns {
  readonly directory: string;
  readonly #known = new Map<string, { readonly changedMs: number; readonly run: PastRun }>();

  constructor(directory: string) {
    this.directory = directory;
  }

  names(): string[] {
    if (!existsSync(this.directory)) return [];
    return readdirSync(this.directory).filter((name) => namePattern.test(name));
  }

  newest(): PastRun[] {
    return this.names()
      .sort()
      .reverse()
      .slice(0, shownMax)
      .map((name) => this.#read(name));
  }

  /** The report's file; undefined when there is no such run or no report of it. */
  reportFile(name: string): string | undefined {
    const file = join(this.directory, name, 'report.html');
    return namePattern.test(name) && existsSync(file) ? file : undefined;
  }

  /** Undefined when the run was not judged. */
  journal(name: string): Journal | undefined {
    try {
      return JSON.parse(readFileSync(join(this.directory, name, 'journal.json'), 'utf8')) as Journal;
    } catch {
      return undefined;
    }
  }

  #read(name: string): PastRun {
    const changedMs = statSync(join(this.directory, name)).mtimeMs;
    const known = this.#known.get(name);
    if (known?.changedMs === changedMs) return known.run;
    const [, year, month, day, hour, minute, second, scenario = '', seed] = namePattern.exec(name) ?? [];
    const journal = this.journal(name);
    const run: PastRun = {
      name,
      scenario,
      seed: Number(seed),
      startedAt: `${year}-${month}-${day}T${hour}:${minute}:${second}Z`,
      verdict: journal?.status === 'completed' ? journal.verdict : 'interrupted',
      report: this.reportFile(name) ? reportPath(name) : null,
    };
    this.#known.set(name, { changedMs, run });
    return run;
  }
}
