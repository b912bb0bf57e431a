// The table of recorded runs and of the same runs simulated.

import { figure } from '../../chaos/report/figures.ts';
import type { PhaseFigures } from '../support/recorded-run.ts';
import { recordedRuns, replayed } from '../support/replay.ts';
import { table } from './markers.ts';

export async function replays(): Promise<string> {
  const rows: string[][] = [];
  for (const run of recordedRuns) {
    const simulated = await replayed(run);
    for (const [i, real] of run.phases.entries()) {
      const again = simulated.phases[i] as PhaseFigures;
      const both = (of: (figures: PhaseFigures) => number) => `${figure(of(real))} │ ${figure(of(again))}`;
      const share = (of: 'byStore' | 'allowed' | 'refused') =>
        `${(100 * real[of]).toFixed(1)} │ ${(100 * again[of]).toFixed(1)}`;
      const back = real.phase === 'heal' ? `${run.recoveryMs} │ ${simulated.recoveryMs}` : '';
      rows.push([
        i === 0 ? `\`${run.scenario}\`` : '',
        real.phase,
        both(({ requests }) => requests),
        share('byStore'),
        share('allowed'),
        share('refused'),
        both(({ openings }) => openings),
        back,
      ]);
    }
  }
  return table(['run', 'phase', 'requests', 'by Redis %', 'allowed %', 'refused %', 'openings', 'back after ms'], rows);
}
