import type { Finding } from '../../commands/doctor-types.ts';
import { formatBytes, formatDuration } from '../../report/numbers.ts';
import { config, nothingToDo } from './doctor-common.ts';
import { groupTrouble, hostTrouble, workdirWords } from './host-trouble.ts';
import { joined, said, word } from './layout.ts';
import { placeOf } from './setting.ts';
import type { Words } from './trouble.ts';

/** The machine and the work folder. */
export const siteWords = {
  connection: ({ host, kind, user, login, milliseconds }) => ({
    failed: joined([
      `${said(user, 40)} on ${said(host, 60)}`,
      login?.shared === true
        ? 'over the connection that your ssh keeps open'
        : kind === 'ssh2'
          ? 'ssh2'
          : 'the ssh program',
      login?.by === undefined ? '' : said(login.by, 60),
      `${milliseconds} ms for a command`,
    ]),
    ...nothingToDo,
  }),
  'connection-failed': ({ cause }, setting) => hostTrouble(cause, setting),
  unanswered: ({ what, cause }, setting) => {
    const trouble = hostTrouble(cause, setting);
    return { ...trouble, failed: `${said(what, 60)}: ${trouble.failed}` };
  },
  'odd-answer': ({ what, words: raw }) => ({
    failed: `the script that looks at ${said(what, 40)} ended before its end`,
    raw,
    next: [{ command: 'mlops doctor', what: 'again; please report it if it stays so' }],
  }),
  'this-machine': ({ system }) => ({ failed: `this one, ${said(system, 60)}`, ...nothingToDo }),
  clock: ({ seconds }) => {
    const off = `${formatDuration(Math.abs(seconds))} ${seconds < 0 ? 'behind' : 'ahead of'} this machine's`;
    return Math.abs(seconds) <= 60
      ? { failed: seconds === 0 ? 'the same as here' : off, ...nothingToDo }
      : {
          failed: `the cluster's is ${off}`,
          means: 'Nothing depends on it, but times of the cluster are shown by its clock. One of the two is wrong.',
          next: [{ command: 'date -u', what: 'here and there, and tell whoever looks after the wrong one' }],
        };
  },
  shell: ({ shell, system }) => ({ failed: joined([said(shell, 60) || 'unknown', said(system, 60)]), ...nothingToDo }),
  tools: ({ missing }) =>
    missing.length === 0
      ? { failed: 'what the job and the store need is there', ...nothingToDo }
      : {
          failed: `not there: ${missing.join(', ')}`,
          means: 'They belong to every Linux; a login shell with a strange PATH hides them.',
          next: [{ command: 'echo $PATH', what: 'in a login shell there' }],
        },
  'workdir-failed': ({ cause, host, written }, setting) =>
    cause.reason === 'host'
      ? hostTrouble(cause.cause, setting)
      : cause.reason === 'not-in-group'
        ? groupTrouble({ ...cause, host }, setting)
        : {
            failed: `${said(written, 60)} cannot be used on ${said(host, 40)}`,
            where: placeOf(setting.locate?.('cluster.workdir')),
            raw: workdirWords(cause),
            means: 'It has to be absolute, writable, and seen from the compute nodes.',
            next: [
              {
                command: 'git config mlops.cluster.workdir FOLDER',
                what: `your own; or change cluster.workdir in ${config} for everybody`,
              },
            ],
          },
  workdir: ({ path, type, volatile }) => ({
    failed: joined([said(path, 80), type === undefined ? '' : said(type, 30)]),
    ...(volatile
      ? {
          means:
            'This kind of file system is of one machine alone and empty after a restart: compute nodes do not see it.',
          next: [{ command: 'git config mlops.cluster.workdir FOLDER', what: 'a folder on the scratch file system' }],
        }
      : nothingToDo),
  }),
  space: ({ path, free, freeFiles, grade }) => ({
    failed: joined([
      free === undefined ? 'df does not tell how much is free' : `${formatBytes(free)} free`,
      freeFiles === undefined ? '' : `room for ${freeFiles.toLocaleString('en')} more files`,
    ]),
    ...(grade === 'ok'
      ? nothingToDo
      : {
          means: 'An environment alone takes some gigabytes and 50,000 files.',
          next: [
            { command: 'mlops gc --dry-run', what: 'tells what could go' },
            { command: `du -xh -d 1 ${word(path)} | sort -h`, what: 'there, to see what takes the room' },
          ],
        }),
  }),
  quota: ({ quota, grade }) => ({
    failed: joined([
      said(quota.of, 50),
      `${formatBytes(quota.bytes)}${quota.byteLimit === undefined ? '' : ` of ${formatBytes(quota.byteLimit)}`}`,
      `${quota.files.toLocaleString('en')}${quota.fileLimit === undefined ? '' : ` of ${quota.fileLimit.toLocaleString('en')}`} files`,
    ]),
    next: grade === 'ok' ? [] : [{ command: 'mlops gc --dry-run', what: 'tells what could go, if it is this folder' }],
  }),
  'quota-failed': ({ words: raw }) => ({
    failed: 'the quota could not be asked for',
    raw,
    next: [{ command: 'quota', what: 'there, by hand' }],
  }),
  'hard-links': ({ there }) =>
    there
      ? { failed: 'work', ...nothingToDo }
      : {
          failed: 'do not work there: data is linked by symlinks or copied, which takes longer for many files',
          means: 'Nothing has to be done.',
          next: [],
        },
} satisfies Partial<Words<Finding>>;
