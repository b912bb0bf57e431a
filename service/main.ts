// The entry. It listens for signals before it loads the service, which takes a while.

import { Signals } from './signals.ts';

const signals = new Signals();
const isWorker = process.argv[2] === 'worker';
// A signal to the whole group, as Ctrl-C is, is the primary's to act on; it tells when to stop.
if (isWorker) signals.listen(() => {});
const { serve, serveAsWorker } = await import('./process.ts');
await (isWorker ? serveAsWorker() : serve(signals));
