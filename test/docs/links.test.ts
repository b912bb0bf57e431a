// Every link within the repository leads somewhere, and one that does not is found.

import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectDirectory } from './documents.ts';
import { markdownPages, readIfThere, targetsOf, whyLost } from './links.ts';

describe('the links of the documents', () => {
  it.each(markdownPages)('of %s lead to files and headings that are there', (page) => {
    const lost = targetsOf(readIfThere(page) ?? '').flatMap((target) => whyLost(page, target, readIfThere) ?? []);
    expect(lost).toEqual([]);
  });

  it('are on every page that a reader is sent to', () => {
    const pages = ['README.md', '.github/CONTRIBUTING.md', 'grafana/README.md', 'prometheus/README.md'];
    const rooms = ['service', 'chaos'].flatMap((room) => [`${room}/README.md`, `${room}/JOURNAL.md`]);
    const ofPackage = ['service/package/README.md', 'service/package/SWITCHING.md'];
    const others = ['service/DESIGN.md', ...ofPackage, 'chaos/JUDGE.md', 'test/bench/README.md'];
    const all = [...pages, ...rooms, ...others];
    expect(markdownPages.toSorted()).toEqual(all.toSorted());
    const linked = targetsOf(readIfThere('README.md') ?? '').map((target) => target.split('#')[0]);
    expect(all.filter((page) => page !== 'README.md' && !linked.includes(page))).toEqual([]);
  });

  it('of the package’s own pages lead to what is packed with them', () => {
    const { files } = JSON.parse(readFileSync(join(projectDirectory, 'package.json'), 'utf8')) as { files: string[] };
    const led = ['service/package/README.md', 'service/package/SWITCHING.md'].flatMap((page) =>
      targetsOf(readIfThere(page) ?? '').flatMap((target) => {
        const [file = ''] = target.split('#');
        return /^https?:/.test(target) || file === '' ? [] : [normalize(join(dirname(page), file))];
      }),
    );
    expect(led).toContain('service/README.md');
    expect(led.filter((file) => !files.includes(file))).toEqual([]);
  });

  it('are found in prose, pictures and tables, and not in code', () => {
    const page =
      'See [a](a.md) and ![b](b.png).\n| [`c`](c.md#d) |\n<img src="e.svg">\n`[f](f.md)`\n```\n[g](g.md)\n```\n';
    expect(targetsOf(page)).toEqual(['a.md', 'b.png', 'c.md#d', 'e.svg']);
  });

  it('would be caught without their file, without their heading, and out of the repository', () => {
    const read = (path: string) => ({ 'x/README.md': '# Here\n', 'x/other.md': '## There is\n' })[path];
    const why = (target: string) => whyLost('x/README.md', target, read);
    expect(['#here', 'other.md', 'other.md#there-is', 'https://example.com/none'].map(why)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(['#gone', 'gone.md', 'other.md#here', '../../README.md'].map(why)).toEqual([
      'x/README.md: #gone: x/README.md has no heading for #gone',
      'x/README.md: gone.md: there is no x/gone.md',
      'x/README.md: other.md#here: x/other.md has no heading for #here',
      'x/README.md: ../../README.md: there is no ../README.md',
    ]);
  });
});
