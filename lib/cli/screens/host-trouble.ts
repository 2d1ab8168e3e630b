import { unreachable } from '../../base/unreachable.ts';
import type { HostError } from '../../cluster/host.ts';
import type { QueryError } from '../../cluster/scheduler.ts';
import type { WorkdirError } from '../../cluster/workdir.ts';
import type { PlaceError } from '../../gate/place.ts';
import { said, word } from './layout.ts';
import { placeOf, type Setting } from './setting.ts';
import { type Next, type Trouble, troubleOf, type Words } from './trouble.ts';

const ssh = (host: string): Next => ({ command: `ssh ${word(host)}`, what: 'must work by itself, without a question' });
const again = ({ again: command }: Setting): Next => ({
  command,
  what: 'again: a job that was started goes on and is found',
});
const jobGoesOn = 'A job that was started goes on.';

const hostWords: Words<HostError> = {
  'unknown-host': ({ host, detail }) => ({
    failed: `no machine has the name ${said(host, 60)}`,
    tried: 'ssh -G, for ~/.ssh/config, and then the name service',
    raw: detail,
    next: [
      {
        command: 'git config mlops.cluster.host NAME',
        what: 'your own name for it; or write it into ~/.ssh/config',
      },
      ssh(host),
    ],
  }),
  unreachable: ({ host, detail }, setting) => ({
    failed: `${said(host, 60)} does not answer`,
    raw: detail,
    means: `Is a VPN needed, or is the cluster down for maintenance? ${jobGoesOn}`,
    next: [ssh(host), again(setting)],
  }),
  'auth-refused': ({ host, user, tried, detail }, setting) => ({
    failed: `${said(host, 60)} does not let ${said(user, 40)} in`,
    tried: tried.length === 0 ? 'nothing: there is no key and no agent' : tried.map((way) => said(way, 60)).join(', '),
    raw: detail,
    next: [
      { command: `ssh-copy-id ${word(host)}`, what: 'if you have no key there yet' },
      { command: 'ssh-add', what: 'if the key has a passphrase' },
      ssh(host),
      again(setting),
    ],
  }),
  'host-key-unknown': ({ host, keyType, keyFingerprint }, setting) => ({
    failed: `the key of ${said(host, 60)} is not known yet, and is never accepted in silence`,
    where: `${said(keyType, 30)} ${said(keyFingerprint, 60)}`,
    means: 'Nothing was sent. Compare it with what the site publishes.',
    next: [{ command: `ssh ${word(host)}`, what: 'shows the same key: check it and answer yes' }, again(setting)],
  }),
  'host-key-changed': ({ host, port, keyType, keyFingerprint, knownHosts }) => ({
    failed: `the key of ${said(host, 60)} HAS CHANGED: someone may be listening in, or it was installed anew`,
    where: `now ${said(keyType, 30)} ${said(keyFingerprint, 60)}; the old one is in ${said(knownHosts, 60)}`,
    means: 'Nothing was sent. Ask the site before you go on; only if the change is theirs:',
    next: [
      {
        command: `ssh-keygen -R ${word(port === 22 ? host : `[${host}]:${port}`)} -f ${word(knownHosts)}`,
        what: 'forgets the old key',
      },
      { command: `ssh ${word(host)}`, what: 'shows the new one to check' },
    ],
  }),
  'host-key-revoked': ({ host, keyType, keyFingerprint, knownHosts }) => ({
    failed: `the key of ${said(host, 60)} is marked as revoked`,
    where: `${said(keyType, 30)} ${said(keyFingerprint, 60)}, in ${said(knownHosts, 60)}`,
    means: 'Nothing was sent. Ask the site.',
    next: [ssh(host)],
  }),
  'no-common-algorithm': ({ host, detail }, setting) => ({
    failed: `${said(host, 60)} and this machine know no cipher or key exchange in common`,
    raw: detail,
    means: `An old server, or a new one that accepts only what is newest. ${jobGoesOn}`,
    next: [
      { command: `ssh -v ${word(host)}`, what: 'shows what each side offers' },
      { command: 'git config mlops.cluster.transport openssh', what: 'if ssh itself gets in' },
      again(setting),
    ],
  }),
  'no-master': ({ host, command, controlPath }, setting) => ({
    failed: `no open connection to ${said(host, 60)}, and nothing else may be used (cluster.require_master)`,
    ...(controlPath === undefined ? {} : { where: said(controlPath, 120) }),
    means:
      controlPath === undefined
        ? 'ssh keeps none open for this host: ~/.ssh/config names no ControlPath for it.'
        : 'It is opened once, with your second factor, and then serves all that follows.',
    next: [{ command, what: 'opens it' }, again(setting)],
  }),
  lost: ({ host, detail }, setting) => ({
    failed: `the connection to ${said(host, 60)} was lost`,
    raw: detail,
    means: jobGoesOn,
    next: [again(setting)],
  }),
  timeout: ({ host, detail }, setting) => ({
    failed: `${said(host, 60)} took too long to answer`,
    raw: detail,
    means: jobGoesOn,
    next: [ssh(host), again(setting)],
  }),
  aborted: ({ host }, setting) => ({
    failed: `stopped while talking to ${said(host, 60)}`,
    means: jobGoesOn,
    next: [again(setting)],
  }),
  'no-shell': ({ host, detail }) => ({
    failed: `${said(host, 60)} gives no POSIX shell`,
    raw: detail,
    next: [{ command: `ssh ${word(host)} echo ok`, what: 'must print ok and nothing else' }],
  }),
};

export const hostTrouble = (error: HostError, setting: Setting): Trouble => troubleOf(hostWords, error, setting);

const queryWords: Words<QueryError> = {
  host: ({ cause }, setting) => hostTrouble(cause, setting),
  scheduler: ({ command, code, stderr }, setting) => ({
    failed: `the scheduler does not answer: ${said(command, 50)} ended with ${code}`,
    raw: stderr,
    means: 'Nothing is known about the job, which may go on.',
    next: [again(setting)],
  }),
};
export const queryTrouble = (error: QueryError, setting: Setting): Trouble => troubleOf(queryWords, error, setting);

/** Before anything is made: a folder that the group can see would be of no use to somebody who is not in it. */
export const groupTrouble = (
  { group, groups, host }: { readonly group: string; readonly groups: string; readonly host: string },
  setting: Setting,
): Trouble => ({
  failed: `you are not in the Unix group ${said(group, 40)} on ${said(host, 40)}`,
  where: placeOf(setting.locate?.('cluster.group')),
  tried: 'id -Gn, there',
  raw: groups,
  means: 'Nothing was sent. Who has the group can add you; a connection that was open before does not know of it.',
  next: [
    { command: `ssh -O exit ${word(host)}`, what: 'closes such a connection' },
    {
      command: 'git config mlops.cluster.group NAME',
      what: 'another group, for you alone; its workdir is another one',
    },
    { command: setting.again },
  ],
});

const placeWords: Words<PlaceError> = {
  host: ({ cause }, setting) => hostTrouble(cause, setting),
  workdir: ({ workdir, host, detail }, setting) => ({
    failed: `the folder ${said(workdir, 60)} cannot be used on ${said(host, 40)}`,
    where: placeOf(setting.locate?.('cluster.workdir')),
    raw: detail,
    means: 'Nothing was sent. It has to be absolute, writable, and seen from the compute nodes.',
    next: [
      {
        command: 'git config mlops.cluster.workdir FOLDER',
        what: 'your own; or change cluster.workdir in .mlops/config.yaml for everybody',
      },
      { command: setting.again },
    ],
  }),
  'not-in-group': groupTrouble,
};
export const placeTrouble = (error: PlaceError, setting: Setting): Trouble => troubleOf(placeWords, error, setting);

/** The `detail` of a PlaceError, for whoever connects. */
export function workdirWords(error: Exclude<WorkdirError, { readonly reason: 'host' | 'not-in-group' }>): string {
  switch (error.reason) {
    case 'not-absolute':
      return `it becomes ${said(error.expanded ?? error.workdir, 60) || 'nothing'} there, which is not absolute`;
    case 'unset-variable':
      return `not set there: ${error.variables.map((name) => `$${said(name, 40)}`).join(', ')}`;
    case 'not-a-variable':
      return `${said(error.text, 40)} is neither a variable nor ~: nothing else of a shell is read here`;
    case 'not-shared':
      return `it is not shared with the group ${said(error.group, 40)}: ${error.detail}`;
    case 'not-writable':
    case 'disk-full':
      return error.detail === '' ? `${said(error.path, 80)} cannot be written` : error.detail;
    default:
      return unreachable(error);
  }
}
