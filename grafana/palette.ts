// The colours of the pictures, on light and on dark paper. What a dashboard gives a colour has it here as well.

export interface Colours {
  readonly paper: string;
  readonly ink: string;
  readonly muted: string;
  readonly rule: string;
  /** Under a fault. */
  readonly shade: string;
  /** What the dashboards call so. */
  readonly named: Readonly<Record<'green' | 'orange' | 'red' | 'blue', string>>;
  /** For lines whose colour the dashboards leave open. */
  readonly others: readonly string[];
}

export type Scheme = 'light' | 'dark';

export const schemes: Readonly<Record<Scheme, Colours>> = {
  light: {
    paper: '#ffffff',
    ink: '#1b1f24',
    muted: '#545d68',
    rule: '#d5d9df',
    shade: '#f7e0da',
    named: { green: '#7fc59a', orange: '#d98a3d', red: '#b3261e', blue: '#2b63c6' },
    others: ['#1f7a8c', '#111d4a', '#7b3fa0', '#8c6d1f', '#2f7d4f', '#5a6470'],
  },
  dark: {
    paper: '#0d1117',
    ink: '#e8ebef',
    muted: '#a8b1bc',
    rule: '#30363d',
    shade: '#3b1f1b',
    named: { green: '#2f7d4f', orange: '#e0873a', red: '#ff8a7f', blue: '#6ea0ff' },
    others: ['#5fd0e3', '#f4f6ff', '#c792ea', '#e0c066', '#7fd6a0', '#aab4bf'],
  },
};

/** A colour that the dashboards name; without one, that of its place. */
export function colourOf({ named, others, ink }: Colours, name: string | undefined, index: number): string {
  return new Map(Object.entries(named)).get(name ?? '') ?? others[index % others.length] ?? ink;
}
