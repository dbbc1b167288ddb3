import type { ChannelName } from '../../subscriptions/follow.ts';
import type { Voice } from '../pages/present.ts';
import { numberText } from '../staff/report-tables.ts';
import type { StaffDeps } from '../staff/staff-pages.ts';

type Priced = { config: Pick<StaffDeps['config'], 'sms'> };

/** The price of so many parts of text messages, in words; null where no price is known. */
export const smsCost = ({ config }: Priced, { locale }: Pick<Voice, 'locale'>, parts: number): string | null => {
  const { price } = config.sms;
  if (price === null) return null;
  const { format } = new Intl.NumberFormat(locale, {
    ...{ style: 'currency', currency: price.currency },
    // a part costs a fraction of the smallest coin
    ...(price.amount * parts < 1 ? { maximumFractionDigits: 4 } : {}),
  });
  return format(price.amount * parts);
};

/**
 * What text messages to an audience cost at most, in words: `people` can be told by text message, each by `parts` parts. Null where
 * no price is known, none can be told so, or the push uses other channels.
 */
export const smsCostOf = (
  deps: Priced,
  voice: Voice,
  { people, parts, channels }: { people: number; parts: number; channels: readonly ChannelName[] | null },
): string | null => {
  const cost = smsCost(deps, voice, people * parts);
  if (cost === null || people === 0 || (channels !== null && !channels.includes('sms'))) return null;
  const each = voice.t('publisher:preview.parts', { count: parts });
  return voice.t('publisher:audience.smsCost', { cost, each, people: numberText(voice, people), count: people });
};
