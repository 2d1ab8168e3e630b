import type { SubmitError } from '../../cluster/run-types.ts';
import type { SourceRange } from '../../config/types.ts';
import { hostTrouble } from './host-trouble.ts';
import { said } from './layout.ts';
import { placeOf, type Setting } from './setting.ts';
import { type Trouble, troubleOf, type Words } from './trouble.ts';

/** What sbatch complains about, and the key of the config that set it. The more special come first. */
const complaints: readonly (readonly [RegExp, readonly string[]])[] = [
  [/job array/i, ['steps[0].seeds', 'steps[0].matrix']],
  [/account\/partition/i, ['cluster.slurm.account', 'cluster.slurm.partition']],
  [/\bqos\b/i, ['cluster.slurm.qos']],
  [/\baccount\b/i, ['cluster.slurm.account']],
  [/time limit|--time\b/i, ['resources.time']],
  [/memory|--mem\b/i, ['resources.mem']],
  [/\bgres\b|\bgpus?\b/i, ['cluster.slurm.gres', 'resources.gpus']],
  [/feature|constraint/i, ['cluster.slurm.constraint']],
  [/reservation/i, ['cluster.slurm.reservation']],
  [/licen[cs]e/i, ['cluster.slurm.licenses']],
  [/cpu count|cpus? (?:per|count)|--cpus/i, ['resources.cpus']],
  [/node (?:count|configuration)/i, ['resources.cpus', 'resources.mem', 'resources.gpus', 'cluster.slurm.nodes']],
  [/partition/i, ['cluster.slurm.partition']],
];

/** sbatch's status is that of a refusal, and there was nobody to refuse. */
const noController = /Unable to contact slurm controller/i;

/** Where the config sets what the scheduler does not like, as far as its words show it. */
export function complainedAbout(
  stderr: string,
  locate: (key: string) => SourceRange | undefined,
): readonly { readonly key: string; readonly range: SourceRange }[] {
  const named = /(?:unrecognized|unknown|invalid) option '?--([a-z-]+)/i.exec(stderr)?.[1];
  const keys = [
    ...(named === undefined ? [] : [`cluster.slurm.${named}`]),
    ...(complaints.find(([pattern]) => pattern.test(stderr))?.[1] ?? []),
  ];
  return keys.flatMap((key) => {
    const range = locate(key);
    return range === undefined ? [] : [{ key, range }];
  });
}

export function submitTrouble(error: SubmitError, place: string, setting: Setting): Trouble {
  const at = said(place, 60);
  const words: Words<SubmitError> = {
    host: ({ cause }) => hostTrouble(cause, setting),
    refused: ({ scheduler, code, stderr }) => {
      if (scheduler === 'slurm' && noController.test(stderr))
        return {
          failed: `Slurm on ${at} does not answer`,
          raw: stderr,
          means: 'Nothing was submitted. What was sent is kept.',
          next: [{ command: setting.again, what: 'again, once it answers (`scontrol ping` there says so)' }],
        };
      const found = setting.locate === undefined ? [] : complainedAbout(stderr, setting.locate);
      const slurm = scheduler === 'slurm';
      return {
        failed: `${slurm ? 'sbatch' : 'this machine'} refuses the job${slurm ? ` on ${at}` : ''} (exit status ${code})`,
        where: found.map(({ key, range }) => `${key} (${placeOf(range)}): ${said(range.text, 60)}`).join('; '),
        raw: stderr,
        means: 'Nothing was submitted.',
        next: [
          ...(slurm ? [{ command: 'mlops script', what: 'prints what was to be submitted' }] : []),
          {
            command: setting.again,
            what: 'once it is corrected; a change of resources or slurm options is the same run',
          },
        ],
      };
    },
    ambiguous: ({ name, detail }) => ({
      failed: `whether the job was submitted on ${at} is not known: the answer did not come`,
      where: `job name ${said(name, 60)}`,
      raw: detail,
      means: 'It is looked for by its name first, so that no job runs twice.',
      next: [{ command: setting.again, what: 'again: finds it, or submits it' }],
    }),
    folder: ({ path, detail }) => ({
      failed: `the run's folder on ${at} cannot be used`,
      where: said(path, 140),
      raw: detail,
      means: 'Nothing was submitted.',
      next: [{ command: setting.again, what: 'again' }],
    }),
  };
  return troubleOf(words, error, setting);
}
