import { has, type Loose, listOr, mapOr } from './loose.ts';
import { nearest } from './nearest.ts';
import type { Path } from './path.ts';
import type { Reporter } from './reporter.ts';
import { knownOptions, ownOptions, shortOptions } from './slurm-options.ts';

export function checkCluster(cluster: Loose, resources: Loose, report: Reporter): void {
  if (!has(cluster, 'host') && !has(cluster, 'slurm'))
    report.error(
      'missing-key',
      ['cluster'],
      'key',
      '`cluster` has neither `host` nor `slurm`',
      '`host` names a login node; `slurm` alone says that this machine is one; without `cluster` the job runs here',
    );
  else if (!has(cluster, 'workdir'))
    report.error(
      'missing-key',
      ['cluster'],
      'key',
      'missing key `workdir` in `cluster`',
      'a folder with room on the cluster, such as /scratch/$USER/mlops',
    );
  const { workdir, transport, modules } = cluster;
  if (typeof workdir === 'string' && !/^[/$]/.test(workdir) && workdir.trim() !== '')
    report.error(
      'wrong-value',
      ['cluster', 'workdir'],
      'value',
      `\`workdir\` is an absolute path on the cluster, not ${report.shown(['cluster', 'workdir'], workdir)}`,
      'begin with / or with a variable such as $HOME or $SCRATCH',
    );
  if (has(cluster, 'group') && typeof workdir === 'string' && /\$\{?(?:USER|LOGNAME|HOME)\b/.test(workdir))
    report.warning(
      'conflict',
      ['cluster', 'workdir'],
      'value',
      '`workdir` is another folder for each user, and `group` shares one',
      'name a folder that is the same for everybody, such as /scratch/proj/mlops',
    );
  if (!has(cluster, 'host') && typeof transport === 'string' && transport !== 'auto')
    report.error('conflict', ['cluster', 'transport'], 'key', '`transport` is for a `host`, and there is none');
  for (const [index, module] of listOr(modules).entries())
    if (typeof module === 'string' && module.startsWith('-'))
      report.error(
        'wrong-value',
        ['cluster', 'modules', index],
        'value',
        `${report.shown([], module)} is not the name of a module`,
      );
  for (const [option, value] of Object.entries(mapOr(cluster.slurm))) checkSlurm(option, value, resources, report);
}

function checkSlurm(option: string, value: unknown, resources: Loose, report: Reporter): void {
  const path: Path = ['cluster', 'slurm', option];
  const bare = option.replace(/^-+/, '');
  const long = shortOptions[bare] ?? bare.replaceAll('_', '-');
  const own = ownOptions[long];
  if (own !== undefined)
    report.error('conflict', path, 'key', `\`${option}\` is not an option to set in \`slurm\``, `it comes from ${own}`);
  else if (long !== option)
    report.error(
      'unknown-key',
      path,
      'key',
      `\`${option}\` is not a long option of sbatch without its dashes`,
      `did you mean \`${long}\`?`,
    );
  else if (!/^[a-z][a-z0-9-]*$/.test(option))
    report.error('unknown-key', path, 'key', `\`${option}\` is not an option of sbatch`);
  else if (value === false)
    report.error(
      'wrong-value',
      path,
      'value',
      `\`${option}\` cannot be false`,
      'true is a flag; leave the line out otherwise',
    );
  else if (typeof value === 'string' && /[\n\r\0]/.test(value))
    report.error('wrong-value', path, 'value', `\`${option}\` has a line break in it`);
  else if (/^mem-per-[cg]pu$/.test(option) && has(resources, 'mem'))
    report.error(
      'conflict',
      path,
      'key',
      `\`${option}\` and \`resources.mem\` exclude each other in Slurm`,
      'keep one of them',
    );
  else if (/^(?:gpus-per-|gres$)/.test(option) && has(resources, 'gpus') && /gpu/.test(`${option}${String(value)}`))
    report.error('conflict', path, 'key', `\`${option}\` and \`resources.gpus\` both ask for GPUs`, 'keep one of them');
  else if (!knownOptions.includes(option)) {
    const near = nearest(option, knownOptions);
    if (near !== undefined)
      report.warning(
        'unknown-key',
        path,
        'key',
        `\`${option}\` is no option of sbatch that is known here; it is passed on`,
        `did you mean \`${near}\`?`,
      );
  }
}
