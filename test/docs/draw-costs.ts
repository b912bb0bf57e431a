// `npm run cost-pictures`: draws the pictures of what an outage costs, which takes some ten seconds.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import '../../chaos/command.ts';
import { commandLine } from '../../chaos/command-line.ts';
import { endWith } from '../../chaos/errors.ts';
import { costPictures } from './cost-pictures.ts';
import { projectDirectory } from './documents.ts';

try {
  commandLine({}, 'npm run cost-pictures: draws the pictures of what an outage costs');
  for (const [path, draw] of Object.entries(costPictures)) {
    writeFileSync(join(projectDirectory, path), await draw());
    process.stdout.write(`${path}: written\n`);
  }
} catch (error) {
  endWith(error);
}
