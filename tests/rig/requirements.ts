import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { describe } from '@jest/globals';

/** Something of the machine that a suite cannot do without. */
export interface Requirement {
  readonly name: string;
  /** Undefined when it is there (perhaps only now, by installing it); else why it is not, in words. */
  readonly missing: () => string | undefined;
}

/** Where a program is; daemons live outside an ordinary user's PATH. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin', '/usr/local/sbin'];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => `${folder}/${name}`)
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

const isRoot = (): boolean => process.getuid?.() === 0;

/** A program; as root on a machine with apt-get, its package is installed when it is missing. */
export function program(name: string, debianPackage: string): Requirement {
  return {
    name,
    missing() {
      if (findProgram(name) !== undefined) return undefined;
      if (!isRoot()) return `${name} is not installed, and only root can install ${debianPackage}`;
      if (findProgram('apt-get') === undefined) return `${name} is not installed, and there is no apt-get`;
      const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
      // Another suite may be installing at this moment: apt waits for its lock instead of failing.
      const install = [
        '-o',
        'DPkg::Lock::Timeout=180',
        'install',
        '-y',
        '-q',
        '--no-install-recommends',
        debianPackage,
      ];
      let apt = spawnSync('apt-get', install, { env, encoding: 'utf8' });
      if (apt.status !== 0) {
        spawnSync('apt-get', ['-o', 'DPkg::Lock::Timeout=180', 'update', '-q'], { env });
        apt = spawnSync('apt-get', install, { env, encoding: 'utf8' });
      }
      if (findProgram(name) !== undefined) return undefined;
      return `apt-get install ${debianPackage} failed: ${apt.stderr.trim().split('\n').at(-1) ?? ''}`;
    },
  };
}

const known = {
  sshd: program('sshd', 'openssh-server'),
  bash: program('bash', 'bash'),
  tcsh: program('tcsh', 'tcsh'),
  fish: program('fish', 'fish'),
  root: { name: 'root', missing: () => (isRoot() ? undefined : 'only root can do this') },
} satisfies Record<string, Requirement>;
export type KnownRequirement = keyof typeof known;

const answers = new Map<string, string | undefined>();
function whyNot(requirement: Requirement): string | undefined {
  if (!answers.has(requirement.name)) answers.set(requirement.name, requirement.missing());
  return answers.get(requirement.name);
}

let skipped = 0;

/** A `describe` that is skipped, by name and with the reason, where the machine lacks something. */
export function describeWith(
  needs: KnownRequirement | Requirement | readonly (KnownRequirement | Requirement)[],
  name: string,
  suite: () => void,
): void {
  const list = Array.isArray(needs) ? needs : [needs];
  const reasons = list.flatMap((need: KnownRequirement | Requirement) => {
    const reason = whyNot(typeof need === 'string' ? known[need] : need);
    return reason === undefined ? [] : [reason];
  });
  if (reasons.length === 0) {
    describe(name, suite);
    return;
  }
  skipped += 1;
  process.stderr.write(`skipped (${skipped} in this file): ${name}: ${reasons.join('; ')}\n`);
  describe.skip(`${name} [skipped: ${reasons.join('; ')}]`, suite);
}
