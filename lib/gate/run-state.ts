import type { JobStatus } from '../cluster/scheduler.ts';

/** What the job's own files say of it. */
export type OwnWord = 'nothing' | 'begun' | 'last-word';

/** What the scheduler said last. That it does not answer is no word: nothing is learned from it, and nothing changes. */
export type SchedulerWord = 'not-asked' | JobStatus['state'];

/** Where an attempt is, as far as whoever follows it can know. */
export type RunState =
  | 'submitted'
  | 'queued'
  | 'running'
  /** It has said its last word, and the scheduler is still to say how it ended. */
  | 'finishing'
  /** Over by the scheduler's word; its own may be on its way over a network file system. */
  | 'ended'
  /** The scheduler answers, and does not know it (any more); its own word may be on its way. */
  | 'forgotten'
  /** The scheduler answers in a word that is in no table: nothing follows from that. */
  | 'unknown'
  /** Both have said that it is over. */
  | 'collecting';

/**
 * Two witnesses speak of a run, in any order and over many connections, and each may repeat itself or be behind. So the state is what both have said, and not a
 * chain of steps that one of them could skip: this table has every case. docs/faults.md shows it.
 */
export const runStates: Readonly<Record<OwnWord, Readonly<Record<SchedulerWord, RunState>>>> = {
  nothing: {
    'not-asked': 'submitted',
    queued: 'queued',
    running: 'running',
    ended: 'ended',
    absent: 'forgotten',
    unknown: 'unknown',
  },
  begun: {
    'not-asked': 'running',
    // The files are ahead.
    queued: 'running',
    running: 'running',
    ended: 'ended',
    absent: 'forgotten',
    unknown: 'unknown',
  },
  'last-word': {
    'not-asked': 'finishing',
    queued: 'finishing',
    running: 'finishing',
    ended: 'collecting',
    absent: 'collecting',
    unknown: 'finishing',
  },
};

/** How long the job's files may lag behind the scheduler before a run counts as over without a last word: judging finds none then, an error. */
export const lagSeconds: Readonly<Partial<Record<RunState, number>>> = { ended: 20, forgotten: 120 };
