// `npm run report`: makes the files that a run leaves again, from its events alone, also after a crash; or one page that
// shows two runs side by side.

import { existsSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import '../command.ts';
import { commandLine, typedIn } from '../command-line.ts';
import { endWith, UsageError } from '../errors.ts';
import { replaceFile } from '../host/run-files.ts';
import { oneLine } from '../printable.ts';
import { journalOf } from './journal.ts';
import { leave } from './leave.ts';
import { comparisonOf, type Side } from './page/comparison.ts';
import { readRun } from './read-run.ts';
import { verdictSentence } from './story.ts';
import { fromHere, verdictText } from './terminal.ts';

const usage = 'npm run report -- runs/latest…, or npm run report -- --compare runs/a runs/b';

function main(): void {
  const { values, positionals } = commandLine(
    { allowPositionals: true, options: { compare: { type: 'boolean', default: false } } },
    usage,
  );
  if (values.compare) {
    const [a, b, ...others] = positionals;
    if (!a || !b || others.length > 0) throw new UsageError(`--compare takes two runs.\n${usage}`);
    print(compare(a, b));
    return;
  }
  if (positionals.length === 0) throw new UsageError(`Which run?\n${usage}`);
  for (const path of positionals) {
    const directory = directoryOf(path);
    const run = readRun(join(directory, 'events.ndjson'));
    const journal = leave(directory, run);
    print(`${verdictText(journal.verdict)} ${oneLine(`${journal.scenario}: ${verdictSentence(journal)}`)}`);
    for (const gap of run.gaps) print(`  ${oneLine(gap)}`);
    print(fromHere(join(directory, 'report.html')));
  }
}

/** Beside the second run's directory; returns the path. */
function compare(pathA: string, pathB: string): string {
  const side = (path: string): Side => {
    const directory = directoryOf(path);
    const run = readRun(join(directory, 'events.ndjson'));
    return { name: basename(directory), run, journal: journalOf(run.history, run.checks, run.endedAt) };
  };
  const [a, b] = [side(pathA), side(pathB)];
  const out = join(dirname(directoryOf(pathB)), `compare-${a.name}-${b.name}.html`);
  replaceFile(out, comparisonOf(a, b));
  return fromHere(out);
}

/** The run's directory, also when its events are named. */
function directoryOf(typed: string): string {
  const path = resolve(typedIn, typed);
  if (!existsSync(path)) throw new UsageError(`There is no run ${typed}.\n${usage}`);
  const directory = statSync(path).isDirectory() ? path : dirname(path);
  if (!existsSync(join(directory, 'events.ndjson'))) throw new UsageError(`${typed} holds no events.ndjson.\n${usage}`);
  return realpathSync(directory);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

try {
  main();
} catch (error) {
  endWith(error);
}
