// `npm run pictures`: draws README.md's pictures of an incident anew, from a run of its own.
//
//   scenario ─▶ runner ─▶ its Prometheus ── the panels' expressions ──▶ incident.json ─▶ light.svg, dark.svg
//
// It is the scenario `partition` with longer phases: rates are taken over four seconds, and the picture is to show what
// lasts rather than how they rise. Only a run that passed is drawn.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import '../chaos/command.ts';
import { serviceEnvironment } from '../chaos/bounds.ts';
import { commandLine } from '../chaos/command-line.ts';
import { native } from '../chaos/drivers/native.ts';
import { endWith, exitStatus, interruption, UsageError } from '../chaos/errors.ts';
import type { History } from '../chaos/history.ts';
import { leave } from '../chaos/report/leave.ts';
import { reasonOf } from '../chaos/report/terminal.ts';
import { runScenario } from '../chaos/run/runner.ts';
import { partition } from '../scenarios/partition.ts';
import { drawingOf } from './drawing.ts';
import { hundredths, type Incident, panelData } from './incident.ts';
import type { Scheme } from './palette.ts';

export const pictureDirectory: string = join(import.meta.dirname, 'pictures');
const dataFile = join(pictureDirectory, 'incident.json');
const timing = { warmupMs: 6000, durationMs: 56_000 };
const faults = [{ use: { kind: 'partition' }, atMs: 16_000, forMs: 20_000 }];
/** A scrape of every target after the end. */
const lastScrapeMs = 1500;

/** Path, relative to the pictures' directory, and content of each. */
export function picturesOf(incident: Incident): ReadonlyMap<string, string> {
  const schemes: readonly Scheme[] = ['light', 'dark'];
  return new Map(schemes.map((scheme) => [`incident-${scheme}.svg`, drawingOf(incident, scheme)]));
}

export function committedIncident(): Incident {
  return JSON.parse(readFileSync(dataFile, 'utf8'));
}

async function observed(seed: number, signal: AbortSignal) {
  const scenario = { ...partition, timing, faults };
  let panels: Incident['panels'] = [];
  const result = await runScenario({
    scenario,
    driver: native,
    seed,
    rate: 1000,
    service: serviceEnvironment(scenario.service, process.env),
    out: join(import.meta.dirname, '..', 'runs'),
    signal,
    onProgress: () => {},
    async beforeEnd({ prometheusUrl }, history) {
      await new Promise((resolve) => setTimeout(resolve, lastScrapeMs));
      const { fromS, toS, injectS } = instantsOf(history);
      panels = await panelData(prometheusUrl, fromS, toS, injectS);
    },
  });
  const journal = leave(result.directory, { ...result, gaps: [], described: true });
  process.stdout.write(`${journal.verdict}: ${reasonOf(journal, result.checks)}\n${result.directory}\n`);
  return { journal, history: result.history, panels };
}

/** Unix seconds: beginning of the baseline, end of the run, and when the fault was first put on and last taken off. */
function instantsOf({ run, phases, faults }: History) {
  const atS = (ms: number) => (Date.parse(run.startedAt) + ms) / 1000;
  const of = (action: 'inject' | 'heal') => faults.filter((fault) => fault.action === action);
  return {
    fromS: atS(phases[0]?.startMs ?? 0),
    toS: atS(phases.at(-1)?.endMs ?? 0),
    injectS: atS(Math.min(...of('inject').map(({ beginMs }) => beginMs))),
    healS: atS(Math.max(...of('heal').map(({ endMs }) => endMs))),
  };
}

async function main(seed: number): Promise<number> {
  const ended = interruption('everything that was started has been ended, and the fault healed');
  const { journal, history, panels } = await observed(seed, ended);
  const { scenario, verdict } = journal;
  if (verdict !== 'pass') return exitStatus[verdict];
  const { fromS, toS, injectS, healS } = instantsOf(history);
  const since = (atS: number) => hundredths(atS - injectS);
  const stretch = { fromS: since(fromS), toS: since(toS), faultS: since(healS) };
  const incident: Incident = { scenario, seed, verdict, ...stretch, panels };
  mkdirSync(pictureDirectory, { recursive: true });
  writeFileSync(dataFile, `${JSON.stringify(incident)}\n`);
  for (const [path, text] of picturesOf(incident)) writeFileSync(join(pictureDirectory, path), text);
  return exitStatus.pass;
}

const usage = 'npm run pictures [-- SEED]';

function seedOf([text, ...others]: readonly string[]): number {
  if (text === undefined) return Date.now() % 1_000_000;
  if (/^\d{1,9}$/.test(text) && others.length === 0) return Number(text);
  throw new UsageError(`"${[text, ...others].join(' ')}" is no seed.\n${usage}`);
}

if (import.meta.main) {
  try {
    process.exitCode = await main(seedOf(commandLine({ allowPositionals: true }, usage).positionals));
  } catch (error) {
    endWith(error);
  }
}
