import { short } from '../../base/ids.ts';
import { type CommitReport, placeName } from '../../commands/post-commit.ts';
import { changesText } from '../../report/changes.ts';
import { formatDuration } from '../../report/numbers.ts';
import { joined, lead, said } from './layout.ts';

/** The one line after a commit: what changed that counts, and what a push will do about it. */
export function commitLine({ identified, isKnown, before }: CommitReport): string {
  const where = said(placeName(identified.config), 40);
  const { inherited } = identified;
  const absent =
    inherited.length > 0 && `${inherited.map((entry) => said(entry, 40)).join(', ')}: not here, taken as last recorded`;
  const known = isKnown && 'its metrics are known, a push trains nothing';
  if (before === undefined) return lead(joined(['recorded', absent, known || `a push trains on ${where}`]));
  const { changes, outcome, seconds, commit } = before;
  if (changes.length === 0) {
    const holds = outcome === undefined || outcome === 'error' || outcome === 'skipped' ? undefined : outcome;
    const known = `the verdict of ${short(commit)} still holds (${holds})`;
    return lead(
      joined([
        'nothing that counts has changed',
        absent,
        holds === undefined ? `the same run as ${short(commit)}` : known,
      ]),
    );
  }
  const { changed, same } = changesText(changes);
  const named = changed.slice(0, 3).map(({ what }) => said(what, 40));
  const more = changed.length > named.length ? ` and ${changed.length - named.length} more` : '';
  const took = seconds === undefined ? '' : ` about ${formatDuration(Math.max(1, seconds))}`;
  const dataIs = Object.keys(identified.inputs.data).length > 0 && same.includes('data') && 'data unchanged';
  return lead(
    joined([`changed: ${named.join(', ')}${more}`, absent || dataIs, known || `a push trains${took} on ${where}`]),
  );
}
