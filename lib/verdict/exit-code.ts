import type { VerdictKind } from './types.ts';

/** What git sees: only a pass lets a push go. An error is no pass either; a person may overrule it (MLOPS_SKIP). */
export const exitCode = (kind: VerdictKind): 0 | 1 => (kind === 'pass' ? 0 : 1);
