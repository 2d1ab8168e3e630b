/**
 * Text from a config, a notebook, git or a cluster as it may go to a terminal or into a log: control characters,
 * escape sequences and bidirectional overrides are removed; tabs and newlines stay.
 */
export function printable(text: string): string {
  return text
    .replace(/\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g, '')
    .replace(/\r\n/g, '\n')
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '');
}

/** The same on one line: for names, paths and table cells. */
export const printableLine = (text: string): string => printable(text).replace(/\s*\n\s*/g, ' ');
