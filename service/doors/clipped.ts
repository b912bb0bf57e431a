// What somebody wrote, in a text that tells them of it: as much as it takes to know it again.

export const shownMax = 100;

export function clipped(text: string, charactersMax = shownMax): string {
  return text.length > charactersMax ? `${text.slice(0, charactersMax)}…` : text;
}
