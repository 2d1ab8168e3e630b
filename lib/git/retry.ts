import { setTimeout } from 'node:timers/promises';

/** A random wait that grows with each try up to `most`: writers that met once do not meet again. */
export function jitter(attempt: number, most: number): Promise<void> {
  return setTimeout(Math.random() * Math.min(most, 10 * 2 ** attempt));
}
