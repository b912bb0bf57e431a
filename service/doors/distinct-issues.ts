import type { z } from 'zod';

/** Each thing that is wrong once: a number may be wrong in two ways, and what is allowed is one. */
export function distinctIssues(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue[] {
  const told = new Set<string>();
  return issues.filter(({ path, message }) => {
    const id = JSON.stringify([path, message]);
    const isNew = !told.has(id);
    told.add(id);
    return isNew;
  });
}
