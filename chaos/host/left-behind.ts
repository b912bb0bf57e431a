// What is still there of what an undo record tells of. It is looked for when a run has ended, which must leave nothing,
// and before another one begins.

import { lstatSync } from 'node:fs';
import { explained } from '../errors.ts';
import { leftOfNamespace } from './namespace.ts';
import { isSame } from './process-identity.ts';
import { ToxiproxyApi } from './toxiproxy.ts';
import type { UndoEntry } from './undo-entry.ts';

/** One phrase for each thing; none when all of it is gone. Never rejects: what cannot be looked at may be there. */
export async function leftOf(entry: UndoEntry): Promise<string[]> {
  try {
    return await look(entry);
  } catch (error) {
    return [`what nobody can look at (${explained(error)})`];
  }
}

async function look(entry: UndoEntry): Promise<string[]> {
  switch (entry.kind) {
    case 'process':
      return isSame(entry.pid, entry.startedAt) ? [`${entry.name} (process ${entry.pid})`] : [];
    case 'directory':
    case 'file':
      return lstatSync(entry.path, { throwIfNoEntry: false }) ? [`the ${entry.kind} ${entry.path}`] : [];
    case 'namespace':
      return leftOfNamespace(entry.name);
    case 'labelled': {
      const { findEngine, labelled } = await import('./engine.ts');
      const { containers, networks } = await labelled(await findEngine(), entry.label);
      return [...containers, ...networks].map(({ what }) => `the ${what}`);
    }
    case 'container': {
      const { findEngine } = await import('./engine.ts');
      const { changeOf } = await import('./stack-redis.ts');
      const change = await changeOf(await findEngine(), entry);
      return change ? [`the stack's ${entry.name} (${change})`] : [];
    }
    case 'toxiproxy':
      return leftOnToxiproxy(entry);
    default:
      return entry satisfies never;
  }
}

/** Nothing when it does not answer: its toxics ended with it. */
async function leftOnToxiproxy({ url, links, proxies }: Extract<UndoEntry, { kind: 'toxiproxy' }>): Promise<string[]> {
  const toxiproxy = new ToxiproxyApi(url);
  const there = await toxiproxy.proxies().catch((): string[] => []);
  const left = proxies.filter((name) => there.includes(name)).map((name) => `the proxy ${name}`);
  for (const link of links.filter((name) => there.includes(name))) {
    const toxics = await toxiproxy.toxicsOf(link);
    if (toxics.length > 0) left.push(`${toxics.join(', ')} on ${link}`);
    if (!(await toxiproxy.isEnabled(link))) left.push(`${link}, which is disabled`);
  }
  return left;
}
