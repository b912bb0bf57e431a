// A Toxiproxy of a test's own.

import { join } from 'node:path';
import { freePort } from '../../chaos/free-port.ts';
import { type Binary, binaries, find } from '../../chaos/host/binaries.ts';
import { LabProcess } from '../../chaos/host/processes.ts';
import { ToxiproxyApi } from '../../chaos/host/toxiproxy.ts';
import { UndoLog } from '../../chaos/host/undo-log.ts';
import { temporaryDirectory } from './lab-processes.ts';

export interface ToxiproxyProcess extends AsyncDisposable {
  readonly api: ToxiproxyApi;
  readonly url: string;
}

export async function startToxiproxy(): Promise<ToxiproxyProcess> {
  await using started = new AsyncDisposableStack();
  const directory = started.use(temporaryDirectory());
  const undo = new UndoLog(join(directory.path, 'undo'));
  const found = await find(binaries.find(({ name }) => name === 'toxiproxy-server') as Binary);
  if (!found) throw new Error('toxiproxy-server is not installed: npm run setup');
  const port = await freePort();
  const log = join(directory.path, 'toxiproxy.log');
  const args = ['-host', '127.0.0.1', '-port', String(port)];
  const process = await LabProcess.start({ name: 'toxiproxy', command: found.path, args, log, undo });
  started.defer(() => process.stop());
  const url = `http://127.0.0.1:${port}`;
  const api = new ToxiproxyApi(url);
  await process.ready(30_000, () => api.version());
  const owned = started.move();
  return { api, url, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
