import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../../chaos/free-port.ts';
import { seriesOf } from '../../support/metrics-page.ts';
import { readinessOf } from '../../support/readiness.ts';
import { type RedisProcess, startRedis } from '../../support/redis.ts';
import { vectors } from '../../support/redis-cell.ts';
import { type ServiceProcess, startService } from '../../support/service.ts';
import { until } from '../../support/until.ts';

const host = '127.0.0.1';
const password = 'a-token';
const run = promisify(execFile);

let redis: RedisProcess;
let service: ServiceProcess;
let port: number;
let client: Redis;

beforeAll(async () => {
  redis = await startRedis();
  port = await freePort();
  service = await startService({
    RESP_PORT: String(port),
    REDIS_ADDR: `${host}:${redis.port}`,
    REDIS_TIMEOUT_MS: '10000', // however busy the machine is
    API_TOKEN: password,
  });
  await until('Redis', async () => (await readinessOf(service)).mechanism === 'redis');
  client = new Redis({ host, port, password });
});
afterAll(async () => {
  client.disconnect();
  await service.stop();
  await redis.stop();
});

const throttle = (key: string, ...numbers: number[]) =>
  client.call('CL.THROTTLE', key, ...numbers) as Promise<number[]>;

/** A client by hand. */
function stranger() {
  const socket = connect({ host, port }).setEncoding('latin1');
  const closed = once(socket, 'close');
  let received = '';
  socket.on('data', (text) => {
    received += text;
  });
  return {
    socket,
    closed,
    /** What it is answered until a text ends it. */
    async answer(end: string) {
      await until(JSON.stringify(end), async () => received.endsWith(end));
      const text = received;
      received = '';
      return text;
    },
  };
}

/** One that has said the password. */
async function raw() {
  const known = stranger();
  known.socket.write(`AUTH ${password}\r\n`);
  await known.answer('+OK\r\n');
  return known;
}

describe('takes over RESP', () => {
  it('are answered as redis-cell does, by Redis', async () => {
    const slow = vectors.filter(([, text]) => / 1 3600\b/.test(text)); // a token an hour
    expect(slow.length).toBeGreaterThanOrEqual(19);
    for (const [, text, [limited, limit, remaining, wait = 0, full = 0]] of slow) {
      const [key = '', ...numbers] = text.split(' ');
      const answer = await throttle(key, ...numbers.map(Number));
      expect([text, answer.slice(0, 3)]).toEqual([text, [limited, limit, remaining]]);
      // Time goes on while the vectors are asked.
      for (const [seconds, expected] of [
        [answer[3], wait],
        [answer[4], full],
      ] as const)
        expect([text, expected - (seconds as number) >= 0 && expected - (seconds as number) < 60]).toEqual([
          text,
          true,
        ]);
    }
    expect((await redis.admin.keys('rl:*')).filter((name) => !name.includes('resp/'))).toEqual([]);
  });

  it('are counted once each, and a look is not', async () => {
    const counted = async () =>
      (await seriesOf(service)).get('rate_limit_requests_total{mechanism="redis",status="allowed"}');
    const before = (await counted()) as number;
    await throttle('counted', 9, 1, 3600);
    await throttle('counted', 9, 1, 3600, 0);
    expect(await counted()).toBe(before + 1);
  });

  it('of a pipeline are answered in order, in few calls to Redis, looks among them in their place', async () => {
    const calls = async () => (await seriesOf(service)).get('rate_limit_store_latency_seconds_count') as number;
    const before = await calls();
    const pipeline = client.pipeline();
    for (let i = 0; i < 100; i++) pipeline.call('CL.THROTTLE', 'pipe', 99, 1, 3600);
    const answers = (await pipeline.exec()) as [Error | null, number[]][];
    expect(answers.map(([, answer]) => answer[2])).toEqual(Array.from({ length: 100 }, (_, i) => 99 - i));
    expect((await calls()) - before).toBeLessThanOrEqual(4);

    const mixed = client.pipeline();
    for (const quantity of [0, 3, 0, 2, 0]) mixed.call('CL.THROTTLE', 'mixed', 9, 1, 3600, quantity);
    const looks = (await mixed.exec()) as [Error | null, number[]][];
    expect(looks.map(([, answer]) => answer[2])).toEqual([10, 7, 7, 5, 5]);
  });

  it('are for keys of any bytes, each another', async () => {
    const { socket, answer } = await raw();
    for (const key of ['\xc3\xa9', '\xff', '', ' ']) {
      socket.write(
        `*5\r\n$11\r\nCL.THROTTLE\r\n$${key.length}\r\n${key}\r\n$1\r\n0\r\n$1\r\n1\r\n$4\r\n3600\r\n`,
        'latin1',
      );
      expect(await answer(':3600\r\n')).toBe('*5\r\n:0\r\n:1\r\n:0\r\n:-1\r\n:3600\r\n');
    }
    socket.destroy();
    expect(await redis.admin.exists('rl:resp/3600000000us/key:é')).toBe(1);
  });
});

describe('clients', () => {
  it('such as redis-cli are understood, in RESP2 and RESP3', async () => {
    const cli = async (...args: string[]) =>
      (await run('redis-cli', ['-p', String(port), '-a', password, '--no-auth-warning', ...args])).stdout;
    expect(await cli('PING')).toBe('PONG\n');
    expect(await cli('-3', 'CL.THROTTLE', 'cli', '9', '1', '3600', '4')).toBe('0\n10\n6\n-1\n14400\n');
    expect(await cli('-3', 'HELLO', '3')).toMatch(/^server failopen\nversion [\d.]+\nproto 3\n/);
    expect(await cli('COMMAND', 'DOCS', 'cl.throttle')).toContain('summary');
    const known = ['COMMAND', 'INFO', 'cl.throttle', 'ping'];
    const info = [['cl.throttle', -5, ['write'], 1, 1, 1, ['@write', '@slow'], [], [], []]];
    info.push(['ping', -1, ['fast'], 0, 0, 0, ['@fast', '@connection'], [], [], []]);
    for (const version of ['-2', '-3']) expect(JSON.parse(await cli(version, '--json', ...known))).toEqual(info);
    for (const version of ['-2', '-3'])
      expect(await cli(version, 'INFO')).toMatch(
        /^mechanism:redis\r\nbreaker:closed\r\nredis:connected\r\ninstances:1\r$/m,
      );
    expect(await cli('FOO', 'bar')).toBe("ERR unknown command 'FOO', with args beginning with: 'bar' \n\n");
  });

  it('in Python are understood, by a socket and nothing else', async () => {
    const script = `
import socket, sys
s = socket.create_connection(('${host}', ${port}))
f = s.makefile('rb')
def read():
    line = f.readline()[:-2]
    kind, rest = line[:1], line[1:]
    if kind == b'*': return [read() for _ in range(int(rest))]
    if kind == b'%': return {read(): read() for _ in range(int(rest))}
    if kind == b'$': return f.read(int(rest) + 2)[:-2]
    return int(rest) if kind == b':' else line
def send(*words):
    s.sendall(b''.join([b'*%d\\r\\n' % len(words)] + [b'$%d\\r\\n%s\\r\\n' % (len(w), w) for w in words]))
send(b'HELLO', b'3', b'AUTH', b'default', b'${password}', b'SETNAME', b'python')
assert read()[b'proto'] == 3
for _ in range(3): send(b'CL.THROTTLE', b'python', b'1', b'1', b'3600')
print([read()[:3] for _ in range(3)])
send(b'CLIENT', b'GETNAME')
print(read())
`;
    const { stdout } = await run('python3', ['-c', script]);
    expect(stdout).toBe("[[0, 2, 1], [0, 2, 0], [1, 2, 0]]\nb'python'\n");
  });

  it('without the password are told so, and may say it', async () => {
    const { socket, answer } = stranger();
    for (const [command, reply] of [
      ['PING', '-NOAUTH Authentication required.'],
      ['NOSUCH', '-NOAUTH Authentication required.'],
      ['HELLO 4', '-NOPROTO unsupported protocol version'],
      ['AUTH wrong', '-WRONGPASS invalid username-password pair or user is disabled.'],
      [`AUTH somebody ${password}`, '-WRONGPASS invalid username-password pair or user is disabled.'],
      [`AUTH default ${password}`, '+OK'],
      ['PING', '+PONG'],
      ['CLIENT GETNAME', '$-1'],
      ['RESET', '+RESET'],
      ['PING', '-NOAUTH Authentication required.'],
      ['QUIT', '+OK'],
    ]) {
      socket.write(`${command}\r\n`);
      expect([command, await answer('\r\n')]).toEqual([command, `${reply}\r\n`]);
    }
  });
});

describe('a bad client', () => {
  it.each([
    ['*1\r\n$536870912\r\n', 'invalid bulk length'],
    ['*2147483648\r\n', 'invalid multibulk length'],
    ['\x16\x03\x01\x02\0"\r\n', 'unbalanced quotes in request'],
  ])('is told why in the words of Redis, and closed: %j', async (text, message) => {
    const { socket, closed, answer } = await raw();
    socket.write(`PING\r\n${text}`, 'latin1');
    expect(await answer(`${message}\r\n`)).toBe(`+PONG\r\n-ERR Protocol error: ${message}\r\n`);
    await closed;
  });

  it('that sends a request of HTTP is closed without a word', async () => {
    const { socket, closed } = await raw();
    socket.write('POST / HTTP/1.1\r\nHost: x\r\n\r\nCL.THROTTLE a 1 1 1\r\n');
    await closed;
    expect(socket.bytesRead).toBe('+OK\r\n'.length);
  });

  it('that sends a million commands at once holds up nobody else', async () => {
    const { socket } = await raw();
    const whole = 1_000_000 * '+PONG\r\n'.length;
    let answered = 0;
    socket.on('data', (text: string) => {
      answered += text.length;
    });
    socket.write('PING\r\n'.repeat(1_000_000));
    await until('its first answer', async () => answered > 0);
    for (let i = 0; i < 20; i++) await throttle('other', 99, 1, 3600);
    expect(answered).toBeLessThan(whole);
    await until('all its answers', async () => answered === whole);
    socket.destroy();
  });

  it('that reads no answer is read no further, and its answers fill no memory', async () => {
    const { socket } = await raw();
    socket.pause();
    const asked = `ECHO ${'x'.repeat(10_000)}\r\n`.repeat(100);
    for (let i = 0; i < 200 && socket.writableLength < 20_000_000; i++) socket.write(asked); // 200 MB
    await throttle('beside', 99, 1, 3600);
    const memory = async () => (await seriesOf(service)).get('process_resident_memory_bytes') as number;
    const before = await memory();
    for (let i = 0; i < 20; i++) await throttle('beside', 99, 1, 3600);
    expect((await memory()) - before).toBeLessThan(20_000_000);
    expect(socket.writableLength).toBeGreaterThan(0);
    socket.destroy();
  });

  it('that ends its side still hears', async () => {
    const { socket, closed, answer } = await raw();
    socket.end('CL.THROTTLE half 0 1 3600\r\nCL.THROTTLE half 0 1 3600\r\nCL.THRO');
    expect(await answer(':3600\r\n:3600\r\n')).toBe(
      '*5\r\n:0\r\n:1\r\n:0\r\n:-1\r\n:3600\r\n*5\r\n:1\r\n:1\r\n:0\r\n:3600\r\n:3600\r\n',
    );
    await closed;
  });
});

describe('without Redis, and with two workers', () => {
  it('the fallback decides, and a stop answers what has come', async () => {
    const resp = await freePort();
    await using workers = await startService({ RESP_PORT: String(resp), WORKERS: '2' });
    const socket = connect({ host, port: resp }).setEncoding('latin1');
    let received = '';
    socket.on('data', (text) => {
      received += text;
    });
    await once(socket, 'connect');
    socket.write('CL.THROTTLE stop 3 1 3600\r\n'.repeat(3));
    await until('answers', async () => received.split('*5').length === 4);
    const { stdout } = await run('redis-cli', ['-p', String(resp), 'INFO']);
    expect(stdout).toMatch(/^mechanism:fallback\r\nbreaker:/m);
    expect(received.split('\r\n').slice(0, 6)).toEqual(['*5', ':0', ':2', ':1', ':-1', ':3600']); // half of 4 tokens
    received = '';
    workers.child.process.kill('SIGTERM');
    socket.write('PING\r\n'.repeat(1000));
    await once(socket, 'close');
    expect(received).toBe('+PONG\r\n'.repeat(1000));
    expect(await workers.child.ended).toEqual({ code: 0, signal: null });
  });
});
