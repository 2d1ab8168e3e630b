import { isBranchName } from './branch-name.ts';
import { checkCluster } from './cluster-rules.ts';
import { checkData, checkEnvironment } from './input-rules.ts';
import { isMap, type Loose, listOr, mapOr } from './loose.ts';
import { checkPath } from './path-rules.ts';
import type { Reporter } from './reporter.ts';
import { checkRequirements } from './requirement-rules.ts';
import { checkSignal } from './resource-rules.ts';
import { checkStep } from './step-rules.ts';

/** What concerns several keys at once, or what a schema cannot say. Runs on refused documents too, so that all mistakes are shown. */
export function checkRules(value: unknown, report: Reporter): void {
  if (!isMap(value)) return;
  if (isMap(value.cluster)) checkCluster(value.cluster, mapOr(value.resources), report);
  checkData(listOr(value.data), report);
  checkEnvironment(value.environment, report);
  const resources = mapOr(value.resources);
  checkSignal(resources, {}, ['resources'], report);
  listOr(value.steps).forEach((step, index) => {
    if (!isMap(step)) return;
    checkStep(step, ['steps', index], report);
    checkSignal(mapOr(step.resources), resources, ['steps', index, 'resources'], report);
  });
  checkMetricNames(listOr(value.steps), report);
  listOr(value.artifacts).forEach((path, index) => {
    checkPath(path, ['artifacts', index], report, 'output');
  });
  checkRequirements(value, report);
  checkVariables(mapOr(value.env), listOr(value.secrets), report);
  checkBranches(value, report);
}

/** A name is one metric: of two steps that define it the last would count, in silence. */
function checkMetricNames(steps: readonly unknown[], report: Reporter): void {
  const first = new Map<string, number>();
  steps.forEach((step, index) => {
    for (const name of Object.keys(mapOr(mapOr(step).metrics)).filter((one) => one !== 'file')) {
      const before = first.get(name);
      if (before === undefined) first.set(name, index + 1);
      else
        report.error(
          'conflict',
          ['steps', index, 'metrics', name],
          'key',
          `\`${name}\` is a metric of step ${before} already`,
          'give each a name of its own',
        );
    }
  });
}

function checkVariables(env: Loose, secrets: readonly unknown[], report: Reporter): void {
  for (const key of Object.keys(env)) {
    if (key.startsWith('MLOPS_'))
      report.error(
        'conflict',
        ['env', key],
        'key',
        `\`${key}\`: names that begin with MLOPS_ are set by the run itself`,
      );
    if (secrets.includes(key))
      report.error(
        'conflict',
        ['env', key],
        'key',
        `\`${key}\` is in \`env\` and in \`secrets\``,
        'a secret has no value in this file',
      );
  }
  secrets.forEach((secret, index) => {
    if (typeof secret === 'string' && secret.startsWith('MLOPS_'))
      report.error(
        'conflict',
        ['secrets', index],
        'value',
        `\`${secret}\`: names that begin with MLOPS_ are set by the run itself`,
      );
  });
}

function checkBranches(value: Loose, report: Reporter): void {
  const { reports } = value;
  if (reports === '.mlops')
    report.warning(
      'mapped',
      ['reports'],
      'value',
      'git refuses a branch called `.mlops`: the reports go to `mlops`',
      'write `reports: mlops`',
    );
  else if (typeof reports === 'string' && !isBranchName(reports))
    report.error(
      'wrong-value',
      ['reports'],
      'value',
      `git refuses a branch called ${report.shown(['reports'], reports)}`,
      '`mlops` is the usual name',
    );
  else if (typeof reports === 'string' && reports.startsWith('refs/'))
    report.error(
      'wrong-value',
      ['reports'],
      'value',
      '`reports` is the name of a branch without refs/heads/',
      `write \`${reports.replace(/^refs\/(?:heads\/)?/, '')}\``,
    );
  for (const pattern of Object.keys(mapOr(value.push)))
    if (!isBranchName(pattern.replace(/[*?]/g, 'x')))
      report.error(
        'wrong-value',
        ['push', pattern],
        'key',
        `\`${pattern}\` can match no branch: git refuses such names`,
        pattern.startsWith('refs/heads/') ? 'without refs/heads/' : undefined,
      );
    else if (pattern.startsWith('refs/'))
      report.error(
        'wrong-value',
        ['push', pattern],
        'key',
        `\`${pattern}\` is a pattern for branches, without refs/heads/`,
      );
}
