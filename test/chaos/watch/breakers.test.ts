import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Environment } from '../../../chaos/environment.ts';
import { faultOf } from '../../../chaos/faults/index.ts';
import type { BreakerEvent } from '../../../chaos/history.ts';
import { BreakerWatch } from '../../../chaos/watch/breakers.ts';
import { zeroIn } from '../../../chaos/watch/observer.ts';
import { Recorder } from '../../../chaos/watch/recorder.ts';
import { usualBounds } from '../../support/history-builder.ts';
import { fault } from '../../support/history-events.ts';
import { temporaryDirectory } from '../../support/lab-processes.ts';

describe('the watch over breakers', () => {
  it.each([
    ['instance-kill', 'open', ['open', 'gone']],
    ['instance-kill', 'closed', ['closed']],
    ['instance-stop', 'open', ['open']],
  ])('after %s of an instance whose breaker is %s tells of %j', async (kind, to, told) => {
    using directory = temporaryDirectory();
    const zero = zeroIn(-1000);
    const server = createServer((_request, response) => {
      const transitions = [{ atMs: zero.epochMs + 500, from: 'half-open', to }];
      response.end(JSON.stringify({ breaker: { state: to, transitions } }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (!address || typeof address === 'string') throw new Error('no port');
    const url = `http://127.0.0.1:${address.port}`;
    using recorder = new Recorder(directory.path, 'mine', 1, new Date(), () => {});
    const environment = { instances: [{ name: 'limiter-1', url }] } as unknown as Environment;
    const watch = new BreakerWatch(environment, { breaker: { path: '/' } }, zero, recorder);
    await watch.look();
    const facts = faultOf({ kind }).facts(usualBounds);
    recorder.record(fault('inject', 900, { ...facts, target: 'limiter-2' }));
    recorder.record(fault('inject', 900, { ...facts, target: 'limiter-1' }));
    const moves = recorder.events.filter((event): event is BreakerEvent => event.type === 'breaker');
    expect(moves.map((move) => move.to)).toEqual(told);
    await new Promise((resolve) => server.close(resolve));
  });

  it('tells each move once, and when it was by the clock of the lab, of an instance whose clock drifts', async () => {
    using directory = temporaryDirectory();
    const zero = zeroIn(-2000);
    const transitions = [{ atMs: zero.epochMs + 500, from: 'closed', to: 'open' }];
    const server = createServer((_request, response) => response.end(JSON.stringify({ breaker: { transitions } })));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (!address || typeof address === 'string') throw new Error('no port');
    using recorder = new Recorder(directory.path, 'mine', 1, new Date(), () => {});
    let gained = 0;
    const clock = { gainedMs: () => gained };
    const instances = [{ name: 'limiter-1', url: `http://127.0.0.1:${address.port}`, clock }];
    const environment = { instances } as unknown as Environment;
    const watch = new BreakerWatch(environment, { breaker: { path: '/' } }, zero, recorder);
    await watch.look();
    for (gained of [3.3331, 100.0007, -20.01]) await watch.look();
    transitions.push({ atMs: zero.epochMs + 980, from: 'open', to: 'half-open' });
    await watch.look();
    const moves = recorder.events.filter((event): event is BreakerEvent => event.type === 'breaker');
    expect(moves.map(({ to, atMs }) => [to, Math.round(atMs)])).toEqual([
      ['open', 500],
      ['half-open', 1000],
    ]);
    await new Promise((resolve) => server.close(resolve));
  });
});
