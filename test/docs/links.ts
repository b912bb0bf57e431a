// Every link of every page, and whether it leads anywhere within this repository.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { sectionsOf } from '../support/markdown.ts';
import { projectDirectory } from './documents.ts';

/** Of git, and those that are new. */
export const markdownPages: readonly string[] = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'],
  { cwd: projectDirectory, encoding: 'utf8' },
)
  .trim()
  .split('\n')
  .filter((path) => existsSync(join(projectDirectory, path)));

/** What the page's links and pictures name, outside of code. */
export function targetsOf(page: string): string[] {
  const prose = page.replaceAll(/^```.*?^```/gms, '').replaceAll(/`[^`\n]*`/g, 'code');
  const inline = [...prose.matchAll(/\]\(([^)\s]+)(?: "[^"]*")?\)/g)].map(([, target]) => target as string);
  const html = [...prose.matchAll(/\b(?:href|src|srcset)="([^"\s]+)"/g)].map(([, target]) => target as string);
  return [...inline, ...html];
}

/** Why a target leads nowhere; undefined when it leads somewhere, or out of the repository. `read`: a file's text, if it is there. */
export function whyLost(page: string, target: string, read: (path: string) => string | undefined): string | undefined {
  if (/^(https?|mailto):/.test(target)) return undefined;
  const [file = '', anchor] = target.split('#');
  const path = file === '' ? page : normalize(join(dirname(page), file));
  const text = read(path);
  if (text === undefined) return `${page}: ${target}: there is no ${path}`;
  if (anchor === undefined) return undefined;
  const found = sectionsOf(text).some(({ slug }) => slug === anchor);
  return found ? undefined : `${page}: ${target}: ${path} has no heading for #${anchor}`;
}

export function readIfThere(path: string): string | undefined {
  const at = join(projectDirectory, path);
  if (path.startsWith('..') || !existsSync(at)) return undefined;
  return path.endsWith('.md') ? readFileSync(at, 'utf8') : '';
}
