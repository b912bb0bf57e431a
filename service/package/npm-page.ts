// The page that npmjs.com shows of the package: README.md beside it, without the links that lead nowhere from there. npm
// packs the README.md of the root whatever it is told, so this one stands in its place while it packs. The tarball is what
// to publish: from the folder, npm would tell the registry the README.md that is back in its place by then.

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, normalize } from 'node:path';

const folder = 'service/package';

/** `page`: of the folder of the package. A link to a file becomes the name of that file in the tarball. */
export function pageForNpm(page: string): string {
  return page.replace(/\[([^\]]+)\]\((?!https?:|#)([^)#]+)[^)]*\)/g, (_, text: string, target: string) => {
    return `${text} (\`${normalize(join(folder, target))}\`)`;
  });
}

/** Puts the page in the place of README.md, which it keeps as `.README.md`: `postpack` puts it back. */
export function putPage(root: string): void {
  const readme = join(root, 'README.md');
  const kept = join(root, '.README.md');
  const page = pageForNpm(readFileSync(join(root, folder, 'README.md'), 'utf8'));
  const isPut = readFileSync(readme, 'utf8') === page; // of one that was interrupted
  if (!isPut || !existsSync(kept)) renameSync(readme, kept);
  writeFileSync(readme, page);
}
