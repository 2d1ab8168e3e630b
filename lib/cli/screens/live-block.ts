import { formatBytes, plural } from '../../report/numbers.ts';
import type { Style } from '../style.ts';
import { type GateState, lastLogLine, type Upload } from './gate-state.ts';
import { jobLine, partialText, uploadText } from './gate-words.ts';
import { clip, labelled, lead, paragraph, said } from './layout.ts';
import type { Clock } from './setting.ts';

/** What a terminal shows below the run's line while something goes on: where it is, what is sent, the log's last line. Four lines at most. */
export function liveBlock(state: GateState, columns: number, clock: Clock, style: Style): readonly string[] {
  const { planned, phase, upload } = state;
  // A line as wide as the terminal would wrap on some, and the next rewriting would begin a line too low.
  const most = Math.max(1, Math.min(100, columns - 1));
  const job = jobLine(state, clock);
  const sending = phase === 'sending' && job === undefined && upload !== undefined && upload.of > 0;
  const log = said(lastLogLine(state), most);
  const lines = [
    ...(planned === undefined ? [lead(phaseText(state))] : []),
    ...(job === undefined ? [] : [labelled(...job)]),
    ...(phase === 'building' ? [labelled('building', said(state.building ?? '', 70))] : []),
    ...(sending ? [labelled('sending', `${bar(upload, most)}${uploadText(upload)}`)] : []),
    ...(state.partial === undefined || phase !== 'waiting' ? [] : [labelled('so far', partialText(state.partial))]),
    ...troubleLine(state, clock, style),
    ...(phase === 'collecting' ? [labelled('results', 'are brought here')] : []),
    ...(job === undefined || phase === 'collecting' || log === '' ? [] : [labelled('log', style.dim(log))]),
  ];
  return lines.slice(0, 4).map((line) => clip(line, most));
}

/** What stays of the block when it is over: nothing where a known verdict has answered at once. */
export function lastBlock(state: GateState, clock: Clock): readonly string[] {
  const job = jobLine(state, clock);
  return job === undefined ? [] : paragraph(job[0], [job[1]]);
}

function phaseText({ phase, place, hashing }: GateState): string {
  switch (phase) {
    case 'fetching':
      return `asking ${said(place, 60)} for verdicts`;
    case 'hashing':
      return hashing === undefined
        ? 'hashing data'
        : `hashing ${plural(hashing.files, 'file')}, ${formatBytes(hashing.bytes)}`;
    case 'recorder':
      return 'waiting for the hash of the data, which the commit has begun';
    case 'connecting':
      return `connecting to ${said(place, 60)}`;
    default:
      return place === '' ? 'looking' : `on ${said(place, 60)}`;
  }
}

function troubleLine({ lost, silent }: GateState, { now }: Clock, style: Style): readonly string[] {
  if (lost !== undefined) {
    const left = Math.max(0, Math.ceil(lost.at + lost.event.retryInSeconds - now));
    return [labelled('lost', style.yellow(left === 0 ? 'connecting again' : `connecting again in ${left} s`))];
  }
  return silent === undefined
    ? []
    : [labelled('silent', style.yellow('the scheduler does not answer; the job goes on'))];
}

function bar({ bytes, of }: Upload, columns: number): string {
  const size = columns >= 90 ? 20 : columns >= 70 ? 10 : 0;
  const full = Math.round(size * Math.max(0, Math.min(1, bytes / of)));
  return size === 0 ? '' : `${'█'.repeat(full)}${'░'.repeat(size - full)} `;
}
