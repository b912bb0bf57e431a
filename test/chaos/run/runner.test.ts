import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Driver } from '../../../chaos/environment.ts';
import { LabError } from '../../../chaos/errors.ts';
import { partition } from '../../../scenarios/partition.ts';
import { temporaryDirectory } from '../../support/lab-processes.ts';
import { runOf } from '../../support/scenario-runs.ts';

describe('the runner', () => {
  it('throws what the driver throws when the environment cannot be started', async () => {
    using directory = temporaryDirectory();
    const driver: Driver = () => Promise.reject(new LabError('Not installed: redis-server.'));
    const run = runOf(partition, directory.path, { driver, seed: 42 });
    await expect(run).rejects.toThrow(new LabError('Not installed: redis-server.'));
  });

  it('names the directory of a run after its time, scenario and seed, and leaves latest where it was until it begins', async () => {
    using directory = temporaryDirectory();
    const driver: Driver = () => Promise.reject(new LabError('enough'));
    await runOf(partition, directory.path, { driver, seed: 42 }).catch(() => {});
    expect(readdirSync(directory.path)).toEqual([expect.stringMatching(/^\d{8}T\d{6}Z-partition-42$/)]);
  });

  it('starts nothing when it was interrupted before: Ctrl-C between two scenarios ends the second as well', async () => {
    using directory = temporaryDirectory();
    let starts = 0;
    const driver: Driver = async () => {
      starts++;
      throw new LabError('was started');
    };
    const interrupted = AbortSignal.abort(new Error('SIGINT'));
    await expect(runOf(partition, directory.path, { driver, signal: interrupted })).rejects.toThrow('SIGINT');
    expect(starts).toBe(0);
  });
});
