import { rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

export interface OneTimeCodes {
  /** The sshd under a name of its own, which is the name of its PAM service. */
  readonly program: string;
  readonly config: readonly string[];
  remove(): Promise<void>;
}

/** A second factor as campus sites have it: after the key, PAM asks on the keyboard for a code that works once. */
export async function oneTimeCodes(server: string, sshd: string, codes: readonly string[]): Promise<OneTimeCodes> {
  const name = `mlops-${basename(join(server, '..')).toLowerCase()}`;
  const program = join(server, name);
  const service = join('/etc/pam.d', name);
  const list = join(server, 'codes');
  const check = join(server, 'check-code');
  await symlink(sshd, program);
  await writeFile(list, codes.map((code) => `${code}\n`).join(''));
  // The code comes on standard input with a NUL behind it.
  const script = `#!/bin/sh
code=$(tr -d '\\0')
grep -qxF -- "$code" ${list} || exit 1
grep -vxF -- "$code" ${list} >${list}.new; mv ${list}.new ${list}
`;
  await writeFile(check, script, { mode: 0o755 });
  const rules = [
    `auth required pam_exec.so quiet expose_authtok ${check}`,
    // pam_exec has no say in pam_setcred, and one module must.
    'auth required pam_permit.so',
    'account required pam_permit.so',
    'session required pam_permit.so',
  ];
  await writeFile(service, `${rules.join('\n')}\n`);
  return {
    program,
    config: [
      'UsePAM yes',
      'KbdInteractiveAuthentication yes',
      'AuthenticationMethods publickey,keyboard-interactive:pam',
    ],
    remove: () => rm(service, { force: true }),
  };
}
