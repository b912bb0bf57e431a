// The entry. It listens for signals before it loads the service, which takes a while.

import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Signals } from './signals.ts';

// Of each place in the code V8 learns how long what is made there lives, and then makes it among the old objects at once.
// After a burst it believes that of the ticks of Node's queue; each of those, dead, kept a whole request until the next full
// collection, and every young one took 15 to 30 ms in place of 2.
setFlagsFromString('--no-allocation-site-pretenuring');

// A later start takes a third less processor time: it finds what an earlier one compiled. Nobody else may write there, since
// what is found there is run. Where this process may not either, each start compiles for itself.
enableCompileCache(join(import.meta.dirname, '..', 'node_modules', '.cache', 'compiled'));

const signals = new Signals();
const isWorker = process.argv[2] === 'worker';
// A signal to the whole group, as Ctrl-C is, is the primary's to act on; it tells when to stop.
if (isWorker) signals.listen(() => {});
const { serve, serveAsWorker } = await import('./process.ts');
await (isWorker ? serveAsWorker() : serve(signals));
