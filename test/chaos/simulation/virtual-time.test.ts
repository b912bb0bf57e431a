import { describe, expect, it } from 'vitest';
import { Process, VirtualTime } from '../../../chaos/simulation/virtual-time.ts';

/** What happened, and when on the clock of its process, in milliseconds. */
async function lived(
  begin: (note: (what: string) => void, time: VirtualTime, process: Process) => void,
  driftRatio = 0,
) {
  const time = new VirtualTime(() => 0.25);
  const process = new Process('tested', driftRatio);
  const notes: string[] = [];
  const note = (what: string) => notes.push(`${what} ${performance.now().toFixed(1)}`);
  time.after(0, process, () => begin(note, time, process));
  await time.run(10_000_000);
  return notes;
}

describe('virtual time', () => {
  it("runs JavaScript's own timers in their order, and none that was called off", async () => {
    const notes = await lived((note) => {
      setTimeout(() => note('late'), 30);
      setTimeout(() => note('soon'), 10);
      clearTimeout(setTimeout(() => note('never'), 20));
      clearTimeout(undefined);
    });
    expect(notes).toEqual(['soon 10.0', 'late 30.0']);
  });

  it('repeats an interval until it is cleared, also by itself', async () => {
    const notes = await lived((note) => {
      let times = 0;
      const interval = setInterval(() => {
        note('again');
        if (++times === 3) clearInterval(interval);
      }, 100);
    });
    expect(notes).toEqual(['again 100.0', 'again 200.0', 'again 300.0']);
  });

  it('lets every promise that settled take effect before the next event', async () => {
    const notes = await lived((note) => {
      setTimeout(async () => {
        for (let i = 0; i < 50; i++) await null;
        note('promise');
      }, 10);
      setTimeout(() => note('next'), 10);
    });
    expect(notes).toEqual(['promise 10.0', 'next 10.0']);
  });

  it('holds back what falls due while its process stands still: timers first, then what the network brought', async () => {
    const notes = await lived((note, time, process) => {
      time.after(20_000, process, () => note('message'));
      setTimeout(() => note('timer'), 30);
      process.pausedUntilUs = 50_000;
    });
    expect(notes).toEqual(['timer 50.0', 'message 50.0']);
  });

  it('drops what is left of a process that has ended', async () => {
    const notes = await lived((note, time, process) => {
      setTimeout(() => note('never'), 20);
      time.after(10_000, new Process('other'), () => {
        process.isAlive = false;
      });
    });
    expect(notes).toEqual([]);
  });

  it("goes by its process's own clock", async () => {
    let trueUs = 0;
    const notes = await lived((note, time) => {
      setTimeout(() => {
        note('timer');
        trueUs = time.nowUs;
      }, 1000);
    }, 0.25);
    expect([notes, trueUs]).toEqual([['timer 1000.0'], 800_000]);
  });

  it('gives back clocks, timers and chance as they were', async () => {
    const before = [setTimeout, setImmediate, performance.now, Date.now, Math.random];
    const notes = await lived((note) => note(`${Math.random()}`));
    expect([setTimeout, setImmediate, performance.now, Date.now, Math.random]).toEqual(before);
    expect(notes).toEqual(['0.25 0.0']);
  });

  it('ends with the first error that an event throws, and with clocks as they were', async () => {
    const { now } = performance;
    const thrown = lived(() => {
      throw new Error('a defect');
    });
    await expect(thrown).rejects.toThrow('a defect');
    expect(performance.now).toBe(now);
  });
});
