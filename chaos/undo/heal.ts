// `npm run heal`: puts right whatever an interrupted run left behind. Safe to repeat.

import { heal } from './undo.ts';

const said = await heal();
process.stdout.write(`${said.length > 0 ? said.join('\n') : 'Nothing is left behind.'}\n`);
