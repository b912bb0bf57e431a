// The text of a policies file.

import { soundItems } from './field-shapes.ts';
import type { PoliciesOptions } from './policies.ts';
import { tellMistakes } from './policies-mistakes.ts';
import { type PoliciesFile, policiesFile, policy, type WrittenPolicy } from './policies-shape.ts';
import { readYaml, type Tell, textIn } from './yaml-text.ts';

/** Half a kilobyte for each of a thousand policies. To read so much takes seconds at worst. */
const bytesMax = 500_000;
/** Policies have fewer. */
const depthMax = 20;

/** The policies in the file at `path`; undefined when there are mistakes, which are added to `mistakes`, a line each. */
export function readPolicies(
  path: string,
  options: PoliciesOptions,
  mistakes: string[],
): readonly WrittenPolicy[] | undefined {
  let text: string;
  try {
    text = textIn(path, bytesMax);
  } catch (error) {
    mistakes.push(`POLICIES_FILE is ${JSON.stringify(path)}, which cannot be read: ${(error as Error).message}`);
    return undefined;
  }
  return policiesIn(text, options, mistakes, `POLICIES_FILE ${path}`);
}

/** The same of the file's text; `name` is how the mistakes call the file. */
export function policiesIn(
  text: string,
  options: PoliciesOptions,
  mistakes: string[],
  name: string,
): readonly WrittenPolicy[] | undefined {
  const form = {
    schema: policiesFile,
    depthMax,
    check: ({ policies }: PoliciesFile, tell: Tell) => tellMistakes([...policies.entries()], options, tell),
    checkParts: (value: unknown, tell: Tell) =>
      tellMistakes(soundItems(policy, (value as Partial<PoliciesFile> | null)?.policies), options, tell),
  };
  return readYaml(text, form, mistakes, name)?.policies;
}
