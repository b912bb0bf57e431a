import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Driver } from '../../chaos/environment.ts';
import { LabError } from '../../chaos/errors.ts';
import { type RunOptions, runScenario } from '../../chaos/runner.ts';
import { partition } from '../../scenarios/partition.ts';
import { temporaryDirectory } from '../support/lab-processes.ts';

const optionsOf = (out: string, driver: Driver, signal: AbortSignal): RunOptions => ({
  scenario: partition,
  fault: undefined,
  driver,
  seed: 42,
  rate: 1000,
  service: partition.service,
  out,
  signal,
  onProgress: () => {},
});

describe('the runner', () => {
  it('throws what the driver throws when the environment cannot be started', async () => {
    using directory = temporaryDirectory();
    const driver: Driver = () => Promise.reject(new LabError('Not installed: redis-server.'));
    const run = runScenario(optionsOf(directory.path, driver, new AbortController().signal));
    await expect(run).rejects.toThrow(new LabError('Not installed: redis-server.'));
  });

  it('names the directory of a run after its time, scenario and seed, and points latest at it', async () => {
    using directory = temporaryDirectory();
    const driver: Driver = () => Promise.reject(new LabError('enough'));
    await runScenario(optionsOf(directory.path, driver, new AbortController().signal)).catch(() => {});
    const [run, latest] = readdirSync(directory.path).sort();
    expect([run, latest]).toEqual([expect.stringMatching(/^\d{8}T\d{6}Z-partition-42$/), 'latest']);
  });

  it('starts nothing when it was interrupted before: Ctrl-C between two scenarios ends the second as well', async () => {
    using directory = temporaryDirectory();
    let starts = 0;
    const driver: Driver = async () => {
      starts++;
      throw new LabError('was started');
    };
    const interrupted = AbortSignal.abort(new Error('SIGINT'));
    await expect(runScenario(optionsOf(directory.path, driver, interrupted))).rejects.toThrow('SIGINT');
    expect(starts).toBe(0);
  });
});
