import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { findProgram, type Requirement } from './requirements.ts';

/** An installation of environment modules: what a job's shell finds it by. */
export interface Modules extends Requirement {
  readonly env: () => Readonly<Record<string, string>>;
}

export const lmod: Modules = {
  name: 'Lmod',
  missing: () => (existsSync('/usr/share/lmod/lmod/init/sh') ? undefined : 'Lmod (package lmod) is not installed'),
  env: () => ({ LMOD_PKG: '/usr/share/lmod/lmod' }),
};

/** Debian lets only one of the two be installed: the other's package is unpacked beside, with the one path in it that matters corrected. */
export const environmentModules: Modules = {
  name: 'Environment Modules',
  missing: () => {
    const home = findEnvironmentModules();
    return home === undefined
      ? 'Environment Modules (package environment-modules) is neither installed nor can it be downloaded with apt-get'
      : undefined;
  },
  env: () => ({ MODULESHOME: findEnvironmentModules() ?? '' }),
};

function findEnvironmentModules(): string | undefined {
  if (existsSync('/usr/share/modules/init/sh')) return '/usr/share/modules';
  const folder = join(tmpdir(), `mlops-tests-${userInfo().uid}`, 'environment-modules');
  const home = join(folder, 'usr/share/modules');
  if (existsSync(join(home, 'init/sh'))) return home;
  if (findProgram('apt-get') === undefined || findProgram('tclsh8.6') === undefined) return undefined;
  mkdirSync(dirname(folder), { recursive: true, mode: 0o700 });
  const fresh = mkdtempSync(`${folder}-`);
  try {
    const got = spawnSync('apt-get', ['download', '-q', 'environment-modules'], { cwd: fresh });
    const [file] = readdirSync(fresh);
    if (got.status !== 0 || file === undefined) return undefined;
    if (spawnSync('dpkg', ['-x', file, '.'], { cwd: fresh }).status !== 0) return undefined;
    const init = join(fresh, 'usr/share/modules/init/sh');
    writeFileSync(
      init,
      readFileSync(init, 'utf8').replaceAll(/\/usr\/lib\/[\w-]+\/modulecmd\.tcl/g, (at) => folder + at),
    );
    renameSync(fresh, folder);
    return home;
  } catch (error) {
    // Another suite was faster.
    if ((error as NodeJS.ErrnoException).code === 'ENOTEMPTY') return home;
    throw error;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** A conda with a module file of its own beside it, as sites have it: the module sets PATH and nothing else. */
export const condaInstallation = dirname(dirname(process.env.MLOPS_TEST_CONDA ?? findProgram('conda') ?? '/none/none'));
export const condaModule: Requirement = {
  name: 'a module Anaconda3/2021.11',
  missing: () =>
    existsSync(join(condaInstallation, 'modulefiles/Anaconda3/2021.11'))
      ? undefined
      : 'no modulefiles/Anaconda3/2021.11 beside the conda of MLOPS_TEST_CONDA',
};
