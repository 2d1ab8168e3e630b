import { short } from '../../base/ids.ts';
import { unreachable } from '../../base/unreachable.ts';
import type { WaitingOutcome } from '../../gate/outcome.ts';
import { formatDuration } from '../../report/numbers.ts';
import { statusText } from './job-status.ts';
import { joined, lead, said, under, widest, width, wrap } from './layout.ts';
import type { Setting } from './setting.ts';
import { type Next, nextLines } from './trouble.ts';

/** Why a push is not held any longer: who drops it, and after how many seconds. */
export interface Patience {
  readonly remote: string;
  readonly seconds: number;
}

/** The run goes on and nobody waits for it any more: what is known, what became of the push, and how to come back. */
export function waitingLines(outcome: WaitingOutcome, setting: Setting, patience?: Patience): readonly string[] {
  const { style } = setting;
  const { means, next } = wayBack(outcome, setting, patience);
  const [first = '', ...more] = wrap(waitingText(outcome, setting), widest - width(`mlops  ${headWord(outcome)}  `));
  return [
    lead(`${style.yellow(style.bold(headWord(outcome)))}  ${first}`),
    ...more.map((line) => under(line)),
    ...wrap(means, 90).map((line) => under(line)),
    ...nextLines(next, style),
    under(`the job goes on ${outcome.place === 'this machine' ? 'without this terminal' : 'if you close this laptop'}`),
  ];
}

const headWord = ({ why, last }: WaitingOutcome): string => {
  if (why === 'submitted' || last === undefined) return 'SUBMITTED';
  return last.state === 'running' ? 'RUNNING' : last.state === 'queued' ? 'QUEUED' : 'WAITING';
};

function waitingText({ fingerprint, job, attempt, place, last }: WaitingOutcome, { clock }: Setting): string {
  const status = last === undefined ? '' : statusText(last, clock).replace(/^(?:queued|running) · /, '');
  const text = joined([
    `run ${fingerprint.slice(0, 7)}`,
    `job ${said(job, 40)}`,
    attempt > 1 && `attempt ${attempt}`,
    last?.state === 'queued' || (last?.state === 'running' && last.node === place) ? '' : `on ${said(place, 40)}`,
    status,
    last?.state === 'running' && formatDuration(last.elapsedSeconds),
  ]);
  return last?.state === 'queued' && last.expectedStart !== undefined ? `${text}, says Slurm` : text;
}

function wayBack(
  { why, commit, addsSeeds }: WaitingOutcome,
  { holdsPush, again }: Setting,
  patience: Patience | undefined,
): { readonly means: string; readonly next: readonly Next[] } {
  const look = { command: 'mlops status', what: 'where it is' };
  const cancel = { command: `mlops cancel ${short(commit)}`, what: 'ends the job' };
  switch (why) {
    case 'hold-over': {
      // Looked at, and not waited for: `mlops sync`.
      if (!holdsPush && patience === undefined)
        return {
          means: 'not judged yet: it goes on',
          next: [
            { command: again, what: 'looks again' },
            { command: `mlops attach ${commit.slice(0, 7)}`, what: 'waits for it' },
            cancel,
          ],
        };
      const dropped =
        patience === undefined
          ? 'the connection of a push may not be held longer'
          : `${said(patience.remote, 60)} drops a push that is idle for about ${about(patience.seconds)}`;
      const later = { command: 'git push', what: 'later: instant once judged' };
      return holdsPush
        ? { means: `not pushed yet: ${dropped}`, next: [{ command: 'mlops push', what: 'waits, then pushes' }, later] }
        : { means: `not judged yet: ${dropped}`, next: [{ command: again, what: 'later: instant once judged' }, look] };
    }
    case 'detached':
      if (addsSeeds)
        return {
          means: 'you stopped waiting; the seeds that are added go on, and the verdict stays undecided until then',
          next: [{ command: again, what: 'comes back to them' }],
        };
      return {
        means: holdsPush
          ? 'not pushed: you stopped waiting, and the job goes on'
          : 'you stopped waiting, and the job goes on',
        next: [
          { command: again, what: holdsPush ? 'comes back to it; instant once judged' : 'comes back to it' },
          { command: `mlops attach ${commit.slice(0, 7)}`, what: 'waits for it without pushing' },
          cancel,
        ],
      };
    case 'submitted':
      return {
        means: `${holdsPush ? 'the push goes on, and nothing' : 'nothing'} is judged yet: the verdict follows`,
        next: [
          { command: 'mlops sync', what: 'judges and publishes what has ended since' },
          { command: `mlops attach ${commit.slice(0, 7)}`, what: 'waits for it' },
          look,
        ],
      };
    default:
      return unreachable(why);
  }
}

/** `4 min`, `50 s`. */
const about = (seconds: number): string =>
  seconds < 120
    ? `${Math.round(seconds)} s`
    : seconds < 7200
      ? `${Math.round(seconds / 60)} min`
      : `${Math.round(seconds / 3600)} h`;
