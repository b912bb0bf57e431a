import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { readIntoOneBuffer } from '../../../service/doors/one-buffer.ts';
import { until } from '../../support/until.ts';

it('reads all connections into one buffer, and they end as others do', async () => {
  const chunks: { readonly text: string; readonly memory: ArrayBufferLike }[] = [];
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (accepted) => {
    const socket = readIntoOneBuffer(accepted, (chunk) =>
      chunks.push({ text: chunk.toString(), memory: chunk.buffer }),
    );
    sockets.push(socket.resume());
    socket.on('end', () => socket.end('bye'));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const answers = await Promise.all(
    ['one', 'two'].map(async (text) => {
      const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      client.end(text);
      const [answer] = await once(client, 'data');
      return String(answer);
    }),
  );
  expect(answers).toEqual(['bye', 'bye']);
  expect(chunks.map(({ text }) => text).sort()).toEqual(['one', 'two']);
  expect(new Set(chunks.map(({ memory }) => memory)).size).toBe(1);
  await until('both to be closed', () => sockets.every(({ destroyed }) => destroyed));
  server.close();
});
