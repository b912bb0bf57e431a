// The directory of files of rules, one domain a file, in the format of envoyproxy/ratelimit. Every mistake in all of them is
// found in one reading. Loaded only where there is such a directory, since what reads YAML is large.

import { soundItems } from '../field-shapes.ts';
import { readYaml, type Tell, textIn } from '../yaml-text.ts';
import { rulesFilesInSync } from './files.ts';
import { tellMistakes } from './mistakes.ts';
import { descriptor, rulesFile, type WrittenDomain } from './shape.ts';

/** Of one file, which has some five thousand descriptors then. To read so much takes seconds at worst. */
const bytesMax = 500_000;
const filesMax = 100;
/** Fifteen descriptors below each other. */
const depthMax = 32;

/** YAML 1.1, as the reader of envoyproxy/ratelimit has it: `yes` is true, `<<` merges, and 1.10 is a text where one is due. */
const form = {
  schema: rulesFile,
  depthMax,
  version: '1.1',
  textFields: ['domain', 'key', 'value', 'name', 'unit'],
} as const;

/** What its files say; undefined when there are mistakes, which are added to `mistakes`, a line each. */
export function readRules(directory: string, mistakes: string[]): readonly WrittenDomain[] | undefined {
  const name = `RLS_CONFIG_DIR is ${JSON.stringify(directory)}, which`;
  let files: readonly string[];
  try {
    files = rulesFilesInSync(directory);
  } catch (error) {
    mistakes.push(`${name} cannot be read: ${(error as Error).message}`);
    return undefined;
  }
  if (files.length === 0 || files.length > filesMax) {
    mistakes.push(`${name} has ${files.length} files *.yaml or *.yml; allowed: 1 to ${filesMax}`);
    return undefined;
  }
  const before = mistakes.length;
  const domains = new Map<string, string>();
  const written = files.flatMap((file) => readFile(file, domains, mistakes) ?? []);
  return mistakes.length > before ? undefined : written;
}

/** `domains`: those of the files before it, each with its file. */
function readFile(file: string, domains: Map<string, string>, mistakes: string[]): WrittenDomain | undefined {
  const name = `RLS_CONFIG_DIR ${file}`;
  let text: string;
  try {
    text = textIn(file, bytesMax);
  } catch (error) {
    mistakes.push(`${name} cannot be read: ${(error as Error).message}`);
    return undefined;
  }
  const tellOfDomain = (domain: string, tell: Tell) => {
    const other = domains.get(domain);
    domains.set(domain, file);
    if (other) tell(['domain'], `is ${domain}, as in ${other}; allowed: each domain in one file`);
  };
  const check = ({ domain, descriptors }: WrittenDomain, tell: Tell) => {
    tellOfDomain(domain, tell);
    tellMistakes([...(descriptors ?? []).entries()], tell);
  };
  const checkParts = (value: unknown, tell: Tell) => {
    const { domain, descriptors } = (value ?? {}) as Partial<WrittenDomain>;
    if (typeof domain === 'string') tellOfDomain(domain, tell);
    tellMistakes(soundItems(descriptor, descriptors), tell);
  };
  return readYaml(text, { ...form, check, checkParts }, mistakes, name);
}
