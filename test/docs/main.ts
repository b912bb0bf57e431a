// `npm run docs`: writes the generated blocks of the documents anew; a test says when they are stale.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import '../../chaos/command.ts';
import { commandLine } from '../../chaos/command-line.ts';
import { endWith } from '../../chaos/errors.ts';
import { documents, projectDirectory } from './documents.ts';

try {
  commandLine({}, 'npm run docs: writes the generated parts of the documents anew');
  for (const [page, text] of await documents()) {
    const path = join(projectDirectory, page);
    const changed = readFileSync(path, 'utf8') !== text;
    if (changed) writeFileSync(path, text);
    process.stdout.write(`${page}: ${changed ? 'written' : 'up to date'}\n`);
  }
} catch (error) {
  endWith(error);
}
