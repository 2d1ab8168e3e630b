import { readFile } from 'node:fs/promises';
import { printable } from '../base/printable.ts';
import type { SshConfig } from './ssh-config.ts';

/** Asks the person; undefined: they gave up. */
export type Prompt = (question: string, hidden: boolean) => Promise<string | undefined>;

/** One way to log in, in the words of the SSH library. */
export type Attempt<Key, Agent> =
  | { readonly type: 'none'; readonly username: string }
  | { readonly type: 'agent'; readonly username: string; readonly agent: Agent }
  | { readonly type: 'publickey'; readonly username: string; readonly key: Key }
  | { readonly type: 'password'; readonly username: string; readonly password: string }
  | { readonly type: 'keyboard-interactive'; readonly username: string; readonly prompt: KeyboardInteractive };
export type KeyboardInteractive = (
  name: string,
  instructions: string,
  language: string,
  prompts: readonly { readonly prompt: string; readonly echo?: boolean }[],
  finish: (answers: string[]) => void,
) => void;

export interface AuthTools<Key, Agent> {
  readonly parseKey: (data: Buffer, passphrase?: string) => Key | Error;
  readonly publicBlob: (key: Key) => Buffer;
  /** The agent reduced to some of its keys, in this order. */
  readonly agentWith: (socket: string, keys: readonly Key[]) => Agent;
  readonly agentKeys: (socket: string) => Promise<readonly Key[] | Error>;
}

export interface Authenticator<Key, Agent> {
  /** What to try next with what the server still accepts; false: nothing is left. */
  next(methodsLeft: readonly string[] | null): Promise<Attempt<Key, Agent> | false>;
  readonly tried: readonly string[];
}

type Method = 'publickey' | 'keyboard-interactive' | 'password';
interface Candidate<Key, Agent> {
  readonly method: Method;
  /** Undefined: it cannot be tried; why is in `tried` then. */
  readonly prepare: () => Promise<Attempt<Key, Agent> | undefined>;
}

/** As OpenSSH's NumberOfPasswordPrompts: people mistype. */
const TRIES = 3;

/** The order of OpenSSH: the agent's keys, key files, then questions. IdentitiesOnly limits the agent to the named keys. */
export function authenticator<Key, Agent>(
  config: SshConfig,
  tools: AuthTools<Key, Agent>,
  prompt: Prompt | undefined,
): Authenticator<Key, Agent> {
  const { user: username } = config;
  const tried: string[] = [];
  const offeredByAgent: Buffer[] = [];
  let gaveUp = false;
  /** For codes and passwords: somebody who has given up is not asked again. */
  const ask: Prompt = async (question, hidden) => {
    const answer = gaveUp ? undefined : await prompt?.(question, hidden);
    gaveUp ||= answer === undefined;
    return answer;
  };
  const note = (what: string) => void (tried.includes(what) || tried.push(what));

  const fromAgent = async (): Promise<Attempt<Key, Agent> | undefined> => {
    const socket = config.agent;
    if (socket === undefined || socket === '') return undefined;
    const keys = await tools.agentKeys(socket);
    if (keys instanceof Error) {
      tried.push(`agent ${socket} (${keys.message})`);
      return undefined;
    }
    const named = (await Promise.all(config.identityFiles.map((file) => publicKeyBeside(file, tools)))).filter(isBlob);
    const isNamed = (key: Key) => named.some((blob) => blob.equals(tools.publicBlob(key)));
    const first = keys.filter(isNamed);
    const chosen = config.identitiesOnly ? first : [...first, ...keys.filter((key) => !isNamed(key))];
    if (chosen.length === 0) return undefined;
    offeredByAgent.push(...chosen.map(tools.publicBlob));
    tried.push(`agent (${chosen.length} ${chosen.length === 1 ? 'key' : 'keys'})`);
    return { type: 'agent', username, agent: tools.agentWith(socket, chosen) };
  };

  const fromFile = async (file: string): Promise<Attempt<Key, Agent> | undefined> => {
    const data = await readFile(file).catch((error: NodeJS.ErrnoException) => error);
    if (!Buffer.isBuffer(data)) {
      // The default names are tried in silence, as ssh does: most people have one of them.
      if (data.code !== 'ENOENT') tried.push(`key ${file} (${data.code ?? data.message})`);
      return undefined;
    }
    const beside = await publicKeyBeside(file, tools);
    if (beside !== undefined && offeredByAgent.some((blob) => blob.equals(beside))) return undefined;
    let key = tools.parseKey(data);
    for (
      let asked = 0;
      key instanceof Error && /passphrase|encrypted/i.test(key.message) && asked < TRIES;
      asked += 1
    ) {
      const passphrase = await prompt?.(`Passphrase for ${file}: `, true);
      if (passphrase === undefined || passphrase === '') break;
      const opened = tools.parseKey(data, passphrase);
      // Whatever a wrong passphrase makes of the key, it is asked for again.
      if (!(opened instanceof Error)) key = opened;
    }
    if (key instanceof Error) {
      tried.push(`key ${file} (${key.message})`);
      return undefined;
    }
    tried.push(`key ${file}`);
    return { type: 'publickey', username, key };
  };

  const questions = async (): Promise<Attempt<Key, Agent> | undefined> => {
    if (gaveUp) return undefined;
    if (prompt === undefined) {
      note('keyboard-interactive (nobody to ask)');
      return undefined;
    }
    note('keyboard-interactive');
    const answerAll: KeyboardInteractive = (_name, instructions, _language, prompts, finish) => {
      const askAll = async () => {
        const answers: string[] = [];
        for (const [index, question] of prompts.entries()) {
          const lead = index === 0 && instructions !== '' ? `${printable(instructions)}\n` : '';
          answers.push((await ask(`${lead}${printable(question.prompt)}`, question.echo !== true)) ?? '');
        }
        finish(answers);
      };
      // A prompt that fails answers nothing, and the server refuses.
      askAll().catch(() => finish(prompts.map(() => '')));
    };
    return { type: 'keyboard-interactive', username, prompt: answerAll };
  };

  const password = async (): Promise<Attempt<Key, Agent> | undefined> => {
    if (gaveUp) return undefined;
    const answer = await ask(`${username}@${config.hostname}'s password: `, true);
    note(prompt === undefined ? 'password (nobody to ask)' : 'password');
    return answer === undefined ? undefined : { type: 'password', username, password: answer };
  };

  const candidates: Candidate<Key, Agent>[] = [
    { method: 'publickey', prepare: fromAgent },
    ...config.identityFiles.map((file) => ({ method: 'publickey' as const, prepare: () => fromFile(file) })),
    ...Array.from({ length: TRIES }, () => ({ method: 'keyboard-interactive' as const, prepare: questions })),
    ...Array.from({ length: TRIES }, () => ({ method: 'password' as const, prepare: password })),
  ];
  return {
    tried,
    async next(methodsLeft) {
      // `none` is refused, and the refusal lists what the server takes.
      if (methodsLeft === null) return { type: 'none', username };
      for (;;) {
        const at = candidates.findIndex((candidate) => methodsLeft.includes(candidate.method));
        const [candidate] = at === -1 ? [] : candidates.splice(at, 1);
        if (candidate === undefined) return false;
        const attempt = await candidate.prepare();
        if (attempt !== undefined) return attempt;
      }
    },
  };
}

const isBlob = (blob: Buffer | undefined): blob is Buffer => blob !== undefined;

/** The public half, without asking for a passphrase: `FILE.pub`, or FILE itself where only the agent has the private one. */
async function publicKeyBeside<Key, Agent>(file: string, tools: AuthTools<Key, Agent>): Promise<Buffer | undefined> {
  for (const path of [`${file}.pub`, file]) {
    const data = await readFile(path).catch(() => undefined);
    if (data === undefined) continue;
    const key = tools.parseKey(data);
    if (!(key instanceof Error)) return tools.publicBlob(key);
  }
  return undefined;
}
