// `npm run report-picture -- runs/latest`: the README's picture of a report, from a run of yours. Only a run that passed is
// pictured.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import '../../chaos/command.ts';
import { commandLine, typedIn } from '../../chaos/command-line.ts';
import { endWith, UsageError } from '../../chaos/errors.ts';
import { launch, visit } from '../support/browser.ts';
import { projectDirectory } from './documents.ts';

/** From the project's directory. */
export const picture = 'chaos/report/picture.png';

/** CSS pixels: the verdict in words and the first charts. */
const size = { width: 1000, height: 1150 };
/** The table is as long as the picture, and the README has the figures. */
const leftOut = 'section[aria-labelledby="checks-title"] { display: none }';

const usage = 'npm run report-picture -- runs/latest';

async function main(): Promise<void> {
  const [run, ...others] = commandLine({ allowPositionals: true }, usage).positionals;
  if (run === undefined || others.length > 0) throw new UsageError(`Which run?\n${usage}`);
  const [report, journal] = ['report.html', 'journal.json'].map((file) => join(resolve(typedIn, run), file)) as [
    string,
    string,
  ];
  if (!existsSync(report)) throw new UsageError(`There is no ${report}.`);
  const { verdict } = JSON.parse(readFileSync(journal, 'utf8')) as { verdict: string };
  if (verdict !== 'pass')
    throw new UsageError(`${run} is a run with the verdict ${verdict}; the picture is of a pass.`);
  const browser = await launch();
  try {
    await using visited = await visit(browser, report, { viewport: size, colorScheme: 'light', bypassCSP: true });
    await visited.page.addStyleTag({ content: leftOut });
    const path = join(projectDirectory, picture);
    await visited.page.screenshot({ path });
    process.stdout.write(`${picture}: ${Math.round(statSync(path).size / 1024)} KiB\n`);
  } finally {
    await browser.close();
  }
}

try {
  await main();
} catch (error) {
  endWith(error);
}
