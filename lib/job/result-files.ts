import type { JobEnd } from '../cluster/scheduler.ts';
import type { JobPlan, PlannedStep } from './types.ts';

export interface ResultFiles {
  readonly plan: Pick<JobPlan, 'fingerprint' | 'steps' | 'environmentKey' | 'repeated'> & {
    readonly gpus?: number;
    readonly data?: JobPlan['data'];
  };
  readonly attempt: number;
  /** What was brought back, by path relative to the attempt's folder: `result/step-1`, `state/end` … */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly logTail: string;
  /** The cluster's name for people. */
  readonly cluster: string;
  /** Undefined: the scheduler could not be asked. Without `end`: it answered, and does not know the job any more. */
  readonly job?: { readonly id: string; readonly end?: JobEnd };
}

/** A reader of the brought files, as text. */
export type ReadFile = (path: string) => string | undefined;

export interface StepFiles {
  readonly step: PlannedStep;
  readonly read: ReadFile;
  readonly run: string;
  readonly attempt: number;
  /** Data files that are read-only for the step. */
  readonly linked: readonly string[];
}

export const linkedFiles = ({ data = [] }: ResultFiles['plan']): readonly string[] =>
  data.flatMap(({ path, how }) => (how === 'link' ? [path] : []));
