import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { leversOf } from '../../../chaos/drivers/choose.ts';
import { startLimiter } from '../../../chaos/drivers/native-limiter.ts';
import { loopback, NativeParts } from '../../../chaos/drivers/native-parts.ts';
import type { BusyProcess, Environment, Instance } from '../../../chaos/environment.ts';
import type { Fault, Target } from '../../../chaos/faults/fault.ts';
import { faultKinds, faultOf } from '../../../chaos/faults/index.ts';
import { freePort } from '../../../chaos/free-port.ts';
import { startOf } from '../../../chaos/host/process-identity.ts';
import { plain } from '../../../chaos/targets/target.ts';
import { probeLinks, zeroIn } from '../../../chaos/watch/observer.ts';
import { environmentOf } from '../../support/environments.ts';
import { temporaryDirectory } from '../../support/lab-processes.ts';
import { until } from '../../support/until.ts';

const { execPath: nodePath } = process;
const levers = leversOf('native');
const specs = faultKinds
  .flatMap(({ examples }) => examples)
  .filter((spec) => faultOf(spec).needs.includes('limiter-process'))
  .filter((spec) => faultOf(spec).needs.every((need) => levers.has(need)));
/** Tells its process id; a second start fails when it is told to. */
const program = `
const { existsSync, writeFileSync } = require('node:fs');
if (process.env.ONCE && existsSync(process.env.ONCE)) process.exit(1);
if (process.env.ONCE) writeFileSync(process.env.ONCE, '');
require('node:http').createServer((_, response) => response.end(String(process.pid)))
  .listen(process.env.PORT, process.env.HOST);`;

describe('an instance of the limiter', () => {
  let started: AsyncDisposableStack;
  let directory: string;
  let parts: NativeParts;

  beforeEach(() => {
    started = new AsyncDisposableStack();
    directory = started.use(temporaryDirectory()).path;
    mkdirSync(join(directory, 'logs'));
    writeFileSync(join(directory, 'limiter.cjs'), program);
    parts = started.use(NativeParts.create(join(directory, 'logs')));
  });
  afterEach(() => started.disposeAsync());

  /** `inShell`: the program is a child of the command that is started, as with `npm start`. */
  async function running(told: Readonly<Record<string, string>> = {}, inShell = false) {
    const port = await freePort();
    const url = `http://${loopback}:${port}`;
    const file = join(directory, 'limiter.cjs');
    const command = ['sh', '-c', `'${nodePath}' '${file}' & wait`];
    const start = inShell ? { command, directory } : { node: file };
    const target = { ...plain, name: 'other', start };
    const variables = { HOST: loopback, PORT: String(port), ...told };
    const process = await startLimiter(parts, target, 'limiter-1', variables, url);
    const storeLink = { proxy: undefined, host: loopback, port };
    const instance: Instance = { name: 'limiter-1', control: false, frontUrl: url, url, storeLink, process };
    const environment = environmentOf(parts, instance);
    const hit: Target = { name: instance.name, instance };
    const seenBy = async (fault: Fault) =>
      (await probeLinks(environment, fault, [hit], 'broken', zeroIn(0))).map(({ seen }) => seen).join();
    return { environment, instance, hit, seenBy, pid: async () => Number(await (await fetch(url)).text()) };
  }

  it.each(
    specs.flatMap((spec) => [
      { spec, inShell: false },
      { spec, inShell: true },
    ]),
  )('suffers from %o as long as it is not healed, which its probe sees', async ({ spec, inShell }) => {
    const { environment, hit, seenBy, pid } = await running({}, inShell);
    const fault = faultOf(spec);
    const before = await pid();
    await until('a healthy instance', async () => (await seenBy(fault)) === 'healthy');
    await fault.inject(environment, hit);
    expect([await seenBy(fault), await seenBy(fault)]).toEqual(['broken', 'broken']);
    await fault.heal(environment, hit);
    expect((await pid()) === before).toBe(spec.kind !== 'instance-kill');
    await fault.heal(environment, hit); // safe to repeat
    await until('an instance that is still healthy', async () => (await seenBy(fault)) === 'healthy');
  });

  it('that may open no more files goes on with those that it has, and has its limit back afterwards', async () => {
    const { environment, hit, instance, pid } = await running();
    const fault = faultOf({ kind: 'open-files' });
    const limits = () => readFileSync(`/proc/${instance.process?.pid}/limits`, 'utf8');
    const before = limits();
    const known = await pid(); // over a connection that stays
    await fault.inject(environment, hit);
    await fault.inject(environment, hit); // safe to repeat
    expect(limits()).not.toBe(before);
    expect(await pid()).toBe(known);
    await fault.heal(environment, hit);
    expect(limits()).toBe(before);
  });

  it.skipIf(!levers.has('busy-processes'))(
    'that shared its processor with busy processes has all processors again afterwards, and none of those is left',
    async () => {
      const { environment, hit, instance } = await running();
      const fault = faultOf({ kind: 'cpu-hog', count: 2 });
      const busy: BusyProcess[] = [];
      const startBusy: Environment['startBusy'] = async (processor) => {
        const started = await parts.startBusy(processor);
        busy.push(started);
        return started;
      };
      const allowed = (pid = 0) => /^Cpus_allowed_list:.*$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[0];
      const its = () => allowed(instance.process?.pid);
      const before = its();
      await fault.inject({ ...environment, startBusy }, hit);
      await fault.inject({ ...environment, startBusy }, hit); // safe to repeat: those of before are gone
      expect(busy.map(({ pid }) => startOf(pid) !== undefined)).toEqual([false, false, true, true]);
      expect(its()).not.toBe(before);
      expect(its()).toBe(allowed(busy[3]?.pid));
      await fault.heal(environment, hit);
      expect(its()).toBe(before);
      expect(busy.some(({ pid }) => startOf(pid) !== undefined)).toBe(false);
    },
  );

  it('that does not come up again is left to the judge: the lab goes on', async () => {
    const { environment, hit, seenBy } = await running({ ONCE: join(directory, 'once') });
    const fault = faultOf({ kind: 'instance-kill' });
    await fault.inject(environment, hit);
    await fault.heal(environment, hit);
    expect(await seenBy(fault)).toBe('broken');
  });

  it('whose process the driver cannot reach is left alone, and the fault says so', async () => {
    const { environment, hit, instance } = await running();
    const { process: _, ...others } = instance;
    const inject = faultOf({ kind: 'instance-stop' }).inject(environment, { ...hit, instance: others });
    await expect(inject).rejects.toThrow('The native driver cannot reach the process of limiter-1');
  });

  it('beside which the driver starts no busy process is left alone, and the fault says so', async () => {
    const { environment, hit } = await running();
    const { startBusy: _, ...others } = environment;
    const inject = faultOf({ kind: 'cpu-hog', count: 2 }).inject(others, hit);
    await expect(inject).rejects.toThrow('The native driver cannot start busy processes beside limiter-1');
  });
});
