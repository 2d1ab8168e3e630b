import { closeSync, openSync } from 'node:fs';

export function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r+'));
    return true;
  } catch {
    return false; // no controlling terminal: an editor, a cron job, CI
  }
}
