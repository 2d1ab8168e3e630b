import { unreachable } from '../../base/unreachable.ts';
import type { JobStatus } from '../../cluster/scheduler.ts';
import type { GateEvent } from '../../gate/events.ts';

type Of<Name extends GateEvent['event']> = Extract<GateEvent, { readonly event: Name }>;

/** Where the way of a commit is, as far as its events told. Times are seconds since the epoch. */
export interface GateState {
  readonly phase:
    | 'fetching'
    | 'hashing'
    | 'recorder'
    | 'submitter'
    | 'connecting'
    | 'sending'
    | 'building'
    | 'waiting'
    | 'collecting'
    | undefined;
  readonly place: string;
  readonly planned?: Of<'planned'>;
  readonly hashing?: Of<'hashing'>;
  readonly upload?: Upload;
  /** The builder's line, on the login node. */
  readonly building?: string;
  readonly job?: { readonly id: string; readonly attempt: number; readonly attached: boolean };
  readonly status?: { readonly status: JobStatus; readonly at: number };
  readonly progress?: { readonly line: string; readonly at: number };
  /** What the tasks of an array that have ended measured. */
  readonly partial?: Of<'partial'>;
  readonly lost?: { readonly event: Of<'connection-lost'>; readonly at: number };
  readonly silent?: string;
  /** The last words of the log; a line may come in pieces. */
  readonly log: string;
}

export interface Upload {
  readonly bytes: number;
  readonly of: number;
  /** Where it began: what was sent before does not count for the rate. */
  readonly from: { readonly bytes: number; readonly at: number };
  readonly at: number;
}

export const atFirst: GateState = { phase: undefined, place: '', log: '' };

/** As much of the log as a line can need. */
const keptLog = 2000;

export function advanceState(state: GateState, event: GateEvent, now: number): GateState {
  switch (event.event) {
    case 'fetching-reports':
      return { ...state, phase: 'fetching', place: event.remote };
    case 'hashing':
      return { ...state, phase: 'hashing', hashing: event };
    case 'waiting-for-recorder':
      return { ...state, phase: 'recorder' };
    case 'connecting':
      return { ...state, phase: 'connecting', place: event.place };
    case 'planned':
      return { ...heard(state), phase: 'sending', planned: event, place: event.place };
    case 'building':
      return { ...state, phase: 'building', building: event.line };
    case 'uploading':
      return { ...heard(state), phase: 'sending', upload: uploadAt(state.upload, event, now) };
    case 'submitted':
    case 'attached': {
      const job = { id: event.job, attempt: event.attempt, attached: event.event === 'attached' };
      const { status: _status, progress: _progress, partial: _partial, ...rest } = heard(state);
      return { ...rest, phase: 'waiting', place: event.place, job, log: '' };
    }
    case 'status': {
      const { silent: _silent, ...rest } = heard(state);
      return { ...rest, status: { status: event.status, at: now } };
    }
    case 'progress':
      return { ...heard(state), progress: { line: event.line, at: now } };
    case 'partial':
      return { ...heard(state), partial: event };
    case 'log':
      return { ...heard(state), log: (state.log + event.text.slice(-keptLog)).slice(-keptLog) };
    case 'connection-lost':
      return { ...state, lost: { event, at: now } };
    case 'scheduler-silent':
      return { ...state, silent: event.detail };
    case 'collecting':
      return { ...heard(state), phase: 'collecting' };
    case 'retrying': {
      const { status: _status, progress: _progress, job: _job, ...rest } = state;
      return { ...rest, phase: 'waiting', log: '' };
    }
    case 'waiting-for-submitter':
      return { ...state, phase: 'submitter' };
    case 'superseded':
    case 'dirty-worktree':
    case 'files-not-carried':
    case 'parameters-unread':
    case 'reports-not-fetched':
    case 'data-inherited':
    case 'publish-failed':
    case 'report-template-failed':
    case 'report-ignored':
      return state;
    default:
      return unreachable(event);
  }
}

/** Something came through the connection: it is there. */
function heard(state: GateState): GateState {
  const { lost: _lost, ...rest } = state;
  return rest;
}

/** A new upload begins where the bytes go back or the total changes. */
function uploadAt(before: Upload | undefined, { bytes, of }: Of<'uploading'>, now: number): Upload {
  const goesOn = before !== undefined && before.of === of && bytes >= before.bytes;
  return { bytes, of, at: now, from: goesOn ? before.from : { bytes, at: now } };
}

/** The last line of the log with something on it. Progress bars write over their line with carriage returns. */
export const lastLogLine = ({ log }: GateState): string =>
  log.split(/[\r\n]+/).findLast((line) => line.trim() !== '') ?? '';
