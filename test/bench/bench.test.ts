import { describe, expect, it } from 'vitest';
import { UsageError } from '../../chaos/errors.ts';
import { LabCommand, temporaryDirectory } from '../support/lab-processes.ts';
import { processesOf } from '../support/scenario-runs.ts';
import { until } from '../support/until.ts';
import { contenders, peerOf } from './contenders.ts';
import { medianOf, ratiosTo, table } from './table.ts';

describe('the benchmark', () => {
  it('takes a peer as a name, a command and an address', () => {
    expect(peerOf('their service=env PORT=9000 ./limiter --fast@http://127.0.0.1:9000/check')).toEqual({
      name: 'their service',
      command: '/bin/sh',
      args: ['-c', 'exec env PORT=9000 ./limiter --fast'],
      url: 'http://127.0.0.1:9000/check',
    });
  });

  it.each(['limiter', 'name=command', 'name=@http://x', '=command@http://x', 'name=command@9000'])(
    'refuses the peer "%s" and says what is allowed',
    (text) => {
      expect(() => peerOf(text)).toThrow(new UsageError(`--peer is "${text}"; allowed: NAME=COMMAND@URL`));
    },
  );

  it('takes the middle of the rounds, or the mean of the two in the middle', () => {
    expect([medianOf([3, 1, 2]), medianOf([4, 1, 2, 3]), medianOf([])]).toEqual([2, 2.5, Number.NaN]);
  });

  it('compares with the reference in the same round, not with its median', () => {
    const figures = new Map([
      ['bare', [100, 200]],
      ['ours', [90, 100]],
    ]);
    const rows = ratiosTo('bare', figures, (value) => value);
    expect(rows).toEqual([
      { name: 'bare', values: [100, 200], ratios: [1, 1] },
      { name: 'ours', values: [90, 100], ratios: [0.9, 0.5] },
    ]);
    expect(table(rows, 'bare Express')).toBe(
      [
        '                median (range)     to bare Express',
        '  bare           150 (100–200)    1.00 (1.00–1.00)',
        '  ours             95 (90–100)    0.70 (0.50–0.90)',
      ].join('\n'),
    );
  });

  it('measures one thing at a time', async () => {
    await using bench = new LabCommand(['test/bench/main.ts', '--resp', '--grpc']);
    const { status, stderr } = await bench.ended;
    expect([status, stderr]).toEqual([254, '--grpc and --resp are two benchmarks; allowed: one at a time\n']);
  });

  it('ends all that it started when it is ended in the middle', async () => {
    using out = temporaryDirectory();
    await using bench = new LabCommand(['test/bench/main.ts', '--seconds', '600', '--out', out.path]);
    await until('all contenders', () => processesOf(bench.noted).length > contenders.length);
    bench.kill('SIGTERM');
    const { status, stderr } = await bench.ended;
    expect({ status, stderr, left: bench.left, undo: bench.undoFiles }).toEqual({
      status: 143,
      stderr: 'SIGTERM: everything that was started has been ended\n',
      left: [],
      undo: [],
    });
  });
});
