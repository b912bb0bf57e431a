// What a bad limiter says once its bad branch has run, on standard error, which the run keeps in logs/.

export const marker = 'the defect showed';

let said = false;

export function mark(): void {
  if (!said) process.stderr.write(`${marker}\n`);
  said = true;
}
