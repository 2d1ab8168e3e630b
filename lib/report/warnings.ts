import { findingText } from './finding-words.ts';
import { readingIn } from './required.ts';
import type { Report } from './types.ts';
import { checkText } from './words.ts';

/** What a report warns of, a sentence each: limits that were missed and block nothing, then everything else that looks odd. */
export function warningTexts({
  verdict,
  run,
  baselines,
}: Pick<Report, 'verdict' | 'run' | 'baselines'>): readonly string[] {
  const missed = (verdict?.advisory ?? [])
    .filter(({ level, outcome }) => level === 'warn' && (outcome === 'not-met' || outcome === 'undecided'))
    .map((check) => checkText(check, readingIn(run, verdict, check.metric), baselines, 'warning limit'));
  return [...missed, ...(verdict?.warnings ?? []).map(findingText)];
}

/** What was seen of a run and speaks against nothing: for those who read the whole report. */
export const notedTexts = ({ verdict, run }: Pick<Report, 'verdict' | 'run'>): readonly string[] =>
  [...(verdict?.noted ?? []), ...(run?.findings ?? [])].filter(({ severity }) => severity === 'info').map(findingText);
