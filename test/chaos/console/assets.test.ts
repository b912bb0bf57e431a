import { describe, expect, it } from 'vitest';
import { assets } from '../../../chaos/console/assets.ts';

describe('the scripts of the console', () => {
  it('import nothing that the console does not serve', () => {
    const served = assets();
    const lost = [...served].flatMap(([path, { type, text }]) => {
      if (!type.startsWith('text/javascript')) return [];
      const imports = [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"](\.[^'"]+)['"]/g)].map(
        ([, found]) => found ?? '',
      );
      return imports
        .map((found) => new URL(found, `http://console${path}`).pathname)
        .filter((found) => !served.has(found))
        .map((found) => `${path} imports ${found}`);
    });
    expect(served.size).toBeGreaterThan(10);
    expect(lost).toEqual([]);
  });
});
