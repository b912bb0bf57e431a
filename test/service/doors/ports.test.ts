import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort } from '../../../chaos/free-port.ts';
import { CannotListen, type DoorPort, Ports } from '../../../service/doors/ports.ts';
import { startNonsense } from '../../support/nonsense.ts';

const host = '127.0.0.1';

/** Resolves to whether somebody accepts a connection there. */
async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, host);
  const open = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return open;
}

describe('the ports', () => {
  const arrived: string[] = [];
  const ports = new Ports({
    onConnection({ door, socket }) {
      arrived.push(door);
      socket.destroy();
    },
  });
  afterEach(() => ports.close());

  const free = async (...doors: DoorPort['door'][]) => {
    const taken: DoorPort[] = [];
    for (const door of doors) taken.push({ door, port: await freePort() });
    return taken;
  };

  it('tell of each connection which door it is for, until they are closed', async () => {
    const [http, resp] = (await free('http', 'resp')) as [DoorPort, DoorPort];
    await ports.open({ host, ports: [http, resp] });
    expect([await isOpen(resp.port), await isOpen(http.port), await isOpen(resp.port)]).toEqual([true, true, true]);
    expect(arrived).toEqual(['resp', 'http', 'resp']);
    ports.close();
    expect([await isOpen(http.port), await isOpen(resp.port)]).toEqual([false, false]);
  });

  it.each([
    ['http', 'PORT'],
    ['resp', 'RESP_PORT'],
    ['grpc', 'GRPC_PORT'],
  ] as const)('are all closed when that of %s is taken, and %s is named', async (door, setting) => {
    await using taken = await startNonsense('');
    const [other] = (await free(door === 'http' ? 'resp' : 'http')) as [DoorPort];
    const opened = ports.open({ host, ports: [other, { door, port: taken.port }] });
    await expect(opened).rejects.toThrow(
      new CannotListen(`Cannot listen on ${host}:${taken.port}: the port is taken; choose another with ${setting}`),
    );
    expect(await isOpen(other.port)).toBe(false);
  });
});
