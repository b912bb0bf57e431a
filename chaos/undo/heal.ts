// `npm run heal`: puts right whatever an interrupted run left behind. Safe to repeat. What it could not put right, or may
// not, it says on standard error, and ends with the exit status of a lab that broke.

import '../command.ts';
import { commandLine } from '../command-line.ts';
import { endWith, exitStatus } from '../errors.ts';
import { heal } from './healing.ts';

try {
  commandLine({}, 'npm run heal: puts right whatever an interrupted run left behind');
  const { done, problems } = await heal();
  if (done.length > 0) process.stdout.write(`${done.join('\n')}\n`);
  else if (problems.length === 0) process.stdout.write('Nothing is left behind.\n');
  if (problems.length > 0) {
    process.stderr.write(`${problems.join('\n')}\nStill to be put right. Again: npm run heal\n`);
    process.exitCode = exitStatus.broken;
  }
} catch (error) {
  endWith(error);
}
