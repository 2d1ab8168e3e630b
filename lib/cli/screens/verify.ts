import { short } from '../../base/ids.ts';
import { unreachable } from '../../base/unreachable.ts';
import type { VerifyError, VerifyReport } from '../../commands/verify.ts';
import type { TipResult } from '../../commands/verify-tip.ts';
import type { RecogniseError } from '../../gate/recognise.ts';
import { headline } from '../../report/words.ts';
import { fingerprintTrouble } from './fingerprint-trouble.ts';
import { pipelineTrouble } from './gate-trouble.ts';
import { gitTrouble } from './git-trouble.ts';
import { lead, paragraph, said } from './layout.ts';
import type { Setting } from './setting.ts';
import { type Trouble, troubleLines, troubleOf, type Words } from './trouble.ts';
import { unknownRevision } from './why-trouble.ts';

/** `mlops verify RANGE…`: for whoever pushed, over the wire: so each line says all. */
export function verifyLines({ tips, nothingNew, passed }: VerifyReport, setting: Setting): readonly string[] {
  const { style } = setting;
  const colour = passed ? style.green : style.red;
  const missing = tips.filter(({ result }) => result.verdict !== 'pass').length;
  const head = passed
    ? tips.length === 0
      ? 'nothing new to verify'
      : tips.length === 1
        ? 'the tip has a pass'
        : `all ${tips.length} tips have a pass`
    : `${missing} of ${tips.length} ${tips.length === 1 ? 'tip has' : 'tips have'} no pass`;
  return [
    lead(colour(head)),
    ...tips.flatMap(({ tip, result }) => [
      ...paragraph(result.verdict, [`${short(tip)}  ${resultText(result)}`]),
      ...(result.verdict === 'unknown' ? troubleLines(troubleOf(unknownWords, result.error, setting), style) : []),
    ]),
    ...paragraph(
      'same',
      nothingNew.map((range) => `${said(range, 80)} has no new commit`),
    ),
  ];
}

const unknownWords: Words<RecogniseError> = {
  pipeline: ({ cause }, setting) => pipelineTrouble(cause, setting),
  fingerprint: ({ cause }, setting) => fingerprintTrouble(cause, setting),
  git: ({ cause }, setting) => gitTrouble(cause, setting),
};

function resultText(result: TipResult): string {
  switch (result.verdict) {
    case 'pass':
      return `${said(result.report.subject, 60)} (run ${short(result.report.fingerprint)})`;
    case 'fail':
      return headline(result.judged, result.baselines);
    case 'accepted':
    case 'skipped': {
      const { reason = '', by } = result.report.decision ?? {};
      return `“${said(reason, 120)}”${by === undefined ? '' : `, ${said(by, 60)}`}: this is not a pass`;
    }
    case 'error':
      return 'it was tried, and nothing is known about the model';
    case 'none':
      return 'no report that can be believed is for what this commit is: push it through `mlops`, or `mlops run` and publish';
    case 'unknown':
      return 'what this commit is could not be found out';
    default:
      return unreachable(result);
  }
}

const words: Words<VerifyError> = {
  'bad-range': ({ range }) => ({
    failed: `${said(range, 80)} is no range: OLD..NEW, or one revision`,
    next: [{ command: 'mlops verify OLD..NEW', what: 'as a server hook is given them' }],
  }),
  'unknown-revision': ({ revision }) => unknownRevision(revision),
  git: ({ cause }, setting) => gitTrouble(cause, setting),
};
export const verifyTrouble = (error: VerifyError, setting: Setting): Trouble => troubleOf(words, error, setting);
