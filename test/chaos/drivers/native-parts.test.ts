import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { NativeParts } from '../../../chaos/drivers/native-parts.ts';
import { startOf } from '../../../chaos/host/process-identity.ts';
import { NotReady } from '../../../chaos/host/processes.ts';
import { temporaryDirectory } from '../../support/lab-processes.ts';
import { until } from '../../support/until.ts';

it('kills and starts the process that runs, be it one that was started anew and is not ready yet', async () => {
  using directory = temporaryDirectory();
  mkdirSync(join(directory.path, 'logs'));
  await using parts = NativeParts.create(join(directory.path, 'logs'));
  let isReady = true;
  const process = await parts.startRestartable(
    { name: 'late', command: 'sleep', args: ['60'] },
    async () => isReady || undefined,
  );
  const { pid: first } = process;

  await process.kill();
  isReady = false;
  const starting = process.start();
  const late = await until('another process', () => process.pid !== first && process.pid);
  await process.kill();
  expect(startOf(late)).toBeUndefined();
  await expect(starting).rejects.toBeInstanceOf(NotReady);

  isReady = true;
  await process.start();
  expect(startOf(process.pid)).toBeDefined();
});
