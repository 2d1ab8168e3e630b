import { openSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { ReadStream, WriteStream } from 'node:tty';
import { hasTerminal } from './has-terminal.ts';

/**
 * Asks on the terminal itself: in a hook, standard input is git's list of refs. Undefined where there is no terminal, or at the end
 * of input. A hidden answer is not echoed.
 */
export async function askOnTerminal(question: string, hidden: boolean): Promise<string | undefined> {
  const terminal = openTerminal();
  if (terminal === undefined) return undefined;
  const { input, output } = terminal;
  try {
    output.write(question);
    if (hidden) return await readHidden(input, output);
    const lines = createInterface({ input, output, terminal: true });
    const answer = new Promise<string | undefined>((resolve) => {
      lines.once('close', () => resolve(undefined));
      lines.question('').then(resolve, () => resolve(undefined));
    });
    const text = await answer;
    lines.close();
    return text;
  } finally {
    input.destroy();
    output.destroy();
  }
}

function openTerminal(): { input: ReadStream; output: WriteStream } | undefined {
  if (!hasTerminal()) return undefined;
  return { input: new ReadStream(openSync('/dev/tty', 'r')), output: new WriteStream(openSync('/dev/tty', 'w')) };
}

function readHidden(input: ReadStream, output: WriteStream): Promise<string | undefined> {
  input.setRawMode(true);
  let answer = '';
  return new Promise((resolve) => {
    const finish = (value: string | undefined) => {
      input.setRawMode(false);
      output.write('\n');
      resolve(value);
    };
    input.on('data', (chunk) => {
      for (const key of chunk.toString('utf8')) {
        if (key === '\r' || key === '\n') return finish(answer);
        if (key === '\u0003' || key === '\u0004') return finish(undefined);
        answer = key === '\u007f' || key === '\b' ? answer.slice(0, -1) : answer + key;
      }
    });
  });
}
