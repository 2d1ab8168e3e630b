import { expect, test } from '@jest/globals';
import { parseSshConfig } from '../../lib/cluster/ssh-config.ts';
import { isSessionRefused, loginFailure } from '../../lib/cluster/ssh-words.ts';

const config = parseSshConfig(
  'user anna\nhostname login.site\nport 22\nuserknownhostsfile /home/anna/.ssh/known_hosts',
  'c',
  {
    env: {},
    interactive: false,
    configArgs: [],
  },
);
const reason = (stderr: string) => loginFailure(stderr, config, 'c').reason;

/** What other systems say than the one that the cluster suites run on. */
test.each([
  ['unknown-host', 'ssh: Could not resolve hostname c: Name or service not known'],
  ['unknown-host', 'ssh: Could not resolve hostname c: nodename nor servname provided, or not known'],
  ['unknown-host', 'ssh: Could not resolve hostname c: No address associated with hostname'],
  ['unreachable', 'ssh: Could not resolve hostname c: Temporary failure in name resolution'],
  ['unreachable', 'ssh: connect to host c port 22: Operation timed out'],
  ['unreachable', 'ssh: connect to host c port 22: No route to host'],
  ['unreachable', 'kex_exchange_identification: read: Connection reset by peer'],
  [
    'no-common-algorithm',
    'Unable to negotiate with 10.0.0.1 port 22: no matching host key type found. Their offer: ssh-rsa',
  ],
  ['unreachable', ''],
])('%s: %s', (expected, stderr) => {
  expect(reason(`${stderr}\r\n`)).toBe(expected);
});

test('a login that ends by itself after too many keys was refused', () => {
  const stderr = [
    'debug1: Server host key: ssh-ed25519 SHA256:abc',
    'debug1: Authentications that can continue: publickey',
    'debug1: Offering public key: /home/anna/.ssh/id_rsa RSA SHA256:def agent',
    'debug1: Offering public key: work laptop ED25519 SHA256:ghi agent',
    'Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures',
    'Disconnected from 10.0.0.1 port 22',
  ].join('\r\n');
  expect(loginFailure(stderr, config, 'c')).toEqual({
    reason: 'auth-refused',
    host: 'c',
    user: 'anna',
    tried: ['key /home/anna/.ssh/id_rsa', 'key work laptop'],
    detail:
      'Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures\nDisconnected from 10.0.0.1 port 22',
  });
});

test('what a jump host refuses is no refusal of the cluster', () => {
  const jump = 'debug1: Executing proxy command: exec ssh -W c:22 jump\nanna@jump: Permission denied (publickey).\n';
  expect(loginFailure(`${jump}Connection closed by UNKNOWN port 65535\n`, config, 'c')).toEqual({
    reason: 'unreachable',
    host: 'c',
    detail: 'anna@jump: Permission denied (publickey).\nConnection closed by UNKNOWN port 65535',
  });
});

test('a session too many is told from an end', () => {
  expect(isSessionRefused('mux_client_request_session: session request failed: Session open refused by peer')).toBe(
    true,
  );
  expect(isSessionRefused('mux_client_request_session: read from master failed: Broken pipe')).toBe(false);
});
