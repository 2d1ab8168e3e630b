import type { Computed } from '../git/computed-files.ts';
import { type DashboardEntry, dashboardLines, dashboardPath, joinDashboards } from '../report/dashboard.ts';
import { dashboardMarkdown } from '../report/dashboard-markdown.ts';

/**
 * README.md of the reports branch, and the few lines that it is made from. It is made anew wherever the branch moves: with a report, and
 * where two clones' branches are joined, out of the lines of both. No report is read for it, however many there are.
 */
export const overviewWith = (...fresh: readonly DashboardEntry[]): Computed => ({
  from: dashboardPath,
  compute: (versions) => {
    const entries = joinDashboards(versions, fresh);
    if (entries.length === 0) return new Map();
    return new Map([
      [dashboardPath, dashboardLines(entries)],
      ['README.md', dashboardMarkdown(entries)],
    ]);
  },
});

/** Where branches are joined and nothing is added. */
export const overview: Computed = overviewWith();
