/** The small files of an attempt's folder: `key=value`, in lines or, where values have no spaces, in words. docs/job.md names them. */
export type Facts = ReadonlyMap<string, string>;

export function factLines(text: string): Facts {
  return new Map(
    text.split('\n').flatMap((line) => {
      const equals = line.indexOf('=');
      return equals < 0 ? [] : [[line.slice(0, equals), line.slice(equals + 1)] as const];
    }),
  );
}

export const factWords = (text: string): Facts => factLines(text.trim().split(/\s+/).join('\n'));

/** `job=… node=… at=…` on the first line, then `cpu=` and `gpu=`, whose values have spaces. */
export function startedFacts(text: string): Facts {
  const [first = '', ...rest] = text.split('\n');
  return new Map([...factWords(first), ...factLines(rest.join('\n'))]);
}

/** A whole number, or nothing. */
export const numberOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;

/** Where a job is: `step 1 of 2 cell 31 of 69`. */
export interface Progress {
  readonly step?: number;
  readonly cell?: number;
  readonly cells?: number;
}
export function progressOf(line: string): Progress {
  const [, step, cell, cells] = /^step (\d+) of \d+(?: cell (\d+) of (\d+))?/.exec(line) ?? [];
  return {
    ...(step === undefined ? {} : { step: Number(step) }),
    ...(cell === undefined ? {} : { cell: Number(cell) }),
    ...(cells === undefined ? {} : { cells: Number(cells) }),
  };
}
