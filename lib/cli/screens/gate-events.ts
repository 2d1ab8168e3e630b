import { unreachable } from '../../base/unreachable.ts';
import type { GateEvent } from '../../gate/events.ts';
import { formatBytes, plural } from '../../report/numbers.ts';
import { advanceState, atFirst, type GateState } from './gate-state.ts';
import { cellsOf, jobLine, partialText, percent, plannedLines, reasonWords, uploadText } from './gate-words.ts';
import { isGitError } from './git-trouble.ts';
import { hostTrouble } from './host-trouble.ts';
import { ignoredWords } from './ignored-report.ts';
import { joined, labelled, paragraph, said, saidLines } from './layout.ts';
import { recordTrouble } from './record-trouble.ts';
import type { Setting } from './setting.ts';

/** What a person has to know, on a terminal above the live block as well. Empty for all that is only progress. */
export function remarkLines(event: GateEvent, setting: Setting): readonly string[] {
  const { style } = setting;
  switch (event.event) {
    case 'connection-lost': {
      const { failed, raw } = hostTrouble(event.error, setting);
      const words = `${failed}; trying again in ${event.retryInSeconds} s${event.hasJob ? '; the job goes on' : ''}`;
      return [...remark('lost', words, style.yellow), ...quote(raw)];
    }
    case 'scheduler-silent':
      return [
        ...remark('silent', 'the scheduler does not answer, and is asked again; the job goes on', style.yellow),
        ...quote(event.detail),
      ];
    case 'retrying':
      return remark(
        'again',
        `${reasonWords(event.reason)}: nothing is known about the model; attempt ${event.attempt} of ${event.of}`,
        style.yellow,
      );
    case 'reports-not-fetched':
      return [
        ...remark(
          'warning',
          `the reports of ${said(event.remote, 60)} could not be fetched: what is known in this clone has to do`,
          style.yellow,
        ),
        ...quote(isGitError(event.error) ? event.error.stderr : recordTrouble(event.error, setting).failed),
      ];
    case 'superseded':
      return remark(
        'ended',
        `the queued job ${said(event.job, 40)} of ${event.commit.slice(0, 7)}: this commit takes its place (supersede)`,
        (text) => text,
      );
    case 'dirty-worktree': {
      const more = event.count - event.paths.length;
      const named = `${event.paths.map((path) => said(path, 40)).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
      return remark('note', `the commit is trained, not what is changed beside it: ${named}`, style.yellow);
    }
    case 'files-not-carried':
      return remark(
        'warning',
        `the notebook names ${event.paths
          .slice(0, 5)
          .map((path) => said(path, 60))
          .join(', ')}, and the job will not have it: neither in the commit nor under data:`,
        style.yellow,
      );
    case 'parameters-unread':
      return event.of.flatMap(({ notebook, names }) =>
        remark(
          'warning',
          `no cell of ${said(notebook, 60)} mentions ${names.map((name) => `\`${said(name, 40)}\``).join(', ')}, which the config gives: nothing changes by it`,
          style.yellow,
        ),
      );
    case 'data-inherited':
      return remark(
        'data',
        `${event.entries.map((entry) => said(entry, 40)).join(', ')}: not in this clone, taken as last recorded`,
        (text) => text,
      );
    case 'report-template-failed':
      return [
        ...remark(
          'warning',
          '.mlops/templates/report.md.hbs does not work, and ours was used in its place',
          style.yellow,
        ),
        ...quote(event.detail),
      ];
    case 'publish-failed':
      return [
        ...remark(
          'warning',
          `the remote did not take the reports (${said(event.reason, 40)}). They stay here, and the next push that can sends them`,
          style.yellow,
        ),
        ...quote(event.detail),
      ];
    case 'report-ignored':
      return remark(
        'warning',
        `a report is left out, for ${ignoredWords(event.reason)}: ${said(event.path, 120)}`,
        style.yellow,
      );
    default:
      return [];
  }
}

const remark = (label: string, words: string, colour: (text: string) => string): readonly string[] =>
  paragraph(label, [words], colour);
const quote = (raw = ''): readonly string[] => paragraph('', saidLines(raw));

const every = { cells: 30, building: 10, upload: 30, queue: 300, trouble: 60 } as const;
/** In percent. */
const step = 10;

/**
 * Progress without a terminal: a line where something has changed, and not too often. `lines` is told every event, `tick` that time
 * has passed, so that the last of what was held back is still told.
 */
export class PlainProgress {
  #state: GateState = atFirst;
  #told = new Map<string, Told>();
  readonly #setting: (now: number) => Setting;

  /** The clock of the setting is moved on by what `lines` and `tick` are given. */
  constructor(setting: Setting) {
    this.#setting = (now) => ({ ...setting, clock: { ...setting.clock, now } });
  }

  /** Seconds since the epoch. */
  lines(event: GateEvent, now: number): readonly string[] {
    const before = this.#state;
    this.#state = advanceState(before, event, now);
    const back = before.lost !== undefined && this.#state.lost === undefined;
    if (back) this.#told.delete('connection-lost');
    return [...(back ? [labelled('back', 'connected again')] : []), ...this.#linesFor(event, now)];
  }

  tick(now: number): readonly string[] {
    return this.#state.phase === 'waiting' ? this.#job(now) : [];
  }

  #linesFor(event: GateEvent, now: number): readonly string[] {
    switch (event.event) {
      case 'fetching-reports':
      case 'connecting':
      case 'collecting':
      case 'log':
        return [];
      case 'hashing':
        return this.#hashing(event, now);
      case 'waiting-for-recorder':
        return this.#once('recorder', labelled('waiting', 'for the hash of the data, which the commit has begun'));
      case 'planned':
        return plannedLines(event);
      case 'building':
        return this.#notOften('building', [labelled('building', said(event.line, 70))], now);
      case 'uploading':
        return this.#upload(now);
      case 'submitted':
      case 'attached':
        this.#told.delete('job');
        return this.#job(now);
      case 'status':
      case 'progress':
        return this.#job(now);
      case 'partial':
        return this.#notOften('partial', paragraph('so far', [partialText(event)]), now);
      case 'connection-lost':
      case 'scheduler-silent':
        return this.#notOften(event.event, remarkLines(event, this.#setting(now)), now);
      case 'waiting-for-submitter':
        return this.#once('submitter', labelled('waiting', 'another client is submitting this very run'));
      case 'retrying':
      case 'superseded':
      case 'dirty-worktree':
      case 'files-not-carried':
      case 'parameters-unread':
      case 'reports-not-fetched':
      case 'data-inherited':
      case 'publish-failed':
      case 'report-template-failed':
      case 'report-ignored':
        return remarkLines(event, this.#setting(now));
      default:
        return unreachable(event);
    }
  }

  #once(key: string, line: string): readonly string[] {
    if (this.#told.has(key)) return [];
    this.#told.set(key, { at: 0, key });
    return [line];
  }

  #notOften(key: string, lines: readonly string[], now: number): readonly string[] {
    const told = this.#told.get(key);
    if (told !== undefined && now - told.at < every.trouble) return [];
    this.#told.set(key, { at: now, key });
    return lines;
  }

  /** What the stat cache answers at once is not worth a line. */
  #hashing({ files, bytes }: Extract<GateEvent, { event: 'hashing' }>, now: number): readonly string[] {
    const begun = this.#told.get('hashing');
    if (begun === undefined) this.#told.set('hashing', { at: now, key: '' });
    if (begun === undefined || now - begun.at < 2) return [];
    return this.#once(
      'hashing-long',
      labelled('hashing', joined([plural(files, 'file'), formatBytes(bytes)]).replace(' · ', ', ')),
    );
  }

  #upload(now: number): readonly string[] {
    const { upload } = this.#state;
    if (upload === undefined || upload.of === 0) return [];
    const done = percent(upload.bytes, upload.of);
    const told = this.#told.get('upload');
    // A new upload begins from the start; a small one is over before anybody asks.
    if (told === undefined || done < (told.percent ?? 0) || upload.from.at === now) {
      this.#told.set('upload', { at: now, key: '', percent: done });
      return [];
    }
    const due = done >= (told.percent ?? 0) + step || now - told.at >= every.upload;
    if (!due || now - told.at < 2) return [];
    this.#told.set('upload', { at: now, key: '', percent: done });
    return [labelled('sending', uploadText(upload))];
  }

  #job(now: number): readonly string[] {
    const { clock } = this.#setting(now);
    const line = jobLine(this.#state, clock);
    if (line === undefined) return [];
    const [label, text] = line;
    const progress = this.#state.progress?.line ?? '';
    const done = doneOf(progress);
    const next: Told = {
      at: now,
      // What makes it another line at once: the state, the job, the step; not the position in the queue or the time.
      key: [label, this.#state.job?.id, label === 'running' ? phaseOf(progress) : ''].join(' '),
      text: label === 'running' ? progress : text,
      ...(done?.percent === undefined ? {} : { percent: done.percent }),
    };
    if (!isDue(next, this.#told.get('job'), label, done !== undefined)) return [];
    this.#told.set('job', next);
    return paragraph(label, [text]);
  }
}

interface Told {
  readonly at: number;
  readonly key: string;
  readonly text?: string;
  readonly percent?: number;
}

/** How much of a step, or of an array's tasks, is done; undefined: it prepares or tidies up. */
function doneOf(progress: string): { readonly percent?: number } | undefined {
  const [, ended, tasks] = /^(\d+) of (\d+) tasks ended/.exec(progress) ?? [];
  if (ended !== undefined && tasks !== undefined) return { percent: percent(Number(ended), Number(tasks)) };
  const cells = cellsOf(progress);
  if (cells?.cell === undefined || cells.cells === undefined) return cells === undefined ? undefined : {};
  return { percent: percent(cells.cell, cells.cells) };
}

/** `step 2`, `environment building`; the small phases before and after are passed over unless they last. */
const phaseOf = (progress: string): string =>
  /^(?:step \d+ of \d+|environment (?:building|is being built))/.exec(progress)?.[0] ?? 'small';

function isDue(next: Told, told: Told | undefined, label: string, inSteps: boolean): boolean {
  if (told === undefined) return true;
  const passed = next.at - told.at;
  const small = next.key.endsWith(' small') && told.key.startsWith('running ');
  if (next.key !== told.key && !small) return true;
  if (next.text === told.text) return false;
  if (label === 'queued') return passed >= every.queue;
  if (label !== 'running') return true;
  if (!inSteps) return passed >= every.building;
  return passed >= every.cells || (next.percent ?? 0) >= (told.percent ?? 0) + step;
}
