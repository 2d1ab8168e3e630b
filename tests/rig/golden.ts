import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The text that a golden file holds. With UPDATE_GOLDEN=1 it is written first; look at the difference before it is committed. */
export function golden(name: string, actual: string): string {
  const path = join(import.meta.dirname, '../unit/golden', name);
  if (process.env.UPDATE_GOLDEN === '1') {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, actual);
  }
  return readFileSync(path, 'utf8');
}
