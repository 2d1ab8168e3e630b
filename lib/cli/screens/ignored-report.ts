import type { ReportProblem } from '../../report/parse-report.ts';
import { said } from './layout.ts';

const words: Readonly<Record<ReportProblem['reason'], string>> = {
  'not-json': 'it is not JSON',
  'newer-version': 'it was written by a newer mlops',
  malformed: 'it contradicts itself, or parts are missing',
  'wrong-path': 'it stands in the place of another run',
  'wrong-fingerprint': 'its fingerprint is not that of its own inputs',
};

/** Why a report is not believed; of what is not in the table (git's reasons) the word itself. */
export const ignoredWords = (reason: string): string =>
  Object.hasOwn(words, reason) ? words[reason as ReportProblem['reason']] : said(reason, 40);
