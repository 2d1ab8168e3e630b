import type { EndKind } from './scheduler.ts';

/**
 * What a state of squeue, sacct or scontrol says. `passing` is PREEMPTED or REQUEUED: the job may be back in the queue a moment
 * later, or never (PreemptMode=CANCEL). `elsewhere`: a federation's other cluster has the job, this one cannot tell.
 */
export type SlurmMeaning =
  | { readonly kind: 'queued' | 'running' | 'passing' | 'elsewhere' }
  | { readonly kind: 'ended'; readonly how: EndKind };

interface SlurmState {
  readonly word: string;
  /** As squeue's `%t` prints it. The newest flags have none in the manual. */
  readonly short?: string;
  readonly meaning: SlurmMeaning;
}

const queued: SlurmMeaning = { kind: 'queued' };
const running: SlurmMeaning = { kind: 'running' };
const passing: SlurmMeaning = { kind: 'passing' };
const ended = (how: EndKind): SlurmMeaning => ({ kind: 'ended', how });

/** Every state of squeue(1) and sacct(1), JOB STATE CODES, and the flags that newer versions print in their place. */
export const slurmStates: readonly SlurmState[] = [
  { word: 'BOOT_FAIL', short: 'BF', meaning: ended('boot-failed') },
  { word: 'CANCELLED', short: 'CA', meaning: ended('cancelled') },
  { word: 'COMPLETED', short: 'CD', meaning: ended('completed') },
  { word: 'CONFIGURING', short: 'CF', meaning: running },
  // Preempted and requeued jobs pass through it: not an end yet.
  { word: 'COMPLETING', short: 'CG', meaning: running },
  { word: 'DEADLINE', short: 'DL', meaning: ended('deadline') },
  { word: 'EXPEDITING', meaning: queued },
  { word: 'FAILED', short: 'F', meaning: ended('failed') },
  { word: 'LAUNCH_FAILED', meaning: ended('boot-failed') },
  { word: 'NODE_FAIL', short: 'NF', meaning: ended('node-failed') },
  { word: 'OUT_OF_MEMORY', short: 'OOM', meaning: ended('out-of-memory') },
  { word: 'PENDING', short: 'PD', meaning: queued },
  { word: 'POWER_UP_NODE', meaning: running },
  { word: 'PREEMPTED', short: 'PR', meaning: passing },
  { word: 'RECONFIG_FAIL', meaning: ended('node-failed') },
  { word: 'REQUEUED', short: 'RQ', meaning: passing },
  { word: 'REQUEUE_FED', short: 'RF', meaning: queued },
  { word: 'REQUEUE_HOLD', short: 'RH', meaning: queued },
  { word: 'RESIZING', short: 'RS', meaning: running },
  { word: 'RESV_DEL_HOLD', short: 'RD', meaning: queued },
  { word: 'REVOKED', short: 'RV', meaning: { kind: 'elsewhere' } },
  { word: 'RUNNING', short: 'R', meaning: running },
  { word: 'SIGNALING', short: 'SI', meaning: running },
  { word: 'SPECIAL_EXIT', short: 'SE', meaning: queued },
  { word: 'STAGE_OUT', short: 'SO', meaning: running },
  { word: 'STOPPED', short: 'ST', meaning: running },
  { word: 'SUSPENDED', short: 'S', meaning: running },
  { word: 'TIMEOUT', short: 'TO', meaning: ended('timeout') },
];

/** `CANCELLED by 1234` is CANCELLED. Undefined for a word that is in no table: unknown stays unknown. */
export function slurmMeaning(state: string): SlurmMeaning | undefined {
  const word = /^\s*([A-Za-z_]+)/.exec(state)?.[1]?.toUpperCase();
  return word === undefined ? undefined : slurmStates.find((it) => it.word === word || it.short === word)?.meaning;
}
