// Which rule a request's descriptor falls under, exactly as envoyproxy/ratelimit finds it. Each entry is looked up by its key
// and value joined with `_`, then among the wildcards in the order of the file, then by its key alone. Only a descriptor
// that has as many entries as the rule is deep falls under it.

import { createHash } from 'node:crypto';
import { keyLengthMax } from '../client-key.ts';
import type { RlsLevel, RlsRule, RlsRules } from './rules.ts';

export interface RlsEntry {
  readonly key: string;
  /** May be empty. */
  readonly value: string;
}

export interface RlsMatch {
  readonly rule: RlsRule;
  /** Whose bucket a request takes from. */
  readonly key: string;
}

/** The rule of a descriptor; undefined when nothing limits it. */
export function matchOf(rules: RlsRules, domain: string, entries: readonly RlsEntry[]): RlsMatch | undefined {
  let level: RlsLevel | undefined = rules.get(domain);
  let rule: RlsRule | undefined;
  let counted = entries;
  for (const [i, entry] of entries.entries()) {
    if (!level) return undefined;
    const found = lookUp(level, entry);
    if (!found) return undefined;
    if (found.sharedValue !== undefined) counted = counted.with(i, { key: entry.key, value: found.sharedValue });
    rule = found.rule;
    level = found;
  }
  return rule && { rule, key: keyOfEntries(domain, counted) };
}

function lookUp({ descriptors, wildcards }: RlsLevel, { key, value }: RlsEntry) {
  const joined = `${key}_${value}`;
  const exact = descriptors.get(joined);
  if (exact) return exact;
  const wildcard = wildcards.find(({ parts }) => matchesParts(joined, parts));
  return wildcard ? wildcard.descriptor : descriptors.get(key);
}

/** Whether the text is these parts, in their order, with anything between them. */
export function matchesParts(text: string, parts: readonly string[]): boolean {
  const first = parts[0] as string;
  const last = parts.at(-1) as string;
  const end = text.length - last.length;
  let at = first.length;
  if (at > end || !text.startsWith(first) || !text.endsWith(last)) return false;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

/**
 * Without the rules that another one of the same request replaces: undefined stands in their place. A rule that is replaced
 * replaces others all the same. An unlimited one stays, since it refuses nobody.
 */
export function withoutReplaced(matches: readonly (RlsMatch | undefined)[]): readonly (RlsMatch | undefined)[] {
  const replaced = new Set(matches.flatMap((match) => match?.rule.replaces ?? []));
  if (replaced.size === 0) return matches;
  return matches.map((match) => {
    const { name, rate } = match?.rule ?? {};
    return rate && name !== undefined && replaced.has(name) ? undefined : match;
  });
}

/**
 * The key of a descriptor: what it says, escaped, so that no two descriptors meet in one key; a hash where that is long.
 *
 *     edge: remote_address = 192.0.2.1 ─▶ rls:edge|remote_address=192.0.2.1
 */
export function keyOfEntries(domain: string, entries: readonly RlsEntry[]): string {
  let text = escaped(domain);
  for (const { key, value } of entries) text += `|${escaped(key)}=${escaped(value)}`;
  if (text.length <= keyLengthMax) return `rls:${text}`;
  return `rls:=${createHash('sha256').update(text).digest('base64url')}`; // no domain begins with = when it is escaped
}

function escaped(text: string): string {
  return /[%|=]/.test(text) ? text.replace(/[%|=]/g, encodeURIComponent) : text;
}
