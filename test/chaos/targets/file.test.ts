import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UsageError } from '../../../chaos/errors.ts';
import { targetNames, targetOf } from '../../../chaos/targets/index.ts';
import { plain } from '../../../chaos/targets/target.ts';
import { projectDirectory, temporaryDirectory } from '../../support/lab-processes.ts';

let directory: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => directory[Symbol.dispose]());

const named = (target: string, from = directory.path) => targetOf({ target, variables: [], directory: from });

/** The target of a file with this text. */
function read(text: string, file = 'my-api.yaml') {
  writeFileSync(join(directory.path, file), text);
  return named(file);
}

/** The lines of the one message about it. */
function mistakes(text: string): readonly string[] {
  try {
    read(text);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as UsageError).message.split('\n').map((line) => line.replace('my-api.yaml: ', ''));
  }
  throw new Error('no mistake was found');
}

/** A file with one field beside those that it must have. */
const withField = (field: string) => `name: my-api\nstart: {command: node api.js}\n${field}\n`;

describe('a target file', () => {
  it('of the example says all that can be said', () => {
    expect(named('chaos/targets/example.yaml', projectDirectory)).toEqual({
      name: 'my-api',
      start: { command: ['node', 'api.js'], directory: join(projectDirectory, 'chaos', 'targets') },
      env: { STORE_URL: 'redis://{redis}' },
      topologies: ['single'],
      take: {
        method: 'POST',
        path: '/check',
        headers: { 'content-type': 'application/json' },
        body: '{"key":"{key}","cost":{cost}}',
      },
      answer: {
        allowed: { status: 200, pointer: '/allowed', equals: true },
        denied: { status: 200, pointer: '/allowed', equals: false },
        remaining: [{ pointer: '/remaining' }],
        source: { header: 'x-decided-by', words: { shared: 'store', local: 'memory' } },
      },
      promises: ['source', 'remaining'],
      bounds: { capacity: 10, refillPerSecond: 2, fallbackCapacity: 5, fallbackRefillPerSecond: 1 },
      ready: [{ path: '/healthz', status: '2xx' }],
      idlePath: '/healthz',
      breaker: { path: '/breaker' },
    });
  });

  it('that says no more than it must is the short way with a name', () => {
    const start = { command: ['node', 'api.js'], directory: directory.path };
    expect(read(withField(''))).toEqual({ ...plain, name: 'my-api', start });
  });

  it('may be JSON, and lie anywhere', () => {
    const text = JSON.stringify({ name: 'my-api', start: { command: 'x', env: { A: 1, B: true } } });
    expect(read(text, 'limiter.json').env).toEqual({ A: '1', B: 'true' });
    expect(named('./limiter.json').name).toBe('my-api');
    expect(named(join(directory.path, 'limiter.json'), '/').name).toBe('my-api');
  });

  it('is told of with every mistake in it, each with its place', () => {
    const text = `
name: My API
start: {command: node api.js && true, env: {PORT: 80, 2x: a}, cdw: ..}
take: {pth: /check, method: get, headers: {host: a, x-key: "{key}"}}
answer: {allowed: {status: 700}, denied: {pointer: allowed, equals: [no]}, remaining: {header: "x y"}}
bounds: {capacity: 0, refillPerSecond: -1}
`;
    expect(mistakes(text)).toEqual([
      'name is "My API"; allowed: lower-case words with hyphens',
      'start.command is "node api.js && true"; allowed: a program and its arguments, and it has &, which only a shell understands; write sh -c \'…\'',
      'start.env.PORT is no field; allowed: other variables than HOST, PORT, which the lab gives each instance',
      'start.env.2x is no field; allowed: names of letters, digits and _',
      'start.cdw is no field; allowed: command, cwd, env',
      'take.method is "get"; allowed: GET, POST, PUT, PATCH, DELETE',
      'take.headers.host is no field; allowed: names of headers other than host, content-length, transfer-encoding, connection, expect',
      'take.pth is no field; allowed: method, path, headers, body',
      'answer.allowed.status is 700; allowed: a status from 100 to 599, or a class such as 2xx',
      'answer.denied.pointer is "allowed"; allowed: a JSON Pointer such as /allowed',
      'answer.denied.equals is ["no"]; allowed: text, a number, true, false or null',
      'answer.remaining.header is "x y"; allowed: the name of a header',
      'bounds.capacity is 0; allowed: a number over 0',
      'bounds.refillPerSecond is -1; allowed: a number over 0',
    ]);
  });

  it.each([
    ['answer: {allowed: {}}', 'answer.allowed is {}; allowed: a status, or pointer and equals, or all three'],
    [
      'answer: {allowed: {status: 200, pointer: /a}}',
      'answer.allowed is {"status":200,"pointer":"/a"}; allowed: a status, or pointer and equals, or all three',
    ],
    ['answer: {source: x-by}', 'answer.source is "x-by"; allowed: header: NAME, or pointer: /PATH'],
    [
      'take: {path: check}',
      'take.path is "check"; allowed: a path that begins with /, in characters of ASCII without spaces',
    ],
    ['take: {body: "{key}"}', 'take is {"body":"{key}"}; allowed: a body with another method than GET'],
    ['take: {path: "/{KEY}"}', 'take.path is "/{KEY}"; allowed: no other words in braces than {key} and {cost}'],
    [
      'take: {path: "/{user}/{key}"}',
      'take.path is "/{user}/{key}"; allowed: no other words in braces than {key} and {cost}',
    ],
    [
      'take: {headers: {x-key: "{key}", x-cost: "{Cost}"}}',
      'take.headers.x-cost is "{Cost}"; allowed: {key} and {cost} in lower case',
    ],
    [
      'take: {method: POST, path: "/{key}", body: "a={Key}"}',
      'take.body is "a={Key}"; allowed: {key} and {cost} in lower case',
    ],
    ['take: {headers: {x-key: a}}', 'take is {"headers":{"x-key":"a"}}; allowed: {key} in path, headers or body'],
    [
      'take: {headers: {x-key: "{key}\\r\\nx: y"}}',
      'take.headers.x-key is "{key}\\r\\nx: y"; allowed: text in characters of ASCII, on one line',
    ],
    ['topologies: []', 'topologies is []; allowed: single, cluster, sentinel'],
    ['topologies: [ring]', 'topologies.0 is "ring"; allowed: single, cluster, sentinel'],
    [
      'ready: {path: /, equals: 1}',
      'ready is {"path":"/","equals":1}; allowed: a status, or pointer and equals, or all three',
    ],
    ['name: twice', 'line 3: Map keys must be unique'],
    ['bounds: {capacity: .nan}', 'bounds.capacity is NaN; allowed: a number over 0'],
    ['bounds: {capacity: 1e999}', 'bounds.capacity is Infinity; allowed: a number over 0'],
    [
      'answer: {remaining: {pointer: /a~2}}',
      'answer.remaining.pointer is "/a~2"; allowed: a JSON Pointer such as /allowed',
    ],
    ['---\nname: b', 'line 3: a second document begins; allowed: one'],
    ['take: &take {headers: {x-key: *take}}', 'line 3: *take stands in &take, and so in itself'],
    ['take: {path: /', 'line 4: Flow map in block collection must be sufficiently indented and end with a }'],
  ])('is refused for %s', (field, mistake) => {
    expect(mistakes(withField(field))).toEqual([mistake]);
  });

  it.each([
    [
      '',
      'it is null; allowed: a mapping with the fields name, start, topologies, take, answer, bounds, ready, breaker',
    ],
    ['name: a', 'start is missing; allowed: command: CMD, image: NAME, or url: ADDRESS'],
    ...[
      ['{redis: fallback}', 'fallback'],
      ['{fallback: redis}', 'redis'],
      ['{redis: memory, fallback: memory}', 'memory'],
    ].map(([words, word]) => [
      `name: a\nstart: {command: x}\nanswer: {source: {header: x-by, ${words?.slice(1)}}`,
      `answer.source has "${word}" for redis and for fallback; allowed: two words`,
    ]),
    ['name: a\nstart: {command: x, cwd: nowhere}', 'start.cwd is "nowhere"; allowed: a directory that exists'],
    ['name: a\nstart: {command: x, cwd: my-api.yaml}', 'start.cwd is "my-api.yaml"; allowed: a directory that exists'],
    ...targetNames.map((name) => [
      `name: ${name}\nstart: {command: x}`,
      `name is "${name}", which is another target's`,
    ]),
    ...[
      ['{allowed: {status: 429}}', '{"status":429}', '{"status":429}'],
      ['{denied: {status: 200}}', '{"status":"2xx"}', '{"status":200}'],
      [
        '{denied: {status: 200, pointer: /ok, equals: false}}',
        '{"status":"2xx"}',
        '{"status":200,"pointer":"/ok","equals":false}',
      ],
      ['{allowed: {status: 4xx}, denied: {status: 4xx}}', '{"status":"4xx"}', '{"status":"4xx"}'],
      [
        '{allowed: {pointer: /ok, equals: true}, denied: {pointer: /ok, equals: true}}',
        '{"pointer":"/ok","equals":true}',
        '{"pointer":"/ok","equals":true}',
      ],
    ].map(([answer, allowed, denied]) => [
      `name: a\nstart: {command: x}\nanswer: ${answer}`,
      `answer.denied is ${denied}, but whatever fits answer.allowed, ${allowed}, is allowed`,
    ]),
    [
      `a: &a [x]\n${'b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c]'}`,
      'Excessive alias count indicates a resource exhaustion attack',
    ],
  ])('is refused that is %j', (text = '', mistake = '') => {
    expect(mistakes(text)).toEqual([mistake]);
  });

  it('may name an image, or an address', () => {
    const image = read('name: a\nstart: {image: "ghcr.io/you/limiter:1", env: {STORE: "{redis}"}}');
    expect([image.start, image.env]).toEqual([{ image: 'ghcr.io/you/limiter:1', port: 8080 }, { STORE: '{redis}' }]);
    expect(read('name: a\nstart: {image: x, port: 80}').start).toEqual({ image: 'x', port: 80 });
    const running = read('name: a\nstart: {url: "https://a.example/"}\nbounds: {capacity: 5, refillPerSecond: 1}');
    expect([running.start, running.env, running.bounds]).toEqual([
      { url: 'https://a.example' },
      {},
      { capacity: 5, refillPerSecond: 1, fallbackCapacity: 0, fallbackRefillPerSecond: 0 },
    ]);
  });

  it.each([
    [
      '{url: "127.0.0.1:9000"}',
      'start.url is "127.0.0.1:9000"; allowed: an address such as http://127.0.0.1:9000, without a path',
    ],
    [
      '{url: "http://a/b"}',
      'start.url is "http://a/b"; allowed: an address such as http://127.0.0.1:9000, without a path',
    ],
    ['{image: "a b"}', 'start.image is "a b"; allowed: the name of an image'],
    ['{image: a, port: 0}', 'start.port is 0; allowed: a whole number from 1 to 65535'],
    ['{image: a, cwd: .}', 'start.cwd is no field; allowed: image, port, env'],
    [
      '{image: a, command: b}',
      'start is {"image":"a","command":"b"}; allowed: command: CMD, image: NAME, or url: ADDRESS',
    ],
  ])('that is started by %s is refused', (start, mistake) => {
    expect(mistakes(`name: a\nstart: ${start}\nbounds: {capacity: 1, refillPerSecond: 1}`)).toEqual([mistake]);
  });

  it('of what already runs has to say its limit', () => {
    expect(mistakes('name: a\nstart: {url: "http://a"}\nbounds: {capacity: 1}')).toEqual([
      'bounds is {"capacity":1}; allowed: capacity and refillPerSecond of what runs at start.url, which the lab cannot tell its limit',
    ]);
  });

  it('that is not there is told by the option', () => {
    expect(() => named('none.yaml')).toThrow(/^--target is "none\.yaml", which cannot be read: ENOENT/);
    expect(() => named('./')).toThrow(/^--target is "\.\/", which cannot be read: EISDIR/);
  });
});
