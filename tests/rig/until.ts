import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until something is so, and says what was waited for if it never is. */
export async function until(condition: () => Promise<boolean> | boolean, seconds = 60): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not so after ${seconds} s: ${condition}`);
    await sleep(50);
  }
}
