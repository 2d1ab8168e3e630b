// `node bench/slow-link.mjs PORT MS`: a link with that round trip to a port of this machine; prints the port of its near end. What comes in goes out
// half of the round trip later, in order. TCP's own windows see no distance, those of SSH's channels do.
import { connect, createServer } from 'node:net';

const [port, roundTrip] = process.argv.slice(2).map(Number);
/** What is on its way, at the most: a link does not hold more either. */
const most = 64 * 1024 * 1024;

function carry(from, to) {
  let held = 0;
  from.on('data', (chunk) => {
    held += chunk.length;
    if (held > most) from.pause();
    setTimeout(() => {
      to.write(chunk, () => {
        held -= chunk.length;
        from.resume();
      });
    }, roundTrip / 2);
  });
  from.on('end', () => setTimeout(() => to.end(), roundTrip / 2));
  from.on('error', () => to.destroy());
}

const server = createServer((near) => {
  const far = connect(port, '127.0.0.1');
  for (const one of [near, far]) one.setNoDelay(true);
  carry(near, far);
  carry(far, near);
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
