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
  const format = dateFormat(timeZone) ?? dateFormat(undefined);
  const [date = '', time = ''] = (format?.format(epoch * 1000) ?? '').split(' ');
  return { date, time };
}

/** Undefined: no such time zone. TZ may hold what POSIX allows (`CET-1CEST`), and ICU does not know; the system's own reading does. */
function dateFormat(timeZone: string | undefined): Intl.DateTimeFormat | undefined {
  try {
    // Swedish writes dates as ISO 8601 does.
    return new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' });
  } catch (error) {
    if (error instanceof RangeError || (error as Error).name === 'RangeError') return undefined;
    throw error;
  }
}
