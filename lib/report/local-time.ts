/** A moment as its reader would say it: 14:32, tomorrow 09:10, or with the date. Seconds since the epoch. */
export function formatLocalTime(epoch: number, now: number, timeZone: string): string {
  const [then, today] = [parts(epoch, timeZone), parts(now, timeZone)];
  const days = (Date.parse(then.date) - Date.parse(today.date)) / 86_400_000;
  if (days === 0) return then.time;
  if (days === 1) return `tomorrow ${then.time}`;
  if (days === -1) return `yesterday ${then.time}`;
  return `${then.date} ${then.time}`;
}

function parts(epoch: number, timeZone: string): { readonly date: string; readonly time: string } {
  // Swedish writes dates as ISO 8601 does.
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' });
  const [date = '', time = ''] = format.format(epoch * 1000).split(' ');
  return { date, time };
}
