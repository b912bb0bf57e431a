import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  chooseDriver,
  type DriverEntry,
  type DriverName,
  driverFor,
  drivers,
  leversOf,
  refusal,
  targetRefusal,
} from '../../../chaos/drivers/choose.ts';
import { LabError, UsageError } from '../../../chaos/errors.ts';
import { commandTarget } from '../../../chaos/targets/command.ts';
import { failopen } from '../../../chaos/targets/failopen.ts';
import type { Target } from '../../../chaos/targets/target.ts';
import { baseline } from '../../../scenarios/baseline.ts';
import { clockForward } from '../../../scenarios/clock-forward.ts';
import { clusterMasterKill } from '../../../scenarios/cluster-master-kill.ts';
import { cpuHog } from '../../../scenarios/cpu-hog.ts';
import { failClosed } from '../../../scenarios/fail-closed.ts';
import { redisKill } from '../../../scenarios/redis-kill.ts';

const entry = (name: DriverName, usable: boolean, why: string): DriverEntry => ({
  name,
  look: async () => ({ usable, why }),
  start: async () => {
    throw new Error('not to be started');
  },
});
const compose = entry('compose', false, 'the stack is not up');
const native = entry('native', true, 'all is installed');
const containers = entry('containers', true, 'Docker answers');

describe('the choice of a driver', () => {
  it('by auto is the first that can work, and says why not an earlier one', async () => {
    expect(await chooseDriver('auto', [compose, native, containers])).toEqual({
      driver: native,
      why: 'all is installed; compose: the stack is not up',
    });
  });

  it('by name is that one', async () => {
    expect(await chooseDriver('containers', [compose, native, containers])).toEqual({
      driver: containers,
      why: 'asked for',
    });
  });

  it('by name is refused with the reason when it cannot work, though others could', async () => {
    await expect(chooseDriver('compose', [compose, native])).rejects.toThrow(
      new LabError('The compose driver cannot work: the stack is not up'),
    );
  });

  it('of a target that already runs is none of theirs', async () => {
    const { driver, why } = await chooseDriver('address', [compose, native]);
    expect([driver.name, why]).toEqual(['address', 'asked for']);
    await expect(chooseDriver('auto', [compose])).rejects.toThrow(LabError);
  });

  it('by auto is refused with one line that tells what to type when none can work', async () => {
    const bare = entry('native', false, 'not installed: redis-server');
    await expect(chooseDriver('auto', [compose, bare])).rejects.toThrow(
      new LabError(
        'No driver can work on this machine. Type: npm run setup   (compose: the stack is not up; native: not installed: redis-server)',
      ),
    );
  });
});

describe("somebody else's limiter", () => {
  const other = commandTarget('node api.js', [], '/');
  const single: Target = { ...other, name: 'other', topologies: ['single'] };

  it('is run by the native driver, which auto stands for then', () => {
    expect([driverFor('auto', other), driverFor('compose', other), driverFor('auto', failopen)]).toEqual([
      'native',
      'compose',
      'auto',
    ]);
    expect(targetRefusal('native', redisKill, other)).toBeUndefined();
  });

  it('is refused by name by a driver that cannot start it', () => {
    expect([targetRefusal('compose', redisKill, other), targetRefusal('containers', redisKill, single)]).toEqual([
      'The compose driver cannot start the target command. The driver that can: native.',
      'The containers driver cannot start the target other. The driver that can: native.',
    ]);
    expect(targetRefusal('compose', redisKill, failopen)).toBeUndefined();
  });

  it('that already runs is run by no driver that can be named, and broken by none', () => {
    const running: Target = { ...other, name: 'running', start: { url: 'http://127.0.0.1:9000' } };
    expect([driverFor('auto', running), targetRefusal('address', baseline, running)]).toEqual(['address', undefined]);
    expect([targetRefusal('native', baseline, running), targetRefusal('address', redisKill, running)]).toEqual([
      'The target running already runs, so no driver starts it. Leave out --driver native.',
      'The target running already runs, and the lab cannot break its store, as redis-kill does. Scenarios that break nothing can judge it, such as baseline.',
    ]);
    expect(refusal('address', baseline)).toBeUndefined();
  });

  it('that is an image is run by the containers driver', () => {
    const image: Target = { ...other, name: 'image', start: { image: 'you/limiter:1', port: 8080 } };
    expect([driverFor('auto', image), targetRefusal('containers', redisKill, image)]).toEqual([
      'containers',
      undefined,
    ]);
    expect(targetRefusal('native', redisKill, image)).toBe(
      'The native driver cannot start the target image. The driver that can: containers.',
    );
  });

  it('is refused where it cannot use the Redis of the scenario', () => {
    expect(targetRefusal('native', clusterMasterKill, single)).toBe(
      'The target other cannot use Redis as cluster, which cluster-master-kill needs. It can use: single.',
    );
  });
});

describe('a scenario that tells the limiter what to answer without its store', () => {
  it('is refused by name where the target cannot be told', () => {
    expect(targetRefusal('native', failClosed, commandTarget('node api.js', [], '/'))).toBe(
      'The target command cannot be told to refuse requests without its store, which fail-closed needs.',
    );
    expect(targetRefusal('native', failClosed, failopen)).toBeUndefined();
  });

  it('is refused by a driver that gives the limiter no file', () => {
    expect(refusal('containers', failClosed)).toBe(
      'The containers driver cannot give the limiter a policies file, which fail-closed needs. Drivers that can: native.',
    );
    expect(refusal('native', failClosed)).toBeUndefined();
  });
});

describe('LIMITER_IMAGE', () => {
  const why = 'LIMITER_IMAGE names an image, which only the containers driver runs';
  const real = drivers.find(({ name }) => name === 'native') as DriverEntry;

  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('keeps auto from the native driver, which would test another limiter, and says so', async () => {
    vi.stubEnv('LIMITER_IMAGE', 'you/limiter:1');
    expect(await chooseDriver('auto', [real, containers])).toEqual({
      driver: containers,
      why: `Docker answers; native: ${why}`,
    });
  });

  it('together with the native driver by name asks for what does not exist', async () => {
    vi.stubEnv('LIMITER_IMAGE', 'you/limiter:1');
    await expect(chooseDriver('native', [real, containers])).rejects.toThrow(
      new UsageError(`The native driver cannot work: ${why}`),
    );
  });

  it('that is empty names none', async () => {
    vi.stubEnv('LIMITER_IMAGE', '');
    const { contradicts } = await real.look();
    expect(contradicts).toBeUndefined();
  });
});

describe('a scenario', () => {
  const able = {
    toxics: ['native'],
    'front-toxics': ['native'],
    netns: ['native'],
    connections: ['native'],
    'prometheus-process': ['native'],
    'redis-process': ['native', 'containers'],
    topology: ['native'],
    'redis-clock': ['native'],
    'redis-config': ['native'],
    'redis-program': ['native'],
    'limiter-process': ['native'],
    'busy-processes': ['native'],
    'limiter-clock': ['native'],
  } as const;

  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('that needs what the driver cannot do is refused, with the drivers that can', () => {
    expect(refusal('compose', redisKill, able)).toBe(
      'The compose driver cannot do redis-kill (it has no redis-process), which redis-kill needs. Drivers that can: native, containers.',
    );
  });

  it('that takes a compiler is refused where there is none', () => {
    vi.stubEnv('PATH', '');
    expect(refusal('native', clockForward)).toMatch(
      /^This machine cannot do clock-forward, which clock-forward needs: .*(cc|Linux)/,
    );
    expect(leversOf('native')).not.toContain('redis-clock');
    expect(refusal('native', redisKill)).toBeUndefined();
  });

  it('that takes a program which keeps another to a processor is refused where there is none', () => {
    vi.stubEnv('PATH', '');
    expect(refusal('native', cpuHog)).toMatch(
      /^This machine cannot do cpu-hog, which cpu-hog needs: .*(taskset|Linux|one processor)/,
    );
    expect(leversOf('native')).not.toContain('busy-processes');
  });

  it('that needs another Redis than the driver can start is refused likewise', () => {
    expect(refusal('compose', clusterMasterKill)).toBe(
      'The compose driver cannot give it Redis as cluster, which cluster-master-kill needs. Drivers that can: native, containers.',
    );
    expect(refusal('containers', clusterMasterKill)).toBeUndefined();
  });

  it('is taken by a driver that can, and by every driver when it breaks nothing', () => {
    expect(refusal('containers', redisKill, able)).toBeUndefined();
    expect(refusal('compose', baseline, able)).toBeUndefined();
  });
});
