// Reads what a lab of the second version wrote: an answer said who decided in the words of the wire.

import { sourceKindOf } from '../targets/mechanisms.ts';

type Line = Readonly<Record<string, unknown>>;

/** Makes lines of version 2 into those of the present one. What it cannot read it leaves as it is. */
export const version2 = {
  upgraded(line: Line): Line {
    if (line.type === 'run') return { ...line, version: 3 };
    if (line.type !== 'answer' || !('mechanism' in line)) return line;
    const { mechanism, ...rest } = line;
    return { ...rest, source: sourceKindOf(mechanism) ?? mechanism };
  },
};
