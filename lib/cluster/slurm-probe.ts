import { shellQuote } from '../base/shell-quote.ts';
import { parseDuration } from './slurm-fields.ts';
import { parseFacts } from './slurm-parse.ts';
import { clusters, neutral, readSections, type SlurmFacts, type SlurmSite, section } from './slurm-script.ts';
import { outside } from './slurm-submit.ts';

/** What is called here, and must be there. `sacct` is missed only where accounting is on. */
export const slurmPrograms = ['sbatch', 'squeue', 'scancel', 'scontrol', 'sinfo', 'sacct'] as const;

export interface SlurmProbe {
  readonly programs: readonly string[];
  /** Undefined: slurmctld did not answer, and why. */
  readonly facts: SlurmFacts | undefined;
  readonly configWords: string;
  readonly partitions: readonly Partition[];
  /** Those that this user may charge, where accounting tells. */
  readonly accounts: readonly string[];
  /** What sbatch says to the options of the config, without submitting. Undefined: it was not asked. */
  readonly test?: { readonly accepted: boolean; readonly words: string };
}
export interface Partition {
  readonly name: string;
  readonly up: boolean;
  /** Taken where the config names none. */
  readonly isDefault: boolean;
  /** Undefined: none. */
  readonly seconds?: number;
}

/** One round trip. `header` has the `#SBATCH` lines; nothing is submitted (sbatch(1), --test-only). */
export function slurmProbeScript(header: readonly string[], site: SlurmSite): string {
  const only = clusters(site);
  const variables = header.flatMap((line) => {
    const option = /^#SBATCH --([a-z-]+)/.exec(line)?.[1];
    return option === undefined
      ? []
      : [`SBATCH_${(option === 'time' ? 'timelimit' : option).replaceAll('-', '_').toUpperCase()}`];
  });
  const script = ['#!/bin/sh', ...header, ':', ''].join('\n');
  return [
    ...neutral,
    ...section,
    ...outside,
    'begin programs',
    `for program in ${slurmPrograms.join(' ')}; do if command -v "$program" >/dev/null 2>&1; then echo "$program"; fi; done; end 0`,
    `begin config; scontrol${only} show config; end $?`,
    `begin partitions; sinfo${only} -h -a -o '%P|%a|%l'; end $?`,
    'if command -v sacctmgr >/dev/null 2>&1; then begin accounts; sacctmgr -n -P show assoc where user="$(id -un)" format=account; end $?; fi',
    // As in a submission: what the script says wins over a profile's variables.
    `unset SBATCH_ARRAY_INX SBATCH_WAIT ${variables.join(' ')}`,
    `begin test; printf %s ${shellQuote(script)} | sbatch${only} --test-only --chdir=/ --output=/dev/null; end $?`,
  ].join('\n');
}

export function parseSlurmProbe(stdout: string, stderr: string): SlurmProbe {
  const found = readSections(stdout, stderr);
  const lines = (name: string) => (found.get(name)?.stdout ?? '').split('\n').filter((line) => line.trim() !== '');
  const config = found.get('config');
  const test = found.get('test');
  return {
    programs: lines('programs'),
    facts: parseFacts(config),
    configWords: config?.stderr ?? '',
    partitions: lines('partitions').flatMap((line) => {
      const [marked = '', state, timeLimit = ''] = line.split('|');
      const name = marked.replace(/\*$/, '');
      const seconds = parseDuration(timeLimit);
      if (state === undefined) return [];
      const limit = seconds === undefined ? {} : { seconds };
      return [{ name, up: state === 'up', isDefault: name !== marked, ...limit }];
    }),
    accounts: [...new Set(lines('accounts'))],
    ...(test === undefined
      ? {}
      : { test: { accepted: test.code === 0, words: [test.stdout, test.stderr].join('\n').trim() } }),
  };
}
