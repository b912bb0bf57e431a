// `npm run heal`: puts right whatever an interrupted run left behind. Safe to repeat.

import '../command.ts';
import { endWith } from '../errors.ts';
import { heal } from './undo.ts';

try {
  const said = await heal();
  process.stdout.write(`${said.length > 0 ? said.join('\n') : 'Nothing is left behind.'}\n`);
} catch (error) {
  endWith(error);
}
