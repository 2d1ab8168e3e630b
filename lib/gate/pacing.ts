/** How often a run is looked at, in seconds: soon where something is about to happen, rarely where somebody waits for a day. Pure. */

/** One loop on the login node watches so long, from the beginning of the waiting and again from the beginning of the job; sites forbid it for a day. */
export const loopSeconds = 10 * 60;

/** After that its files are looked at once in a while: an hour's wait may be told of its end three minutes late. */
export const lookEvery = (waited: number): number => Math.min(300, Math.max(30, waited / 20));

/**
 * Slurm is asked at most once in this many seconds, less as the wait grows (peers: 2 to 60 s, and users get banned): three times a minute of a job that
 * waits, and once more how many wait before it. Of a job that runs its own files tell the most.
 */
export const askEvery = (waited: number, runs: boolean): number => Math.min(300, Math.max(runs ? 30 : 20, waited / 20));

/** Where there is room a job says within so many seconds of its submission that it has begun, and Slurm need not be asked about that. */
export const askFirst = 3;

/** After the job's last word Slurm needs a moment to say COMPLETED; a site's epilog may take minutes. */
export const askAgain = (asked: number): number => (asked === 0 ? 0 : Math.min(15, 0.15 * 2 ** asked));
