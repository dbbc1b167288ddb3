import type { Day } from '../calendar/working-day.ts';
import type { Locale } from '../catalogue/topic.ts';
import type { SharedContent, Slots } from '../channels/channel.ts';
import type { Courier } from '../channels/courier.ts';
import { dateFormat } from '../date-format.ts';
import type { Edges } from '../edges.ts';
import { AppError } from '../errors.ts';
import type { FanoutService } from '../fanout/fanout-service.ts';
import type { Log } from '../log.ts';
import { answersAnother } from './answering.ts';
import type { Applicants } from './applicant.ts';
import { type Application, reopened } from './application.ts';
import type { ApplicationStore } from './application-store.ts';

export type DebtTools = {
  edges: Pick<Edges, 'now'>;
  applicants: Pick<Applicants, 'reach' | 'open'>;
  fanout: Pick<FanoutService, 'answer'>;
  courier: Courier;
  log: Pick<Log, 'error'>;
  templates: {
    postponement(input: {
      locale: Locale;
      number: string;
      received: string;
      due: string;
      until: string;
      reason: string;
    }): {
      content: SharedContent;
      slots: Partial<Slots>;
    };
  };
};

const letterMs = 7 * 86_400_000;
/** A change that is older and still owes was left by a process that died. */
const owedMs = 60_000;
const owedAtOnce = 50;

/** A day in words, in a language. */
const inWords = (locale: Locale, day: Day): string =>
  dateFormat(locale, { dateStyle: 'long', timeZone: 'UTC' }).format(Date.parse(`${day}T00:00:00Z`));

/**
 * What a change of an application owes: the letter of a postponement, the push of an answer. Each is done after the change is
 * stored and struck off then, so that a process that dies in between leaves it to the sweep; a letter may go twice so.
 */
export const makeDebts = (
  { applications }: { applications: Pick<ApplicationStore, 'owing' | 'paid' | 'replace' | 'answeredBy'> },
  { edges, applicants, fanout, courier, log, templates }: DebtTools,
) => {
  const tellPostponed = async (application: Application): Promise<void> => {
    const reach = await applicants.reach(application);
    const reason = applicants.open(application)?.reason;
    if (!reach || !reason) return;
    const { receivedOn, firstDueOn, dueOn } = application;
    const { content, slots } = templates.postponement({
      locale: reach.locale,
      number: application.number,
      received: inWords(reach.locale, receivedOn),
      due: inWords(reach.locale, firstDueOn),
      until: inWords(reach.locale, dueOn),
      reason,
    });
    await courier.post(reach.contact, content, slots, edges.now() + letterMs);
  };

  const reopen = (application: Application): Promise<boolean> => applications.replace(reopened(application));

  /**
   * Where the item was withdrawn before its push was written nobody was answered: the application waits again. So it does
   * where two were answered by the same item at the same moment: whoever sees the other gives way, at worst both.
   */
  const pushAnswer = async (application: Application): Promise<void> => {
    const { id, answer, applicant } = application;
    if (!answer || applicant === null) return;
    if ((await applications.answeredBy(answer.item)).some((other) => other.id !== id)) {
      await reopen(application);
      throw answersAnother(answer.item);
    }
    try {
      await fanout.answer({ id: answer.push, item: answer.item, ordinal: applicant, note: `application ${id}` });
    } catch (error) {
      if (error instanceof AppError && error.code === 'wrong-state') await reopen(application);
      throw error;
    }
  };

  const settle = async (application: Application): Promise<void> => {
    const { id, owes } = application;
    if (owes === null) return;
    await (owes === 'letter' ? tellPostponed(application) : pushAnswer(application));
    await applications.paid(id, owes);
  };

  return {
    settle,
    /** What processes left that died after a change, each for itself; answers how much of it is done. */
    settleOwed: async (): Promise<number> => {
      const before = edges.now() - owedMs;
      const owing = (await applications.owing(owedAtOnce)).filter(
        ({ answer, postponement }) => (answer?.at ?? postponement?.at ?? 0) < before,
      );
      let done = 0;
      for (const application of owing) {
        try {
          await settle(application);
          done += 1;
        } catch (error) {
          log.error({ error, application: application.id }, 'what an application owes could not be sent');
        }
      }
      return done;
    },
  };
};

export type Debts = ReturnType<typeof makeDebts>;
