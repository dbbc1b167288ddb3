import { z } from 'zod';
import { AppError } from '../../errors.ts';
import { type Period, periodOf } from '../../reports/period.ts';

export const day = z.iso.date();
const dayOrMoment = z.union([day, z.iso.datetime({ offset: true })], { error: 'must be a day, or a time with offset' });

/** The query of every report. */
export const reportQuery = {
  from: dayOrMoment.optional().describe('A day, or a time; 90 days before `to` where left out.'),
  to: dayOrMoment.optional().describe('A day, which is in; today where left out.'),
  format: z.enum(['json', 'csv']).default('json'),
};

/** The days that a report was asked for. Throws `invalid` where they end before they begin. */
export const periodAsked = (
  asked: { from?: string | undefined; to?: string | undefined },
  { timeZone, now }: { timeZone: string; now: () => number },
): Period => {
  const period = periodOf(asked, timeZone, now());
  if (period.from > period.to)
    throw new AppError('invalid', 'The report ends before it begins.', {
      faults: [{ path: 'to', message: 'must not be before from' }],
    });
  return period;
};

/** A report's rows as CSV, to be saved under its name and days. */
export const csvAnswer = (name: string, { from, to }: Period, content: string) => ({
  status: 200,
  text: { type: 'text/csv; charset=utf-8', content },
  headers: { 'Content-Disposition': `attachment; filename="${name}-${from}-${to}.csv"` },
});
