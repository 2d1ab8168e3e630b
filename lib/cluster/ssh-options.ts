import type { SshConfig } from './ssh-config.ts';

/** What a user may have set for their own sessions, and ours cannot work with. */
const ours = {
  RemoteCommand: 'none',
  SessionType: 'default',
  StdinNull: 'no',
  ForkAfterAuthentication: 'no',
  // It would write into the user's known_hosts.
  UpdateHostKeys: 'no',
} as const;

/** Only what this ssh knows: an older one (no SessionType before 8.7) ends at a word it does not understand. */
export const overrides = (config: SshConfig): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(ours).filter(([keyword]) => config.values.has(keyword.toLowerCase())));

export const optionArguments = (options: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(options).flatMap(([keyword, value]) => ['-o', `${keyword}=${value}`]);
