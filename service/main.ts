// The entry. It listens for signals before it loads the service, which takes a while.

import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { Signals } from './signals.ts';

// A later start takes a third less processor time: it finds what an earlier one compiled. Nobody else may write there, since
// what is found there is run. Where this process may not either, each start compiles for itself.
enableCompileCache(join(import.meta.dirname, '..', 'node_modules', '.cache', 'compiled'));

const signals = new Signals();
const isWorker = process.argv[2] === 'worker';
// A signal to the whole group, as Ctrl-C is, is the primary's to act on; it tells when to stop.
if (isWorker) signals.listen(() => {});
const { serve, serveAsWorker } = await import('./process.ts');
await (isWorker ? serveAsWorker() : serve(signals));
