import { describe, expect, test } from '@jest/globals';
import { asFingerprint, asOid } from '../../lib/base/ids.ts';
import { pruneLines, pruneTrouble } from '../../lib/cli/screens/prune.ts';
import { troubleLines } from '../../lib/cli/screens/trouble.ts';
import type { PrunedReport, Pruning } from '../../lib/commands/prune-reports.ts';
import type { GitError } from '../../lib/git/errors.ts';
import { golden } from '../rig/golden.ts';
import { dangerous, evil, screen, setting, tooWide } from '../rig/screen.ts';

const report = (at: number, more: Partial<PrunedReport> = {}): PrunedReport => ({
  fingerprint: asFingerprint((at % 16).toString(16).repeat(64)),
  id: `202603${String(28 - (at % 28)).padStart(2, '0')}T110000Z-a1b2c3`,
  commit: asOid((at % 16).toString(16).repeat(40)),
  subject: `Change ${at}`,
  outcome: at % 4 === 1 ? 'fail' : 'pass',
  ...more,
});
const pruning: Pruning = {
  pruned: Array.from({ length: 40 }, (_, at) => report(at, at === 37 ? { outcome: 'accepted' } : {})),
  left: 112,
  inUse: 3,
  unreadable: 0,
};
const again = 'mlops gc --reports --older-than 180';
const unreachable: GitError = { reason: 'unreachable', args: ['fetch'], code: 128, stderr: 'fatal: what git said' };

describe('mlops gc --reports', () => {
  test.each<[string, string, Pruning]>([
    ['done', again, { ...pruning, published: { kind: 'published', tries: 1 } }],
    ['dry-run', `${again} --dry-run`, { ...pruning, unreadable: 2 }],
    ['kept-here', again, { ...pruning, published: { kind: 'refused', tries: 1, error: unreachable } }],
    ['nothing', again, { pruned: [], left: 1, inUse: 0, unreadable: 0 }],
  ])('%s: names what goes and what stays, and always what a person has accepted', (name, command, facts) => {
    const dryRun = command.endsWith('--dry-run');
    const lines = pruneLines(facts, { branch: 'mlops', dryRun }, { ...setting, again: command });
    const text = screen(command, lines);
    expect(text).toBe(golden(`screens/gc-reports-${name}.txt`, text));
    expect(tooWide(lines)).toEqual([]);
  });

  test('says why nothing was pruned, and shows hostile text as text', () => {
    const at = { ...setting, again };
    const trouble = pruneTrouble({ reason: 'not-fetched', remote: 'origin', cause: unreachable }, at);
    const text = screen(again, troubleLines(trouble, at.style));
    expect(text).toBe(golden('screens/trouble-gc-reports.txt', text));
    const hostile = { ...pruning, pruned: [report(1, { subject: evil })] };
    const lines = [
      ...pruneLines(hostile, { branch: evil, dryRun: false }, at),
      ...troubleLines(pruneTrouble({ reason: 'not-fetched', remote: evil, cause: unreachable }, at), at.style),
    ];
    expect(dangerous(lines)).toEqual([]);
    expect(tooWide(lines)).toEqual([]);
  });
});
