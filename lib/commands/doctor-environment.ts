import type { Host } from '../cluster/host.ts';
import { type Address, parseTools, type ToolsFacts, type ToolsRequest, toolsScript } from '../cluster/tools-probe.ts';
import type { Config } from '../config/types.ts';
import { needsOf } from '../job/environment-view.ts';
import type { Grade, Tell, Where } from './doctor-types.ts';

/** Modules may take their time on a cold file system, and so does an import. */
const answerSeconds = 300;

export function toolsRequest(config: Config, reach: boolean): ToolsRequest {
  const { environment, setup } = config;
  return {
    ...(setup === undefined ? {} : { setup }),
    modules: config.cluster?.modules ?? [],
    ...(environment.kind === 'prefix' ? { prefix: environment.prefix } : {}),
    needs: needsOf(config),
    reach: reach ? addresses(config) : [],
    env: config.env,
  };
}

/** Where the environment's packages come from. */
function addresses({ environment }: Config): readonly Address[] {
  switch (environment.kind) {
    case 'conda':
    case 'packages':
      return [{ url: 'https://conda.anaconda.org/conda-forge/noarch/repodata.json.zst' }];
    case 'container':
      return environment.image.startsWith('docker://') ? [{ url: 'https://registry-1.docker.io/v2/' }] : [];
    case 'venv':
    case 'none':
    case 'prefix':
      return [{ variable: 'PIP_INDEX_URL', url: 'https://pypi.org/simple/' }];
    case 'uv':
      return [{ variable: 'UV_DEFAULT_INDEX', url: 'https://pypi.org/simple/' }];
  }
}

/** What the job would find, asked on the machine that is connected to. */
export async function examineEnvironment(host: Host, config: Config, where: Where, tell: Tell): Promise<void> {
  const request = toolsRequest(config, false);
  const asked = await host.exec(toolsScript(request), { timeoutSeconds: answerSeconds });
  if (!asked.ok) return tell({ grade: 'problem', reason: 'unanswered', what: 'the environment', cause: asked.error });
  tellTools(parseTools(asked.value.stdout, request), config, where, asked.value.stderr, tell);
}

/** The same facts from wherever they were gathered. What a login node lacks, the node of the job may have: a warning there. */
export function tellTools(facts: ToolsFacts, config: Config, where: Where, stderr: string, tell: Tell): void {
  const lacking: Grade = where === 'login-node' ? 'warning' : 'problem';
  if (config.setup !== undefined)
    tell({
      grade: facts.setup === 0 ? 'ok' : lacking,
      reason: 'setup',
      where,
      ...(facts.setup === undefined ? {} : { status: facts.setup }),
    });
  if (!facts.complete) {
    // `setup` has ended the shell, which is told; anything else is odd.
    if (config.setup === undefined || facts.setup !== undefined)
      tell({ grade: 'problem', reason: 'odd-answer', what: 'the environment', words: stderr.trim() });
    return;
  }
  if (facts.modules.length > 0 && !facts.moduleCommand) tell({ grade: lacking, reason: 'no-module-command', where });
  else {
    for (const { name, loaded, words } of facts.modules)
      tell({ grade: loaded ? 'ok' : lacking, reason: 'module', where, name, loaded, words });
  }
  const needs = needsOf(config);
  const by = maker(facts, config);
  const { python } = facts;
  const { kind } = config.environment;
  tell({
    grade: by !== undefined ? 'ok' : kind === 'prefix' ? 'problem' : lacking,
    reason: 'environment',
    where,
    kind,
    needs,
    ...(by === undefined ? {} : { by }),
    ...(python === undefined ? {} : { python }),
  });
  const builds = kind !== 'none' && kind !== 'prefix';
  const buildsThere = 'buildOn' in config.environment && config.environment.buildOn === 'job';
  for (const { url, ok, words } of facts.reached)
    tell({
      grade: ok || !builds ? 'ok' : buildsThere ? 'problem' : 'warning',
      reason: 'internet',
      url,
      reached: ok,
      words,
      where,
    });
}

/** What makes the environment, or is it. */
function maker(facts: ToolsFacts, { environment, steps }: Config): string | undefined {
  const { python, uv, conda, container } = facts;
  switch (environment.kind) {
    case 'none':
      // Steps that are commands may not need a Python at all.
      if (steps.every(({ kind }) => kind === 'run')) return python?.path ?? 'sh';
      return python?.version !== undefined && python.imports ? python.path : undefined;
    case 'prefix':
      return python?.version !== undefined && python.imports ? python.path : undefined;
    case 'conda':
    case 'packages':
      return conda;
    case 'uv':
      return uv;
    case 'venv':
      return uv ?? (python?.venv === true ? python.path : undefined);
    case 'container':
      return container;
  }
}
